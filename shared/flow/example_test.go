package flow_test

import (
	"context"
	"fmt"
	"log/slog"

	"havip-functions/functions"
	"havip-functions/functions/functionstest"
	"havip-functions/shared/flow"
	"havip-functions/shared/ledger"
)

// A host hands over what arrived, as bytes. After nil the follow-up is on the bus.
func ExampleFunction() {
	keeper, clouds, err := functionstest.Keeper(functionstest.Scene{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer clouds.Close()
	bus := make(shelf, 1)
	f := functions.New(flow.Function{
		Keeper: keeper, Ledger: keeper.Ledger.(ledger.Ledger), Bus: bus, Log: slog.New(slog.DiscardHandler),
	})

	err = f.Invoke(context.Background(), []byte(started))

	followUp := <-bus
	fmt.Println(followUp.Type(), followUp.Subject(), err)
	// Output: havip.status.check havip-orders <nil>
}

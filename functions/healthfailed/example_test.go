package healthfailed_test

import (
	"context"
	"fmt"
	"time"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/functions/healthfailed"
)

// The only holder fails. Its successor is attached first; the follow-up, which
// lies in the outbox, releases it.
func Example() {
	keeper, clouds, err := functionstest.Keeper(functionstest.Scene{
		Policy: "members: [i-db1, i-db2], hold: 1", Holders: []string{"i-db1"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer clouds.Close()

	failed := events.HealthFailed{Cloud: "alibaba", Region: "cn-hangzhou", Instance: "i-db1", Reason: "no answer on 5432"}
	f := healthfailed.Function{Keeper: keeper}
	admitted, err := f.Handle(context.Background(), events.New("e1", time.Now(), failed), failed)
	if err != nil {
		fmt.Println(err)
		return
	}
	left, err := keeper.Look(context.Background(), admitted[0])
	orders, _ := clouds.HAVIP("alibaba", functionstest.Orders)
	fmt.Println(orders.Holders)
	fmt.Println(left.Record.Story.Want.Release, left.Record.Outbox[0].Check.Attempt, err)
	// Output:
	// [i-db1 i-db2]
	// i-db1 2 <nil>
}

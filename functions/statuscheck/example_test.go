package statuscheck_test

import (
	"context"
	"fmt"
	"time"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/functions/statuscheck"
	"havip-functions/shared/havip"
)

// A story has made its call; the follow-up reads that it had its effect.
func Example() {
	keeper, clouds, err := functionstest.Keeper(functionstest.Scene{Policy: "members: [i-db1], hold: 1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer clouds.Close()
	ctx := context.Background()
	begun, err := keeper.Take(ctx, havip.Event{
		EventRef: havip.EventRef{Source: "/example", ID: "e1"}, Arrived: time.Now(), Ask: havip.Ask{Kind: havip.AskStarted, Instance: "i-db1"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	check := events.StatusCheck{Cloud: "alibaba", Region: "cn-hangzhou", HAVIP: functionstest.Orders, Story: begun[0].Story, Attempt: 2}
	f := statuscheck.Function{Keeper: keeper}
	_, err = f.Handle(ctx, events.Event{}, check)

	record, _, _ := havip.Load[havip.Record](ctx, keeper.Ledger, begun[0].Ledger)
	fmt.Println(record.Story.Outcome, record.Story.Instance, record.Story.Calls, err)
	// Output: attached i-db1 1 <nil>
}

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
	begun, err := keeper.Admit(ctx, havip.Event{
		EventRef: havip.EventRef{Source: "/example", ID: "e1"}, Arrived: time.Now(), Ask: havip.Ask{Kind: havip.AskStarted, Instance: "i-db1"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	first, err := keeper.Look(ctx, begun[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(first.Record.Story.Outcome == "", first.Record.Story.Calls)

	check := events.StatusCheck{Cloud: "alibaba", Region: "cn-hangzhou", HAVIP: functionstest.Orders, Story: begun[0].Story, Attempt: 2}
	due, _ := statuscheck.Function{}.Handle(ctx, events.Event{}, check)
	second, err := keeper.Look(ctx, due[0])
	fmt.Println(second.Record.Story.Outcome, second.Record.Story.Instance, second.Record.Story.Calls, err)
	// Output:
	// true 1
	// attached i-db1 1 <nil>
}

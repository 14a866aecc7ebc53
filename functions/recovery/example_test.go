package recovery_test

import (
	"context"
	"fmt"
	"time"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/functions/recovery"
)

// A person asks first what would be done. Nothing is.
func Example() {
	keeper, clouds, err := functionstest.Keeper(functionstest.Scene{Holders: []string{"i-db1", "i-db2"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer clouds.Close()

	ask := events.Recover{Cloud: "alibaba", Region: "cn-hangzhou", HAVIP: "orders", Instance: "i-db3", Release: "i-db2", DryRun: true}
	f := recovery.Function{Keeper: keeper}
	stories, err := f.Handle(context.Background(), events.New("e1", time.Now(), ask), ask)
	if err != nil {
		fmt.Println(err)
		return
	}
	story, _ := stories[0].Record.Ended(stories[0].Record.Outbox[0])
	fmt.Println(story.Outcome, err)
	fmt.Println(story.Advice)
	// Output:
	// ignored <nil>
	// would Detach, instance "i-db3", release "i-db2"
}

package sweep_test

import (
	"context"
	"fmt"
	"time"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/functions/sweep"
)

// Of two HAVIPs one is held as it should be; the other gets a story.
func Example() {
	keeper, clouds, err := functionstest.Keeper(functionstest.Scene{
		Policy: "members: [i-db1, i-db2], hold: 1", Holders: []string{"i-db1"},
		Users: "members: [i-db2], hold: 1",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer clouds.Close()

	f := sweep.Function{Keeper: keeper}
	swept, err := f.Handle(context.Background(), events.New("tick", time.Now(), events.Sweep{}), events.Sweep{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = keeper.Look(context.Background(), swept[0])

	users, _ := clouds.HAVIP("alibaba", functionstest.Users)
	fmt.Println(len(swept), swept[0].HAVIP.ID, users.Holders, err)
	// Output: 1 havip-users [i-db2] <nil>
}

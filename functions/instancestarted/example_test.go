package instancestarted_test

import (
	"context"
	"fmt"
	"time"

	"havip-functions/events"
	"havip-functions/functions/functionstest"
	"havip-functions/functions/instancestarted"
)

// An instance of the roster starts, and nobody holds its HAVIP yet.
func Example() {
	keeper, clouds, err := functionstest.Keeper(functionstest.Scene{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer clouds.Close()

	started := events.InstanceStarted{Cloud: "alibaba", Region: "cn-hangzhou", Instance: "i-db1"}
	f := instancestarted.Function{Keeper: keeper}
	stories, err := f.Handle(context.Background(), events.New("e1", time.Now(), started), started)

	orders, _ := clouds.HAVIP("alibaba", functionstest.Orders)
	fmt.Println(len(stories), stories[0].Opened, err)
	fmt.Println(orders.Status, orders.Holders)
	// Output:
	// 1 true <nil>
	// InUse [i-db1]
}

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
	left, err := f.Handle(context.Background(), events.New("e1", time.Now(), started), started)
	fmt.Println(len(left), left[0].Due.Attempt, err)
	_, err = keeper.Look(context.Background(), left[0])

	orders, _ := clouds.HAVIP("alibaba", functionstest.Orders)
	fmt.Println(orders.Status, orders.Holders, err)
	// Output:
	// 1 1 <nil>
	// InUse [i-db1] <nil>
}

package wire_test

import (
	"fmt"
	"time"

	"havip-functions/shared/wire"
)

func ExampleSeconds() {
	for _, after := range []time.Duration{-time.Hour, 0, 1200 * time.Millisecond, time.Hour} {
		fmt.Println(wire.Seconds(after, 15*time.Minute))
	}
	// Output:
	// 0
	// 0
	// 2
	// 900
}

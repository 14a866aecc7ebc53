package ledger_test

import (
	"context"
	"errors"
	"fmt"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// Of two who read the same record, the second to write has to read again.
func ExampleMemory() {
	ctx, m := context.Background(), ledger.NewMemory()
	_, read, err := m.Load(ctx, "alibaba.cn-hangzhou.havip-1")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, first := m.Save(ctx, "alibaba.cn-hangzhou.havip-1", []byte("{}"), read)
	_, second := m.Save(ctx, "alibaba.cn-hangzhou.havip-1", []byte("{}"), read)
	fmt.Println(first, errors.Is(second, havip.ErrConflict))
	// Output: <nil> true
}

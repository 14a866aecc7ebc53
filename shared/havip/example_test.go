package havip_test

import (
	"fmt"

	"havip-functions/shared/havip"
)

// i-db1 failed and i-db2 is to take over: attach comes before detach where there
// is room, and nothing is done while the cloud is at work.
func ExampleNext() {
	want := havip.Want{Instance: "i-db2", Release: "i-db1"}
	failed := map[string]bool{"i-db1": true}
	for _, have := range []havip.HAVIP{
		{Status: havip.InUse, Holders: []string{"i-db1"}, Limit: 2, Failed: failed},
		{Status: havip.Associating, Holders: []string{"i-db1"}, Limit: 2, Failed: failed},
		{Status: havip.InUse, Holders: []string{"i-db1", "i-db2"}, Limit: 2, Failed: failed, Serving: "i-db2"},
		{Status: havip.InUse, Holders: []string{"i-db2"}, Limit: 2, Failed: failed, Serving: "i-db2"},
	} {
		fmt.Println(have.Status, have.Holders, havip.Next(want, have))
	}
	// Output:
	// InUse [i-db1] Attach
	// Associating [i-db1] Wait
	// InUse [i-db1 i-db2] Detach
	// InUse [i-db2] Done
}

// A recover of a person: want names what was asked, and what was omitted is chosen.
func ExampleChoose() {
	p := havip.Policy{Hold: 1, Members: []havip.Member{{ID: "i-db1", Instance: "i-db1"}, {ID: "i-db2", Instance: "i-db2"}}}
	have := havip.HAVIP{Status: havip.InUse, Holders: []string{"i-db1"}, Limit: 2}
	want := havip.Choose(p, have, havip.Story{Origin: havip.Origin{Ask: havip.Ask{Kind: havip.AskRecover, Release: "i-db1"}}})
	fmt.Println(want.Instance, want.Release)
	// Output: i-db2 i-db1
}

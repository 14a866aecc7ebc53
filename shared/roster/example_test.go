package roster_test

import (
	"fmt"

	"havip-functions/shared/roster"
)

func Example() {
	r, err := roster.Parse(roster.Builtin())
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := roster.Find(r.Policies(), "cache")
	if err != nil {
		fmt.Println(err)
		return
	}
	_, allowed := p.Member("i-elsewhere")
	fmt.Println(p.Key(), p.Hold, "of", len(p.Members), allowed)
	// Output: baidu.bj.havip-w2d4 1 of 3 false
}

func ExampleParse() {
	_, err := roster.Parse([]byte("havips:\n- {name: web, cloud: baidu, region: bj, id: havip-1, member: [i-1]}\n"))
	fmt.Println(err)
	// Output:
	// line 2: havips[0].member: unknown key; did you mean members?
	// line 2: havips[0].members: missing or empty; name the instances that may hold it
}

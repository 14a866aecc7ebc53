package guard_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"havip-functions/shared/guard"
)

func ExampleGuard_Prove() {
	g := guard.Guard{Secrets: [][]byte{[]byte("new"), []byte("old")}}
	body := `{"specversion":"1.0"}`
	r := httptest.NewRequest(http.MethodPost, "/events", strings.NewReader(body))
	guard.Sign(r.Header, "msg-1", []byte(body), []byte("old"))
	fmt.Println(g.Prove(r, []byte(body)))
	fmt.Println(g.Prove(r, []byte(body+" ")))
	// Output:
	// reporter <nil>
	// stranger not proven who sends this: the signature does not fit; check the secret, and that nothing changes the body on its way
}

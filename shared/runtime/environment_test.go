package runtime_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/roster"
	"havip-functions/shared/runtime"
)

// A roster in a store is read in the call's region and with the call's keys.
func TestFunctionsReadTheRosterAsTheCall(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if by := r.Header.Get("Authorization"); !strings.Contains(by, "Credential=of-the-call/") || !strings.Contains(by, "/cn-hangzhou/oss/") {
			t.Errorf("it came with %s", by)
		}
		w.Write(roster.Builtin())
	}))
	defer s.Close()
	env := runtime.Environment{Log: runtime.NewLog(io.Discard), Getenv: func(name string) string {
		return map[string]string{"HAVIP_ROSTER": "oss://havip-config/roster.yaml?endpoint=" + s.URL}[name]
	}}
	functions, err := env.Functions(t.Context(), func(runtime.Call) flow.Bus { return nil })
	if err != nil {
		t.Fatal(err)
	}
	function, err := functions(t.Context(), runtime.Call{Region: "cn-hangzhou", Credentials: havip.Credentials{AccessKeyID: "of-the-call", AccessKeySecret: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(function.(flow.Function).Keeper.Roster.Policies()); got != 2 {
		t.Errorf("it holds %d HAVIPs", got)
	}
}

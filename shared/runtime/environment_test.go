package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger/ledgertest"
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

// A ledger of Alibaba's is opened once, and signed for with the keys of the newest call.
func TestTheLedgerIsSignedForAsTheCall(t *testing.T) {
	first, second := havip.Credentials{AccessKeyID: "STS.1", AccessKeySecret: "1", SecurityToken: "t1"}, havip.Credentials{AccessKeyID: "STS.2", AccessKeySecret: "2", SecurityToken: "t2"}
	table := ledgertest.NewTablestore(t)
	env := runtime.Environment{Log: runtime.NewLog(io.Discard), Getenv: func(name string) string {
		return map[string]string{"HAVIP_ROSTER": string(roster.Builtin()), "HAVIP_LEDGER": table.Address()}[name]
	}}
	functions, err := env.Functions(t.Context(), func(runtime.Call) flow.Bus { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, keys := range []havip.Credentials{first, second, {}} { // the last call brings none
		if keys.AccessKeyID != "" {
			table.Know(keys)
		}
		function, err := functions(t.Context(), runtime.Call{Region: "cn-hangzhou", Credentials: keys})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := function.(flow.Function).Ledger.Now(t.Context()); err != nil {
			t.Errorf("with %q: %v", keys.AccessKeyID, err)
		}
	}
}

// A ledger of Alibaba's is in the function's own region unless its address says otherwise.
func TestTheLedgerIsInTheFunctionsRegion(t *testing.T) {
	none := func(context.Context) (havip.Credentials, error) {
		return havip.Credentials{}, errors.New("no call has come")
	}
	for region, want := range map[string]string{"": "no region is known", "cn-hangzhou": ""} {
		env := runtime.Environment{Getenv: func(name string) string {
			return map[string]string{"HAVIP_LEDGER": "tablestore://havip-functions/havip_ledger", "FC_REGION": region}[name]
		}}
		if _, err := env.Ledger(t.Context(), none); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("in %q: %v, want %q", region, err, want)
		}
	}
}

// The functions say once which ledger they go by, and what is weaker without one.
func TestFunctionsSayWhichLedger(t *testing.T) {
	host, table := ledgertest.Redis(t, "--requirepass", "a-password").Host, ledgertest.NewTablestore(t)
	for where, want := range map[string]string{
		"":                            `"level":"WARN","msg":"no ledger: HAVIP_LEDGER is empty","weaker":"a copy of an event may call the cloud again;`,
		"redis://:a-password@" + host: `"level":"INFO","msg":"ledger","kind":"redis","at":"` + host + `"`,
		table.Address():               `"level":"INFO","msg":"ledger","kind":"tablestore","at":"havip-functions"`,
	} {
		var said bytes.Buffer
		env := runtime.Environment{Log: runtime.NewLog(&said), Getenv: func(name string) string {
			return map[string]string{"HAVIP_ROSTER": string(roster.Builtin()), "HAVIP_LEDGER": where}[name]
		}}
		if _, err := env.Functions(t.Context(), func(runtime.Call) flow.Bus { return nil }); err != nil {
			t.Fatal(err)
		}
		if text := said.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, want) || strings.Contains(text, "a-password") {
			t.Errorf("with %q it says %s, want %s", where, text, want)
		}
	}
}

func TestProberIsOnOrOff(t *testing.T) {
	for said, want := range map[string]string{"": "no probe is called x", "on": "no probe is called x", "off": "HAVIP_PROBE=off"} {
		env := runtime.Environment{Getenv: func(string) string { return said }}
		ask, err := env.Prober()
		if err != nil {
			t.Fatal(err)
		}
		if err := ask(t.Context(), havip.Probe{How: "x"}, netip.Addr{}); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", said, err, want)
		}
	}
	if _, err := (runtime.Environment{Getenv: func(string) string { return "no" }}).Prober(); err == nil || !strings.Contains(err.Error(), "on nor off") {
		t.Errorf("got %v", err)
	}
}

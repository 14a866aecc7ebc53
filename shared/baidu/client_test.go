package baidu_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/baidu"
	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
)

// TestTimeout has the cloud take twenty seconds, on virtual time.
func TestTimeout(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{0: 10 * time.Second, 15 * time.Second: 15 * time.Second, 30 * time.Second: 20 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			sim, err := simulator.New(simulator.Options{Faults: []simulator.Fault{{Delay: 20 * time.Second}}})
			if err != nil {
				t.Fatal(err)
			}
			defer sim.Close()
			cloud := baidu.New(baidu.Config{Region: "bj", Transport: sim.Transport(), Timeout: timeout, Credentials: static(testKeys)})
			began := time.Now()
			_, err = cloud.Get(t.Context(), orders.HAVIP)
			if took := time.Since(began); took != want || (err == nil) != (timeout > want) {
				t.Errorf("with a time-out of %v it took %v: %v", timeout, took, err)
			}
		})
	}
}

// TestEndpoints wants HTTPS to the vendor, unless something else is said.
func TestEndpoints(t *testing.T) {
	tests := []struct {
		config baidu.Config
		want   string
	}{
		{baidu.Config{}, "https://bcc.bj.baidubce.com https://bcc.bj.baidubce.com"},
		{baidu.Config{Endpoint: "bcc.{region}.test"}, "https://bcc.bj.test https://bcc.bj.test"},
		{baidu.Config{Endpoint: "http://127.0.0.1:9102"}, "http://127.0.0.1:9102 http://127.0.0.1:9102"},
	}
	for _, tt := range tests {
		var asked recorder
		tt.config.Transport, tt.config.Region, tt.config.Credentials = &asked, "bj", static(testKeys)
		cloud := baidu.New(tt.config)
		_, err := cloud.Get(t.Context(), orders.HAVIP)
		_, bccErr := cloud.States(t.Context(), []string{"i-syG1"})
		if err == nil || bccErr == nil {
			t.Error("it serves without a cloud")
		}
		if got := strings.Join(asked, " "); got != tt.want {
			t.Errorf("asked %s, want %s", got, tt.want)
		}
	}
}

// recorder notes the hosts that it is asked for, and reaches none.
type recorder []string

func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	*r = append(*r, req.URL.Scheme+"://"+req.URL.Host)
	return nil, errors.New("not reached")
}

// TestSessionToken signs with temporary keys.
func TestSessionToken(t *testing.T) {
	realm := simulator.Builtin().Baidu[0]
	realm.SecurityTokens = map[string]string{"testak": "t0ken/+="}
	sim, err := simulator.New(simulator.Options{World: simulator.World{Baidu: simulator.Realms{realm}}})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	server := httptest.NewServer(sim.Baidu())
	defer server.Close()
	for token, want := range map[string]error{"t0ken/+=": nil, "another": havip.ErrRefused, "": havip.ErrRefused} {
		keys := testKeys
		keys.SecurityToken = token
		cloud := baidu.New(baidu.Config{Region: "bj", Endpoint: server.URL, Credentials: static(keys)})
		if _, err := cloud.Get(context.Background(), orders.HAVIP); !errors.Is(err, want) {
			t.Errorf("with the token %q: %v, want %v", token, err, want)
		}
	}
}

// TestCredentialsAreRefreshed asks for the keys of each call anew.
func TestCredentialsAreRefreshed(t *testing.T) {
	world := simulator.Builtin()
	world.Baidu[0].AccessKeys = map[string]string{"ak1": "sk1", "ak2": "sk2"}
	world.Baidu[0].SecurityTokens = map[string]string{"ak1": "tok1", "ak2": "tok2"}
	sim, err := simulator.New(simulator.Options{World: world})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	n := 0
	cloud := baidu.New(baidu.Config{Region: "bj", Transport: sim.Transport(), Credentials: func(context.Context) (havip.Credentials, error) {
		n++
		return havip.Credentials{AccessKeyID: fmt.Sprint("ak", n), AccessKeySecret: fmt.Sprint("sk", n), SecurityToken: fmt.Sprint("tok", n)}, nil
	}})
	for range 2 {
		if _, err := cloud.Get(t.Context(), orders.HAVIP); err != nil {
			t.Error(err)
		}
	}
	calls := sim.Calls(simulator.CallFilter{})
	if len(calls) != 2 || calls[0].AccessKeyID != "ak1" || calls[1].AccessKeyID != "ak2" {
		t.Errorf("the calls are %+v", calls)
	}
}

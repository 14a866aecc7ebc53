package fc_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/runtime"
	"havip-functions/shared/runtime/fc"
	"havip-functions/shared/runtime/runtimetest"
)

func TestListenAndServeNamesABadPort(t *testing.T) {
	busy, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	_, taken, _ := net.SplitHostPort(busy.Addr().String())
	for name, tt := range map[string]struct {
		env  map[string]string
		want string
	}{
		"FC's own":  {map[string]string{"FC_SERVER_PORT": "http", "FC_CUSTOM_LISTEN_PORT": "1"}, `"http" in FC_SERVER_PORT`},
		"the older": {map[string]string{"FC_CUSTOM_LISTEN_PORT": "70000"}, `"70000" in`},
		"taken":     {map[string]string{"FC_SERVER_PORT": taken}, "port " + taken + " can't be listened on"},
	} {
		t.Run(name, func(t *testing.T) {
			err := fc.Custom{}.ListenAndServe(t.Context(), func(k string) string { return tt.env[k] })
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// A call that is under way when FC stops the instance is answered, and nothing
// is served after it.
func TestServeFinishesItsCalls(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	under, release := make(chan struct{}), make(chan struct{})
	h := fc.Custom{Log: runtimetest.Quiet(), Lines: io.Discard, Functions: func(context.Context, runtime.Call) (runtime.Invoker, error) {
		return runtimetest.Func(func(context.Context, []byte) error {
			close(under)
			<-release
			return nil
		}), nil
	}}
	l, served := serve(ctx, t, h)
	d := driver{url: "http://" + l}
	answered := make(chan *failure)
	go func() { answered <- d.call(t, "POST /invoke", "") }()
	<-under
	stop()
	untilClosed(t, l)
	select {
	case err := <-served:
		t.Fatalf("it ended before its call: %v", err)
	default:
	}
	close(release)
	expect(t, <-answered, nil)
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// untilClosed returns once nothing listens at the address any more, and what
// follows from that has had its time.
func untilClosed(t *testing.T, address string) {
	t.Helper()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	for range 500 {
		conn, err := net.Dial("tcp", address)
		<-every.C
		if err != nil {
			return
		}
		conn.Close()
	}
	t.Fatal("it still listens")
}

func serve(ctx context.Context, t *testing.T, h fc.Custom) (address string, served <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- h.Serve(ctx, l) }()
	return l.Addr().String(), done
}

func TestServeKeepsConnections(t *testing.T) {
	address, _ := serve(t.Context(), t, fc.Custom{Functions: runtimetest.Scripted, Log: runtimetest.Quiet(), Lines: io.Discard})
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for range 2 {
		if _, err := io.WriteString(conn, "POST /invoke HTTP/1.1\r\nHost: fc\r\nContent-Length: 4\r\n\r\nfail"); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("the connection did not outlive a failure: %v", err)
		}
		if _, err := io.Copy(io.Discard, answer.Body); err != nil {
			t.Fatal(err)
		}
	}
}

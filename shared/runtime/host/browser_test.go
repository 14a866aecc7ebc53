package host_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/ledger/ledgertest"
	"havip-functions/shared/roster"
	"havip-functions/shared/runtime/host"
	"havip-functions/shared/simulator"
)

// chromium is this machine's browser, with what drives it.
func chromium(t testing.TB) string {
	t.Helper()
	browser, missing := exec.LookPath("chromium")
	if _, err := exec.LookPath("node"); err != nil {
		missing = err
	}
	if _, err := os.Stat("testdata/browser/node_modules"); err != nil {
		missing = err
	}
	ledgertest.Need(t, missing, "install Chromium and Node, and run npm ci --prefix shared/runtime/host/testdata/browser")
	return browser
}

// TestConsoleInABrowser: each scene of page.mjs, in the Chromium of this machine.
func TestConsoleInABrowser(t *testing.T) {
	browser := chromium(t)
	for _, scene := range []string{"failover", "recover", "freeze", "redrive", "scriptless", "stalled"} {
		t.Run(scene, func(t *testing.T) {
			w := stage(t)
			if scene == "redrive" {
				w.bury(t)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "node", filepath.Join("testdata", "browser", "page.mjs"), scene, w.page(scene), w.hand.URL) //nolint:gosec // our own
			cmd.Env = append(os.Environ(), "CHROMIUM="+browser)
			cmd.WaitDelay = 10 * time.Second
			if text, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, text)
			}
		})
	}
}

// world is a host before a simulated cloud, and the hand that moves both.
type world struct {
	host *host.Host
	sim  *simulator.Simulator
	wire *wire
	hand *httptest.Server
}

func stage(t *testing.T) *world {
	t.Helper()
	list, err := roster.Parse([]byte(strings.Split(string(roster.Builtin()), "  - name: cache")[0]))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{sim: simulated(t)}
	w.host = serve(t, w.sim, host.Config{Data: t.TempDir(), Roster: list})
	w.wire = listen(t, w.host.Addr)
	mux := http.NewServeMux()
	mux.Handle("/", w.sim.Control())
	mux.HandleFunc("PUT /stall", func(http.ResponseWriter, *http.Request) { w.wire.stall(true) })
	mux.HandleFunc("PUT /flow", func(http.ResponseWriter, *http.Request) { w.wire.stall(false) })
	mux.HandleFunc("PUT /event", func(http.ResponseWriter, *http.Request) { outcome(t, w.host, first(t, w.host, "meanwhile")) })
	w.hand = httptest.NewServer(mux)
	t.Cleanup(w.hand.Close)
	return w
}

// bury leaves a dead letter behind: a list of events that says it is one event.
func (w *world) bury(t *testing.T) {
	t.Helper()
	r := request(t, http.MethodPost, "http://"+w.host.Addr+"/events", "Content-Type: application/cloudevents+json")
	text := "[" + started("buried") + "]"
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	if status, answer := send(t, r); status != http.StatusBadRequest {
		t.Fatalf("%d %s", status, answer)
	}
}

// page is where the browser looks: past the wire where that is to stall.
func (w *world) page(scene string) string {
	if scene == "stalled" {
		return "http://" + w.wire.Addr().String()
	}
	return "http://" + w.host.Addr
}

// wire carries connections until it stalls: those that stand then stay silent for good,
// and new ones wait.
type wire struct {
	net.Listener
	to string

	mu      sync.Mutex
	stalled chan struct{} // closed while it stalls
	flows   chan struct{} // closed while it flows
}

func listen(t *testing.T, to string) *wire {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, to: to, stalled: make(chan struct{}), flows: make(chan struct{})}
	close(w.flows)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go w.carry(conn)
		}
	}()
	return w
}

func (w *wire) stall(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if yes {
		close(w.stalled)
		w.flows = make(chan struct{})
		return
	}
	w.stalled = make(chan struct{})
	close(w.flows)
}

func (w *wire) carry(from net.Conn) {
	w.mu.Lock()
	stalled, flows := w.stalled, w.flows
	w.mu.Unlock()
	<-flows
	to, err := net.Dial("tcp", w.to) //nolint:noctx // it ends with the test
	if err != nil {
		_ = from.Close()
		return
	}
	go silenced(to, from, stalled)
	silenced(from, to, stalled)
}

// silenced copies until the wire stalls.
func silenced(to, from net.Conn, stalled <-chan struct{}) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		select {
		case <-stalled:
			return // neither a word nor an end
		default:
		}
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			_ = to.Close()
			return
		}
	}
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/ledger/ledgertest"
)

// functionCompute plays Function Compute: it starts instances, calls them,
// believes x-fc-status alone, tries again what failed, and keeps as dead what
// failed for good. Asynchronous calls come in at its endpoint.
type functionCompute struct {
	t        *testing.T
	habits   habits
	endpoint *httptest.Server
	instance instance
	timeout  int // of a function, in seconds
	calls    counter
	known    sync.Map // ids of the asynchronous events that were refused or cut once
	busy     sync.WaitGroup
	ctx      context.Context

	mu     sync.Mutex
	dead   []call
	taken  int // asynchronous calls
	failed int // tries
}

// instance runs one call and tells whether FC counts it a success. It has room
// for as many at once as it took.
type instance interface {
	room() chan struct{}
	run(ctx context.Context, c call, header http.Header) (succeeded bool, err error)
	logs() []*output
}

// call is one invocation of a function.
type call struct {
	function string
	payload  []byte
	retry    int
}

const tries = 9 // of an asynchronous call, as s.yaml has it

// openFC plays FC in front of custom runtimes or of go1 ones.
func openFC(t *testing.T, c clouds, h habits, open func(*testing.T, []string) instance, env ...string) *functionCompute {
	t.Helper()
	f := &functionCompute{t: t, habits: h, timeout: 60}
	if h.timeout > 0 {
		f.timeout = h.timeout
	}
	var stop context.CancelFunc
	f.ctx, stop = context.WithCancel(context.WithoutCancel(t.Context()))
	f.endpoint = httptest.NewServer(http.HandlerFunc(f.serveAsync))
	t.Cleanup(func() { // calls may still be under way, of a test that failed
		stop()
		f.busy.Wait()
		f.endpoint.Close()
	})
	f.instance = open(t, append(append(env, "HAVIP_FC_ENDPOINT="+f.endpoint.URL), c.env...))
	return f
}

// async delivers a call until it succeeds, or buries it.
func (f *functionCompute) async(c call, after time.Duration) {
	f.busy.Go(func() {
		select {
		case <-time.After(after):
		case <-f.ctx.Done():
			return
		}
		for c.retry = 0; c.retry < tries; c.retry++ {
			if f.call(c) || f.ctx.Err() != nil {
				return
			}
			f.mu.Lock()
			f.failed++
			f.mu.Unlock()
			if f.habits.rests { // outside of its room
				<-time.After(500 * time.Millisecond << c.retry)
			}
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.dead = append(f.dead, c)
	})
}

// call makes one call with credentials of its own.
func (f *functionCompute) call(c call) bool {
	room := f.instance.room()
	room <- struct{}{}
	defer func() { <-room }()
	n := f.calls.next()
	k := keys(n)
	header := http.Header{}
	for name, value := range map[string]string{
		"x-fc-request-id": fmt.Sprintf("request-%d", n), "x-fc-region": region, "x-fc-account-id": account,
		"x-fc-function-name": c.function, "x-fc-function-timeout": strconv.Itoa(f.timeout),
		"x-fc-function-type": "0", "x-fc-retry-count": strconv.Itoa(c.retry), "x-fc-qualifier": "LATEST",
		"x-fc-access-key-id": k.AccessKeyID, "x-fc-access-key-secret": k.AccessKeySecret, "x-fc-security-token": k.SecurityToken,
		"x-fc-function-deadline": strconv.FormatInt(time.Now().Add(time.Duration(f.timeout)*time.Second).UnixMilli(), 10),
	} {
		header.Set(name, value)
	}
	ctx, cancel := context.WithTimeout(f.ctx, time.Duration(f.timeout)*time.Second)
	defer cancel()
	succeeded, err := f.instance.run(ctx, c, header)
	if err != nil && ctx.Err() == nil { // one that is out of time has merely failed
		f.t.Errorf("call %d of %s: %v", n, c.function, err)
	}
	return succeeded
}

func (f *functionCompute) deadLetters() []call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.dead
}

func (f *functionCompute) followUps() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.taken
}

// custom is an instance of the custom runtime.
type custom struct {
	process
	url   string
	slots chan struct{} // instanceConcurrency
}

// openCustom starts one; as FC's, its port opens when it is ready, late.
func openCustom(t *testing.T, env []string) instance {
	t.Helper()
	for {
		address := "127.0.0.1:" + ledgertest.Port(t)
		_, port, _ := net.SplitHostPort(address)
		p := start(t, append(slices.Clone(env), "FC_SERVER_PORT="+port))
		taken := false
		eventually(t, "the port opens", func() bool {
			taken = strings.Contains(p.log.String(), "can't be listened on") // by another test
			return taken || listens(address)
		})
		if !taken {
			return custom{p, "http://" + address, make(chan struct{}, 20)}
		}
	}
}

func listens(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

func (c custom) logs() []*output { return []*output{c.log} }

func (c custom) room() chan struct{} { return c.slots }

func (c custom) run(ctx context.Context, do call, header http.Header) (bool, error) {
	return post(ctx, c.url+"/invoke", do.payload, header)
}

// post makes a call and judges it as FC does: whatever lacks x-fc-status 404 is
// a success.
func post(ctx context.Context, url string, payload []byte, header http.Header) (bool, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(payload))
	if err != nil {
		return false, err
	}
	r.Header = header
	r.Header.Set("Content-Type", "application/octet-stream")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.Header.Get("x-fc-status") != "404", err
}

// A failure that is told by the status alone is none to FC: the event is lost.
func TestAStatusAloneLosesTheEvent(t *testing.T) {
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		lost   bool
	}{
		"a bare 500": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, true},
		"with x-fc-status": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("x-fc-status", "404")
			w.WriteHeader(http.StatusNotFound)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(tt.answer)
			defer s.Close()
			f := openFC(t, clouds{}, habits{}, func(*testing.T, []string) instance {
				return custom{process{}, s.URL, make(chan struct{}, 1)}
			})
			f.async(call{function: "havip-health-failed", payload: []byte("{}")}, 0)
			f.busy.Wait()
			if lost := len(f.deadLetters()) == 0; lost != tt.lost {
				t.Errorf("lost: %t, want %t", lost, tt.lost)
			}
		})
	}
}

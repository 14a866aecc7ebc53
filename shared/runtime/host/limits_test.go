package host_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/guard"
	"havip-functions/shared/runtime/host"
)

func TestRateOfOneSource(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir(), Limits: host.Limits{Rate: 5}})
	count := map[int]int{}
	for range 30 {
		r := request(t, http.MethodGet, "http://"+h.Addr+"/healthz", "")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		count[answer.StatusCode]++
		if answer.StatusCode == http.StatusTooManyRequests && answer.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	if ok := count[http.StatusOK]; ok < 10 || ok > 20 || ok+count[http.StatusTooManyRequests] != 30 {
		t.Errorf("answers by status: %v, want 10 at once and 5 a second", count)
	}
}

// A proxy that was named speaks for others, each of whom has a rate of his own;
// from anybody else such words count for nothing.
func TestBehindAProxy(t *testing.T) {
	for name, tt := range map[string]struct {
		proxies []netip.Prefix
		want    int
	}{
		"named": {[]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, 20},
		"not":   {nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			h := serve(t, simulated(t), host.Config{Data: t.TempDir(), Limits: host.Limits{Rate: 0.01, Connections: 1, Proxies: tt.proxies}})
			served := 0
			for i := range 20 {
				r := request(t, http.MethodGet, "http://"+h.Addr+"/healthz", fmt.Sprintf("X-Forwarded-For: 192.0.2.1, 198.51.100.%d", i))
				if status, _ := send(t, r); status == http.StatusOK {
					served++
				}
			}
			if served > tt.want || served < tt.want-1 {
				t.Errorf("%d of 20 were served, want %d", served, tt.want)
			}
		})
	}
}

// promised opens connections from a local address, each of which says that it brings
// a megabyte, and doesn't.
func promised(t *testing.T, h *host.Host, from string, count int, header string) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	for range count {
		conn, err := dialer.DialContext(t.Context(), "tcp", h.Addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_, _ = fmt.Fprintf(conn, "POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n{", header, 1<<20)
	}
}

// What bodies may take of the memory is bounded, whoever sends them, and those
// that wait keep nobody from being served.
func TestBodiesInFlight(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir()})
	for n := range 10 {
		promised(t, h, fmt.Sprintf("127.0.0.%d", 10+n), 4, "")
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(10 * time.Second); ; {
		status, _ := send(t, request(t, http.MethodPost, "http://"+h.Addr+"/events", "Content-Type: application/json"))
		if status == http.StatusServiceUnavailable {
			break
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("forty megabytes are taken in at once")
		}
	}
	r := request(t, http.MethodGet, "http://"+h.Addr+"/healthz", "")
	r.Body, r.ContentLength = nil, 0
	if status, _ := send(t, r); status != http.StatusOK {
		t.Errorf("meanwhile /healthz answers %d", status)
	}
}

// Neither who has proven nothing keeps those out who have, wherever he calls from,
// nor one source the others.
func TestNobodyTakesTheRoomOfOthers(t *testing.T) {
	const token = "reporter-reporter-reporter"
	tests := map[string]struct {
		guard  guard.Guard
		from   int // addresses
		header string
	}{
		"strangers where nothing is signed": {guard.Guard{Tokens: []string{token}}, 10, "Webhook-Signature: x\r\n"},
		"strangers that claim to sign":      {guard.Guard{Tokens: []string{token}, Secrets: [][]byte{[]byte("secret")}}, 10, "Webhook-Signature: x\r\n"},
		"strangers that claim a bridge":     {guard.Guard{Tokens: []string{token}}, 10, "x-eventbridge-signature-token: x\r\n"},
		"one reporter":                      {guard.Guard{Tokens: []string{token}}, 1, "Authorization: Bearer " + token + "\r\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := serve(t, simulated(t), host.Config{Data: t.TempDir(), Guard: tt.guard})
			for n := range tt.from {
				promised(t, h, fmt.Sprintf("127.0.0.%d", 10+n), 40/tt.from, tt.header)
			}
			for range 3 {
				r := request(t, http.MethodPost, "http://"+h.Addr+"/events", "Authorization: Bearer "+token)
				r.Header.Set("Content-Type", "application/json")
				if status, answer := send(t, r); status != http.StatusAccepted {
					t.Fatalf("%d %s", status, answer)
				}
			}
		})
	}
}

// Who is turned away again and again fills no log, whatever he asks for.
func TestRefusalsAreFew(t *testing.T) {
	log := &lines{}
	h := serve(t, simulated(t), host.Config{
		Data: t.TempDir(), Guard: guard.Guard{Tokens: []string{"reporter-reporter-reporter"}},
		Limits: host.Limits{Rate: 20}, Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	long := strings.Repeat("A", 60_000)
	begun := time.Now()
	for range 200 {
		send(t, request(t, http.MethodOptions, "http://"+h.Addr+"/events", "WebHook-Request-Origin: "+long))
		send(t, request(t, long, "http://"+h.Addr+"/api/stories", ""))
	}
	// Two at once and one each second, beside the lines of the start and of the stories.
	most := 20 + int(time.Since(begun).Seconds())
	log.Lock()
	defer log.Unlock()
	if log.count < 2 || log.count > most || log.bytes > 400*log.count {
		t.Errorf("400 requests left %d lines of %d bytes in the log", log.count, log.bytes)
	}
}

// lines counts what is logged.
type lines struct {
	sync.Mutex
	count, bytes int
}

// Write implements [io.Writer].
func (l *lines) Write(line []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	l.count++
	l.bytes += len(line)
	return len(line), nil
}

// What a body took is given back, however it was answered.
func TestRoomIsGivenBack(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir()})
	large := strings.Repeat(" ", 1<<20-1000) + "{}"
	for n := range 40 {
		r := request(t, http.MethodPost, "http://"+h.Addr+"/events", "Content-Type: application/json")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(large)), int64(len(large))
		if status, text := send(t, r); status != http.StatusBadRequest {
			t.Fatalf("body %d: %d %s", n, status, text)
		}
	}
}

// dial opens a connection and tells whether the host answers on it.
func dial(t *testing.T, h *host.Host) (net.Conn, bool) {
	t.Helper()
	conn, err := net.Dial("tcp", h.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_, _ = fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n") // a closed one shows below
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return conn, false
	}
	answer.Body.Close()
	return conn, true
}

func TestConnectionsOfOneSource(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir(), Limits: host.Limits{Connections: 3}})
	var open []net.Conn
	for range 3 {
		conn, answered := dial(t, h)
		if !answered {
			t.Fatal("refused too early")
		}
		open = append(open, conn)
	}
	if _, answered := dial(t, h); answered {
		t.Error("a fourth connection is answered")
	}
	open[0].Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(5 * time.Second); ; {
		if _, answered := dial(t, h); answered {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("a closed connection leaves no room for another")
		}
	}
}

// A sender that drips its request is cut off, and the others are served meanwhile.
func TestSlowSender(t *testing.T) {
	t.Parallel()
	h := serve(t, simulated(t), host.Config{Data: t.TempDir()})
	conn, err := net.Dial("tcp", h.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	closed := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, conn) // until it is cut off
		close(closed)
	}()
	_, _ = io.WriteString(conn, "POST /events HTTP/1.1\r\nHost: h\r\n")
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(15 * time.Second); ; {
		select {
		case <-closed:
			return
		case <-end:
			t.Fatal("it may drip for ever")
		case <-tick.C:
			_, _ = io.WriteString(conn, "X: y\r\n") // fails once it is cut off
			if status, _ := send(t, request(t, http.MethodGet, "http://"+h.Addr+"/healthz", "")); status != http.StatusOK {
				t.Fatalf("others are answered with %d", status)
			}
		}
	}
}

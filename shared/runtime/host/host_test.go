package host_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"havip-functions/shared/alibaba"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/roster"
	"havip-functions/shared/runtime/host"
	"havip-functions/shared/simulator"
)

// serve runs a host against the simulator until the test ends.
func serve(t testing.TB, sim *simulator.Simulator, c host.Config) *host.Host {
	t.Helper()
	return serveAt(t, "127.0.0.1:0", sim, c)
}

func serveAt(t testing.TB, addr string, sim *simulator.Simulator, c host.Config) *host.Host {
	t.Helper()
	list, err := roster.Parse(roster.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	if c.Roster == nil {
		c.Roster = list
	}
	c.Addr, c.Log = addr, cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	c.Clouds = func(_ context.Context, p havip.Policy, _ string) (havip.Cloud, havip.Fleet, error) {
		cloud := alibaba.New(alibaba.Config{
			Region: p.Region, Endpoint: "http://alibaba.sim", ECSEndpoint: "http://alibaba.sim", Transport: sim.Transport(),
			Credentials: func(context.Context) (havip.Credentials, error) {
				return havip.Credentials{AccessKeyID: "testak", AccessKeySecret: "testsk"}, nil
			},
		})
		return cloud, cloud, nil
	}
	ctx, stop := context.WithCancel(context.Background())
	h, err := host.Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return h
}

func simulated(t testing.TB) *simulator.Simulator {
	t.Helper()
	sim, err := simulator.New(simulator.Options{AssociateTime: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	return sim
}

// ask makes a call to the host and decodes its answer.
func ask(t testing.TB, h *host.Host, method, path, body string) (int, map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+h.Addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	_ = json.Unmarshal(text, &v) // some answers are words
	return answer.StatusCode, v
}

func started(id string) string {
	return fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"test","type":"havip.instance.started",
		"data":{"cloud":"alibaba","region":"cn-hangzhou","instance":"i-db1"}}`, id)
}

// first posts an event and returns its story's id.
func first(t testing.TB, h *host.Host, id string) string {
	t.Helper()
	status, v := ask(t, h, http.MethodPost, "/events", started(id))
	if status != http.StatusAccepted {
		t.Fatalf("%d %v", status, v)
	}
	return v["accepted"].([]any)[0].(map[string]any)["stories"].([]any)[0].(string)
}

// outcome waits until a host tells how the story ended.
func outcome(t testing.TB, h *host.Host, story string) map[string]any {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(20 * time.Second); ; {
		if _, v := ask(t, h, http.MethodGet, "/api/stories/"+story, ""); v["outcome"] != nil {
			return v
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("the story never ends")
		}
	}
}

// lacks names the members that scripts of other people's lean on and are missing.
func lacks(v any, members string) []string {
	have := v.(map[string]any)
	var missing []string
	for _, m := range strings.Fields(members) {
		if !slices.Contains(slices.Collect(maps.Keys(have)), m) {
			missing = append(missing, m)
		}
	}
	return missing
}

func TestTheShapesThatScriptsLeanOn(t *testing.T) {
	sim := simulated(t)
	h := serve(t, sim, host.Config{Data: t.TempDir()})
	ended := outcome(t, h, first(t, h, "1"))
	if ended["outcome"] != "attached" || ended["released"] != true {
		t.Errorf("%v", ended)
	}
	_, stories := ask(t, h, http.MethodGet, "/api/stories?havip=orders-db", "")
	_, views := ask(t, h, http.MethodGet, "/api/havips", "")
	_, dead := ask(t, h, http.MethodGet, "/api/deadletters", "")
	view := views["havips"].([]any)[0].(map[string]any)
	for what, missing := range map[string][]string{
		"story": lacks(ended, "id event cloud region havip want attempt startedAt deadline endedAt outcome released reason steps"),
		"event": lacks(ended["event"], "source id type"),
		"want":  lacks(ended["want"], "instance release force"),
		"step":  lacks(ended["steps"].([]any)[0], "at step instance clientToken requestId code result ms"),
		"list":  lacks(stories, "stories next"),
		"view":  lacks(view, "name cloud account region id status holders serving hold limit mode readAt story"),
		"dead":  lacks(dead, "deadLetters"),
	} {
		if len(missing) > 0 {
			t.Errorf("%s lacks %v", what, missing)
		}
	}
	if view["serving"] != "i-db1" || view["story"] != nil {
		t.Errorf("%v", view)
	}
	for path, want := range map[string]int{
		"/healthz": 200, "/readyz": 200, "/metrics": 200, "/": 200, "/api/stories/none": 404, "/nowhere": 404,
	} {
		if status, _ := ask(t, h, http.MethodGet, path, ""); status != want {
			t.Errorf("GET %s: %d, want %d", path, status, want)
		}
	}
}

func TestWhatNobodyCanReadIsKept(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir()})
	if status, v := ask(t, h, http.MethodPost, "/events", `{"hello`); status != http.StatusBadRequest {
		t.Errorf("%d %v", status, v)
	}
	_, v := ask(t, h, http.MethodGet, "/api/deadletters", "")
	letters := v["deadLetters"].([]any)
	if len(letters) != 1 {
		t.Fatalf("%v", v)
	}
	if missing := lacks(letters[0], "id scope type reason attempts firstAt lastAt size"); len(missing) > 0 {
		t.Errorf("a dead letter lacks %v", missing)
	}
	letter := letters[0].(map[string]any)
	if letter["scope"] != "operator" || letter["size"] != 7.0 || letter["bytes"] != nil {
		t.Errorf("listed is %v", letter)
	}
	if _, one := ask(t, h, http.MethodGet, "/api/deadletters/"+letter["id"].(string), ""); one["bytes"] != "eyJoZWxsbw==" {
		t.Errorf("its bytes are %v", one)
	}
	if status, _ := ask(t, h, http.MethodGet, "/api/deadletters/none", ""); status != http.StatusNotFound {
		t.Errorf("one that is not there: %d", status)
	}
}

// oneNode is a NATS of one node.
func oneNode(t *testing.T) *server.Server {
	t.Helper()
	nats, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	nats.Start()
	t.Cleanup(nats.Shutdown)
	if !nats.ReadyForConnections(10 * time.Second) {
		t.Fatal("no NATS")
	}
	return nats
}

// TestTwoHostsShareACluster: what one host admits, the other may finish.
func TestTwoHostsShareACluster(t *testing.T) {
	nats := oneNode(t)
	sim := simulated(t)
	one := serve(t, sim, host.Config{NATS: ledger.NATS{URLs: nats.ClientURL()}})
	two := serve(t, sim, host.Config{NATS: ledger.NATS{URLs: nats.ClientURL()}})
	story := first(t, one, "1")
	if again := first(t, two, "1"); again != story {
		t.Errorf("the duplicate at the other host has story %s, not %s", again, story)
	}
	if o := outcome(t, two, story); o["outcome"] != "attached" {
		t.Errorf("%v", o)
	}
	if calls := sim.Calls(simulator.CallFilter{Operation: "AssociateHaVip"}); len(calls) != 1 {
		t.Errorf("%d attach calls", len(calls))
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	for _, test := range []struct {
		config host.Config
		says   string
	}{
		{host.Config{Addr: "0.0.0.0:0", Data: t.TempDir()}, "loopback"},
		{host.Config{Addr: "here", Data: t.TempDir()}, "host:port"},
		{host.Config{Addr: "127.0.0.1:0", Data: "/dev/null/data"}, "--data"},
		{host.Config{Addr: "127.0.0.1:0", NATS: ledger.NATS{URLs: "nats://127.0.0.1:1"}}, "--nats"},
	} {
		test.config.Log = slog.New(slog.DiscardHandler)
		if _, err := host.Open(t.Context(), test.config); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%+v: %v, want %q", test.config, err, test.says)
		}
	}
}

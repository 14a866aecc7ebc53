package host_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/ledger"
	"havip-functions/shared/runtime/host"
)

// audited are the entries that a host has, each as kind, scope and actor; once there are
// so many.
func audited(t *testing.T, h *host.Host, most int) []string {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(20 * time.Second); ; {
		_, v := ask(t, h, http.MethodGet, "/api/audit?after=0", "")
		var found []string
		for _, l := range v["lines"].([]any) {
			e := l.(map[string]any)["entry"].(map[string]any)
			found = append(found, strings.TrimSpace(fmt.Sprint(e["kind"], " ", e["scope"], " ", orEmpty(e["actor"]), " ", orEmpty(e["reason"]))))
		}
		if len(found) >= most {
			slices.Sort(found) // stories are written down beside what people do
			return found
		}
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("only %q", found)
		}
	}
}

func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}

// What called a cloud or was asked for by a person is written down, also what was to be
// done and could not; and how many were turned away, when the host stops at the latest.
// What looked alone is not.
func TestAudit(t *testing.T) {
	data, sim := t.TempDir(), simulated(t)
	want := []string{"freeze operator bob network", "lift operator ann over", "redrive operator eve again", "story reporter"}
	t.Run("done", func(t *testing.T) {
		h := serve(t, sim, host.Config{Data: data})
		outcome(t, h, first(t, h, "1"))
		if o := outcome(t, h, first(t, h, "2")); o["outcome"] != "unchanged" {
			t.Errorf("%v", o)
		}
		for path, body := range map[string]string{
			"/api/freeze":                     fmt.Sprintf(`{"all":true,"until":%q,"reason":"network","actor":"bob"}`, time.Now().Add(time.Hour).Format(time.RFC3339)),
			"/api/lift":                       `{"actor":"ann","reason":"over"}`,
			"/api/deadletters/nobody/redrive": `{"reason":"again","actor":"eve"}`,
			"/api/plan":                       started("3"),
		} {
			ask(t, h, http.MethodPost, path, body)
		}
		if got := audited(t, h, len(want)); !slices.Equal(got, want) {
			t.Errorf("there are\n%q, want\n%q", got, want)
		}
		for range 3 {
			if status, _ := send(t, request(t, http.MethodGet, "http://"+h.Addr+"/api/havips", "X-Forwarded-For: 192.0.2.1")); status != http.StatusUnauthorized {
				t.Error(status)
			}
		}
		if status, _ := ask(t, h, http.MethodGet, "/api/audit", ""); status != http.StatusBadRequest {
			t.Errorf("behind nothing: %d", status)
		}
	})
	h := serve(t, sim, host.Config{Data: data})
	want = append(want[:3:3], "refused stranger", want[3])
	if got := audited(t, h, len(want)); !slices.Equal(got, want) {
		t.Errorf("after a restart there are\n%q, want\n%q", got, want)
	}
	_, v := ask(t, h, http.MethodGet, "/api/audit?after=4", "")
	if text := fmt.Sprint(v); !strings.Contains(text, "requests:3") {
		t.Errorf("who was turned away is %s", text)
	}
}

// A person is told where nothing can be written down, and then nothing is done.
func TestNothingIsDoneByHandUnwritten(t *testing.T) {
	engine, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	engine.Start()
	t.Cleanup(engine.Shutdown)
	if !engine.ReadyForConnections(10 * time.Second) {
		t.Fatal("no NATS")
	}
	h := serve(t, simulated(t), host.Config{NATS: ledger.NATS{URLs: engine.ClientURL()}})
	conn, err := nats.Connect(engine.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), "HAVIP-AUDIT"); err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"havip":"orders-db","until":%q,"reason":"network"}`, time.Now().Add(time.Hour).Format(time.RFC3339))
	if status, v := ask(t, h, http.MethodPost, "/api/freeze", body); status != http.StatusServiceUnavailable {
		t.Errorf("%d %v", status, v)
	}
	_, v := ask(t, h, http.MethodGet, "/api/havips?havip=orders-db", "")
	if frozen := v["havips"].([]any)[0].(map[string]any)["frozen"]; frozen != nil {
		t.Errorf("frozen is %v", frozen)
	}
}

package runtime_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"havip-functions/events"
	"havip-functions/shared/accounts"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/roster"
	"havip-functions/shared/runtime"
	"havip-functions/shared/runtime/fc"
	"havip-functions/shared/runtime/host"
	"havip-functions/shared/simulator"
)

// How many frames of ours a reader passes at the most, down to the SDK's call.
const (
	fromInvoke = 9
	fromSocket = 15
)

// What a reader passes from an event to the SDK's call is what docs/architecture.md says, on a
// host of others and on our own.
func TestJourney(t *testing.T) {
	for _, cloud := range []struct{ name, region, instance, client string }{
		{"alibaba", "cn-hangzhou", "i-db1", "/alibaba-cloud-sdk-go/"},
		{"baidu", "bj", "i-syG1", "/bce-sdk-go/"},
	} {
		t.Run(cloud.name, func(t *testing.T) {
			started, err := events.New("e1", time.Now(), events.InstanceStarted{Cloud: cloud.name, Region: cloud.region, Instance: cloud.instance}).CloudEvent()
			if err != nil {
				t.Fatal(err)
			}
			body, err := events.Encode(started)
			if err != nil {
				t.Fatal(err)
			}
			t.Run("Function Compute", func(t *testing.T) {
				road := travel(t, cloud.client, func(getenv func(string) string) {
					env := runtime.Environment{Getenv: getenv, Log: slog.New(slog.DiscardHandler)}
					f, err := env.Functions(t.Context(), func(runtime.Call) flow.Bus {
						return fc.Bus{Endpoint: "http://127.0.0.1:1", Credentials: accounts.New(getenv).Ambient()}
					})
					if err != nil {
						t.Fatal(err)
					}
					server := httptest.NewServer(fc.Custom{Functions: f, Log: env.Log, Lines: io.Discard})
					defer server.Close()
					post(t, server.URL+"/invoke", body)
				})
				if invoked := slices.Index(road, "flow.Function.Invoke"); len(road) > fromSocket || len(road)-invoked > fromInvoke {
					t.Errorf("%d frames, %d of them from flow.Function.Invoke; %d and %d are allowed:\n%s",
						len(road), len(road)-invoked, fromSocket, fromInvoke, strings.Join(road, "\n"))
				}
				told(t, "On Function Compute", cloud.name, road)
			})
			t.Run("a host of one's own", func(t *testing.T) {
				road := travel(t, cloud.client, func(getenv func(string) string) {
					file, err := roster.Open(getenv("HAVIP_ROSTER"))
					if err != nil {
						t.Fatal(err)
					}
					h, err := host.Open(t.Context(), host.Config{
						Addr: "127.0.0.1:0", Data: t.TempDir(), Roster: file, Log: slog.New(slog.DiscardHandler),
						Clouds: accounts.New(getenv).Clouds(havip.Credentials{}),
					})
					if err != nil {
						t.Fatal(err)
					}
					ctx, stop := context.WithCancel(t.Context())
					ended := make(chan error, 1)
					go func() { ended <- h.Serve(ctx) }()
					post(t, "http://"+h.Addr+"/events", body)
					t.Cleanup(func() {
						stop()
						if err := <-ended; err != nil {
							t.Error(err)
						}
					})
				})
				told(t, "On a host of your own", cloud.name, road)
			})
		})
	}
}

// travel goes the way of an event, and returns the frames of ours from the outermost
// to the SDK's call, as they stand when the call arrives at the cloud.
func travel(t *testing.T, sdk string, send func(getenv func(string) string)) []string {
	t.Helper()
	sim, err := simulator.New(simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer sim.Close()
	seen := make(chan []string, 10)
	look := func(next http.Handler) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(w, r)
			if road := roadTo(sdk); road != nil {
				seen <- road
			}
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	list := filepath.Join(t.TempDir(), "roster.yaml")
	if err := os.WriteFile(list, roster.Builtin(), 0o600); err != nil {
		t.Fatal(err)
	}
	alibaba, baidu := look(sim.Alibaba()), look(sim.Baidu())
	env := map[string]string{
		"HAVIP_ROSTER": list, "HAVIP_ALIBABA_ENDPOINT": alibaba, "HAVIP_ALIBABA_ECS_ENDPOINT": alibaba, "HAVIP_BAIDU_ENDPOINT": baidu,
		"ALIBABA_CLOUD_ACCESS_KEY_ID": "testak", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "testsk",
		"BCE_ACCESS_KEY_ID": "testak", "BCE_SECRET_ACCESS_KEY": "testsk",
	}
	send(func(name string) string { return env[name] })
	select {
	case road := <-seen:
		return road
	case <-time.After(time.Minute):
		t.Fatal("no call to attach arrived")
		return nil
	}
}

func attaches(frame string) bool { return strings.HasSuffix(frame, ".Attach") }

var (
	frame = regexp.MustCompile(`(?m)^(\S+)\(.*\)$`)
	bare  = strings.NewReplacer("(*", "", "(", "", ")", "", "[...]", "")
)

// roadTo finds who is in a call of the SDK, and the frames of ours that led there.
func roadTo(sdk string) []string {
	all := make([]byte, 4<<20)
	for stack := range strings.SplitSeq(string(all[:goruntime.Stack(all, true)]), "\n\n") {
		_, callers, in := strings.Cut(stack, sdk)
		if !in {
			continue
		}
		callers = callers[strings.LastIndex(callers, sdk)+1:]
		var road []string
		for _, f := range frame.FindAllStringSubmatch(callers, -1) {
			if name, ours := strings.CutPrefix(f[1], "havip-functions/"); ours && !strings.Contains(name, "_test.") {
				road = append(road, bare.Replace(name[strings.LastIndex(name, "/")+1:]))
			}
		}
		if slices.ContainsFunc(road, attaches) { // else it is a goroutine of the SDK's own
			slices.Reverse(road)
			return road
		}
	}
	return nil
}

func post(t *testing.T, url string, body []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/cloudevents+json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
}

var row = regexp.MustCompile("^\\| `(\\S+)` \\|")

// told compares the road, but for its closures, with the one in docs/architecture.md.
func told(t *testing.T, title, cloud string, road []string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "**"+title+"**")
	if !found {
		t.Fatalf("docs/architecture.md tells no journey %q", title)
	}
	var want []string
	for line := range strings.Lines(section) {
		m := row.FindStringSubmatch(line)
		if m == nil && len(want) > 0 {
			break
		}
		if m != nil {
			want = append(want, strings.Replace(m[1], "alibaba.", cloud+".", 1))
		}
	}
	named := slices.DeleteFunc(slices.Clone(road), func(f string) bool { return strings.Contains(f, ".func") })
	if !slices.Equal(named, want) {
		t.Errorf("the way is\n%s\nand docs/architecture.md says\n%s", strings.Join(named, "\n"), strings.Join(want, "\n"))
	}
}

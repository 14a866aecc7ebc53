package trace

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/havip"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for _, p := range pairs {
			if value, found := strings.CutPrefix(p, name+"="); found {
				return value
			}
		}
		return ""
	}
}

func TestFromEnvironment(t *testing.T) {
	const endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318/"
	for name, tt := range map[string]struct {
		environment []string
		at, says    string
	}{
		"nothing is set":          {nil, "", ""},
		"an endpoint":             {[]string{endpoint}, "http://collector:4318/v1/traces", ""},
		"one of traces, as it is": {[]string{endpoint, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=https://t/x"}, "https://t/x", ""},
		"disabled":                {[]string{endpoint, "OTEL_SDK_DISABLED=true"}, "", ""},
		"no traces":               {[]string{endpoint, "OTEL_TRACES_EXPORTER=none"}, "", ""},
		"another exporter":        {[]string{endpoint, "OTEL_TRACES_EXPORTER=zipkin"}, "", "zipkin"},
		"gRPC":                    {[]string{endpoint, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, "", "http/json"},
		"no address":              {[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4318"}, "", "http://host:4318"},
		"no time":                 {[]string{endpoint, "OTEL_EXPORTER_OTLP_TIMEOUT=soon"}, "", "milliseconds"},
	} {
		var log bytes.Buffer
		x := FromEnvironment(environment(tt.environment...), slog.New(slog.NewTextHandler(&log, nil)))
		at := ""
		if x != nil {
			at = x.url
		}
		if at != tt.at || (tt.says == "") != (log.Len() == 0) || !strings.Contains(log.String(), tt.says) {
			t.Errorf("%s: it sends to %q and says %q", name, at, log.String())
		}
	}
	x := FromEnvironment(environment(endpoint, "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20hush, x-team = db",
		"OTEL_EXPORTER_OTLP_TIMEOUT=250", "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=prod,service.name=a", "OTEL_SERVICE_NAME=b",
		"AWS_LAMBDA_FUNCTION_NAME=havip-recover", "AWS_REGION=eu-west-1"), slog.New(slog.DiscardHandler))
	if x.timeout != 250*time.Millisecond || x.headers.Get("Authorization") != "Bearer hush" || x.headers.Get("X-Team") != "db" {
		t.Errorf("%s, %v", x.timeout, x.headers)
	}
	var who []string
	for _, a := range x.resource {
		who = append(who, a.Key+"="+a.Value.Text)
	}
	if want := strings.Fields("cloud.platform=aws_lambda cloud.provider=aws cloud.region=eu-west-1 deployment.environment.name=prod faas.name=havip-recover service.name=b"); !slices.Equal(who, want) {
		t.Errorf("it is %q", who)
	}
}

// ended is a story with a span or two.
func ended(id string) havip.Story {
	at := time.Now()
	return havip.Story{Origin: havip.Origin{ID: id, StartedAt: at}, Ending: havip.Ending{Outcome: havip.Unchanged, EndedAt: at}}
}

// A collector that refuses is told of once, and gets what waits when it is back. Its
// address, which may hold a token, stays out of the log.
func TestACollectorThatRefuses(t *testing.T) {
	var refuses atomic.Bool
	var taken atomic.Int32
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuses.Load() || r.URL.Path != "/hush/v1/traces" || r.Header.Get("Content-Type") != "application/json" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		taken.Add(1)
	}))
	defer collector.Close()
	var log bytes.Buffer
	x := FromEnvironment(environment("OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL+"/hush"), slog.New(slog.NewTextHandler(&log, nil)))
	refuses.Store(true)
	for range 3 {
		x.Ended(ended("a"))
		x.keep(x.send(t.Context()))
	}
	x.Flush(t.Context()) // three are lost: a function keeps none
	for range most + 2 {
		x.Ended(ended("a"))
	}
	x.keep(x.send(t.Context()))
	refuses.Store(false)
	if untaken := x.send(t.Context()); taken.Load() != 1 || untaken != nil || len(x.waiting) != 0 {
		t.Errorf("%d taken, %d untaken", taken.Load(), len(untaken))
	}
	if said := log.String(); strings.Count(said, "are not sent") != 1 || strings.Count(said, "sent again\" lostSpans=5") != 1 || strings.Contains(said, "hush") {
		t.Errorf("it says %s", said)
	}
}

// Nobody waits for a collector that hangs: a story not at all, a call of a function
// briefly. What waits is bounded.
func TestACollectorThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := FromEnvironment(environment("OTEL_EXPORTER_OTLP_ENDPOINT=http://collector"), slog.New(slog.DiscardHandler))
		x.client = &http.Client{Transport: hanging{}}
		began := time.Now()
		for range most + 5 {
			x.Ended(ended("a"))
		}
		if len(x.waiting) != most || x.dropped != 5 || time.Since(began) != 0 {
			t.Errorf("%d wait, %d were dropped, after %s", len(x.waiting), x.dropped, time.Since(began))
		}
		x.Flush(t.Context())
		if took := time.Since(began); took != briefly {
			t.Errorf("a flush took %s", took)
		}
		x.Ended(ended("a"))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		x.Flush(ctx)
		if took := time.Since(began); took != time.Second/2 {
			t.Errorf("with a second left a flush took %s", took)
		}
	})
}

type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// A host sends now and then, and what waits at its end.
func TestStartSendsWhatWaits(t *testing.T) {
	taken := make(chan struct{}, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { taken <- struct{}{} }))
	defer collector.Close()
	x := FromEnvironment(environment("OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL), slog.New(slog.DiscardHandler))
	x.Ended(ended("a"))
	x.Start(t.Context())()
	select {
	case <-taken:
	default:
		t.Error("nothing was sent at the end")
	}
	off := (*Exporter)(nil)
	off.Ended(ended("a"))
	off.Flush(t.Context())
	off.Start(t.Context())()
}

// docs/telemetry.md has every variable that is read, and no other.
func TestEveryVariableIsTold(t *testing.T) {
	read := map[string]bool{}
	FromEnvironment(func(name string) string {
		read[name] = true
		return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector"}[name]
	}, slog.New(slog.DiscardHandler))
	maps.DeleteFunc(read, func(name string, _ bool) bool { return !strings.HasPrefix(name, "OTEL_") })
	page, err := os.ReadFile("../../docs/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, name := range regexp.MustCompile("`(OTEL_[A-Z_]+)`").FindAllStringSubmatch(string(page), -1) {
		told[name[1]] = true
	}
	if !maps.Equal(read, told) {
		t.Errorf("read are %v, told are %v", read, told)
	}
}

package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A host sends the trace of each story to the collector that the environment names.
func TestHostSendsTraces(t *testing.T) {
	t.Parallel()
	sent := make(chan string, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent <- r.URL.Path + " " + string(body)
	}))
	defer collector.Close()
	c := simulate(t, "--associate-time", "50ms")
	d := start(t, append([]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL}, c.env...), "serve", "--addr", "127.0.0.1:0",
		"--data", t.TempDir(), "--roster", builtinRoster(t))
	story := d.accept(t, structured("1", "instance.started", "alibaba", "cn-hangzhou", "i-db1"))[0]
	d.ends(t, story)
	for limit := time.After(time.Minute); ; {
		select {
		case said := <-sent:
			if strings.HasPrefix(said, "/v1/traces ") && strings.Contains(said, story) && strings.Contains(said, `"name":"Attach"`) {
				return
			}
		case <-limit:
			t.Fatal("no trace came")
		}
	}
}

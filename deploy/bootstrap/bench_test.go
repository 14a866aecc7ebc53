package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/roster"
)

// BenchmarkStart measures the time from the start of the process to its first question
// for work, beside a hello-world of aws-lambda-go built with the same flags: the limit is
// twice the time, and 20 MB resident. The two are started in turn.
func BenchmarkStart(b *testing.B) {
	asked := make(chan time.Time, 1)
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- time.Now():
		default:
		}
		<-r.Context().Done()
	}))
	defer api.Close()
	ours, hello := binary(b, "."), binary(b, "./testdata/hello")
	env := []string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://"), "AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=testak", "AWS_SECRET_ACCESS_KEY=testsk", "HAVIP_FUNCTION=status-check",
		"HAVIP_SQS_QUEUE_URL=" + api.URL + "/1/q", "HAVIP_ROSTER=" + string(roster.Builtin()),
	}
	var started [2][]float64
	var resident [2]float64
	once := func(which int, path string) {
		cmd := exec.CommandContext(b.Context(), path)
		cmd.Env = env
		began := time.Now()
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		select {
		case at := <-asked:
			started[which] = append(started[which], float64(at.Sub(began).Microseconds())/1000)
		case <-time.After(time.Minute):
			b.Fatal("it asks for no work")
		}
		resident[which] = max(resident[which], rss(b, cmd.Process.Pid))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	const pairs = 15
	for b.Loop() {
		for range pairs {
			once(0, ours)
			once(1, hello)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(started[0]), "ms")
	b.ReportMetric(median(started[0])/median(started[1]), "x-hello(limit:2)")
	b.ReportMetric(resident[0], "MB-resident(limit:20)")
	b.ReportMetric(resident[0]/resident[1], "x-hello-resident")
}

// BenchmarkSize measures the program and its zip for each architecture of Lambda, beside
// the same hello-world. How the one for another machine starts, that machine tells.
func BenchmarkSize(b *testing.B) {
	for _, arch := range []string{"amd64", "arm64"} {
		b.Run(arch, func(b *testing.B) {
			lambda := []string{"GOOS=linux", "GOARCH=" + arch}
			ours, hello := binary(b, ".", lambda...), binary(b, "./testdata/hello", lambda...)
			var zipped, helloZipped string
			for b.Loop() {
				zipped, helloZipped = packed(b, ours), packed(b, hello)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(size(b, ours), "MiB(limit:16)")
			b.ReportMetric(size(b, ours)/size(b, hello), "x-hello")
			b.ReportMetric(size(b, zipped), "MiB-zip")
			b.ReportMetric(size(b, zipped)/size(b, helloZipped), "x-hello-zip")
		})
	}
}

// packed is the zip that is deployed.
func packed(b *testing.B, program string) string {
	b.Helper()
	path := program + ".zip"
	if out, err := exec.CommandContext(b.Context(), "go", "run", "../package", "zip", program, path).CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return path
}

func binary(b *testing.B, dir string, env ...string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bootstrap")
	build := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", path, dir)
	build.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return path
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

func size(b *testing.B, path string) float64 {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size()) / (1 << 20)
}

// rss is what a process has in memory, in MB, where the system tells it.
func rss(b *testing.B, pid int) float64 {
	b.Helper()
	text, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kb, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, _ := strconv.ParseFloat(kb, 64)
	return n * 1024 / 1e6
}

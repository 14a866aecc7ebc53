package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const said = `goos: linux
cpu: Some CPU
BenchmarkOwnPart/rate=10-2 	1	5.7 ms-p50	13.7 ms-p99
BenchmarkOwnPart/rate=200-2 	1	4.9 ms-p50	23.7 ms-p99
| a table that | a benchmark prints |
BenchmarkIndex/HAVIPs=10-2 	2613454	424.6 ns/op
PASS
`

// What was measured is kept by its kind: what is measured anew replaces the older.
func TestKeep(t *testing.T) {
	folder := t.TempDir()
	for _, text := range []string{strings.ReplaceAll(said, "5.7", "9.9"), said, "BenchmarkSize/amd64-2 1 15.5 MiB\n"} {
		r, err := read(strings.NewReader(text))
		if err == nil {
			err = keep(folder, r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(filepath.Join(folder, "results.json")) //nolint:gosec // ours
	if err != nil {
		t.Fatal(err)
	}
	for want, times := range map[string]int{`"ms-p50": 5.7`: 1, "9.9": 0, `"ns/op": 424.6`: 1, `"MiB": 15.5`: 1, "OwnPart/rate=200": 1} {
		if n := strings.Count(string(kept), want); n != times {
			t.Errorf("%s is there %d times:\n%s", want, n, kept)
		}
	}
	drawn, _ := filepath.Glob(filepath.Join(folder, "*.svg"))
	plot, err := os.ReadFile(filepath.Join(folder, "own-part.svg")) //nolint:gosec // ours
	if err != nil || len(drawn) != 1 || !strings.Contains(string(plot), "ms-p99") {
		t.Errorf("drawn are %v, %v", drawn, err)
	}
}

func TestNoise(t *testing.T) {
	if n := noise(12*time.Second, 10*time.Second); n < 0.19 || n > 0.21 || n != noise(10*time.Second, 12*time.Second) {
		t.Error(n)
	}
}

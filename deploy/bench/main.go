// Command bench runs the benchmarks, and keeps what they measured as JSON and as plots.
//
//	go run ./deploy/bench [-bench Attach] [-keep FOLDER] [packages]
//
// What they say passes through. Before and after it measures the machine: where that
// differs by more than a tenth, the figures are not worth much.
package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/perf/benchfmt"
)

// Run is what was measured in one.
type Run struct {
	Commit  string   `json:"commit"`
	At      string   `json:"at"` // the day
	Machine string   `json:"machine"`
	Noise   float64  `json:"noise"` // how much longer the machine took for the same work at its slower time, ÷ the time at its faster one
	Results []Result `json:"results"`
}

// Result is one benchmark's, by unit.
type Result struct {
	Name    string             `json:"name"`
	Metrics map[string]float64 `json:"metrics"`
}

func main() {
	pattern := flag.String("bench", ".", "which benchmarks")
	folder := flag.String("keep", "bench", "where the results and the plots are kept")
	flag.Parse()
	if err := run(*pattern, *folder, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(pattern, folder string, packages []string) error {
	if len(packages) == 0 {
		packages = []string{"./..."}
	}
	before := yardstick()
	args := []string{"test", "-p", "1", "-run", "^$", "-bench", pattern, "-benchmem", "-timeout", "60m"}
	cmd := exec.Command("go", append(args, packages...)...) //nolint:gosec // what the caller asked for
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return err
	}
	r, err := read(io.TeeReader(out, os.Stdout))
	failed := errors.Join(err, cmd.Wait()) // the others are kept all the same
	if r.Noise = noise(before, yardstick()); r.Noise > 0.1 {
		fmt.Printf("\nthe machine was noisy: the same work took %.0f %% longer at one time than at another\n", 100*r.Noise)
	}
	commit, _ := exec.Command("git", "describe", "--always", "--dirty").Output()
	r.Commit, r.At = string(commit[:max(0, len(commit)-1)]), time.Now().UTC().Format(time.DateOnly)
	return errors.Join(failed, keep(folder, r))
}

// read finds the results in what the benchmarks say.
func read(text io.Reader) (Run, error) {
	var r Run
	lines := benchfmt.NewReader(text, "benchmarks")
	for lines.Scan() {
		one, ok := lines.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		r.Machine = cmp.Or(one.GetConfig("cpu"), r.Machine)
		metrics := map[string]float64{}
		for _, v := range one.Values {
			value, unit := v.Value, v.Unit
			if v.OrigUnit != "" {
				value, unit = v.OrigValue, v.OrigUnit
			}
			metrics[unit] = value
		}
		r.Results = append(r.Results, Result{one.Name.String(), metrics})
	}
	return r, lines.Err()
}

// yardstick is how long the machine takes for a work that is always the same: the median
// of nine.
func yardstick() time.Duration {
	var took [9]time.Duration
	work := make([]byte, 16<<20)
	for i := range took {
		began := time.Now()
		sha256.Sum256(work)
		took[i] = time.Since(began)
	}
	slices.Sort(took[:])
	return took[len(took)/2]
}

func noise(a, b time.Duration) float64 {
	return float64(max(a, b))/float64(min(a, b)) - 1
}

// keep writes the results, and a plot of each kind that is among them. Results of other
// benchmarks stay.
func keep(folder string, r Run) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	at := filepath.Join(folder, "results.json")
	r.Results = append(r.Results, older(at, r)...)
	slices.SortStableFunc(r.Results, func(a, b Result) int { return cmp.Compare(kind(a.Name), kind(b.Name)) })
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(at, append(text, '\n'), 0o644); err != nil { //nolint:gosec // it is published
		return err
	}
	for _, p := range plots {
		if err := p.draw(folder, r); err != nil {
			return fmt.Errorf("%s: %w", p.file, err)
		}
	}
	return nil
}

// older are results that were kept before, and not measured now.
func older(at string, now Run) (left []Result) {
	var before Run
	if text, err := os.ReadFile(at); err != nil || json.Unmarshal(text, &before) != nil { //nolint:gosec // ours
		return nil
	}
	return slices.DeleteFunc(before.Results, func(r Result) bool {
		return slices.ContainsFunc(now.Results, func(n Result) bool { return kind(n.Name) == kind(r.Name) })
	})
}

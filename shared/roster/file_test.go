package roster_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/roster"
)

func TestFileFollowsItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "roster.yaml")
	good := string(roster.Builtin())
	steps := []struct {
		name, text string // no text removes the file
		want       string // the first policy's name
		said       string // a word of what the log says now
	}{
		{"renamed", strings.Replace(good, "orders-db", "orders", 1), "orders", "the roster changed"},
		{"unchanged", strings.Replace(good, "orders-db", "orders", 1), "orders", ""},
		{"touched", strings.Replace(good, "orders-db", "orders", 1), "orders", ""},
		{"bad", "havips: 5\n", "orders", "refused"},
		{"still bad", "havips: 5\n", "orders", ""},
		{"removed", "", "orders", "no such file"},
		{"still removed", "", "orders", ""},
		{"good again", good + "\n# back\n", "orders-db", "the roster changed"},
	}
	synctest.Test(t, func(t *testing.T) {
		write(t, path, good)
		var log bytes.Buffer
		file, err := roster.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		file.Log = slog.New(slog.NewTextHandler(&log, nil))
		for _, step := range steps {
			before := file.Policies()[0].Name
			write(t, path, step.text)
			if step.name == "touched" {
				touch(t, path)
			}
			if got := file.Policies()[0].Name; got != before {
				t.Errorf("%s: looked again within a second", step.name)
			}
			<-time.After(time.Second)
			log.Reset()
			if got := file.Policies()[0].Name; got != step.want {
				t.Errorf("%s: serves %s, want %s", step.name, got, step.want)
			}
			if got := log.String(); !strings.Contains(got, step.said) || step.said == "" && got != "" {
				t.Errorf("%s: the log says %q, want %q", step.name, got, step.said)
			}
		}
	})
}

// write leaves an unchanged file alone, as its time would change.
func write(t *testing.T, path, text string) {
	t.Helper()
	if text == "" {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		return
	}
	if now, err := os.ReadFile(path); err == nil && string(now) == text {
		return
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func touch(t *testing.T, path string) {
	t.Helper()
	if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
}

func TestOpen(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	write(t, bad, "havips: []\n")
	for _, c := range []struct{ name, path, want string }{
		{"inline", string(roster.Builtin()), ""},
		{"bad inline", "havips: []\n", "line 1: havips: missing or empty"},
		{"bad file", bad, bad + ":1: havips: missing or empty"},
		{"no file", "nowhere.yaml", "roster: open nowhere.yaml: no such file or directory; write one, or name another"},
		{"a folder", t.TempDir(), "is a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file, err := roster.Open(c.path)
			if (file == nil) != (c.want != "") {
				t.Fatalf("file %v, error %v", file, err)
			}
			if err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if file != nil && len(file.Policies()) != 2 {
				t.Errorf("policies %v", file.Policies())
			}
		})
	}
}

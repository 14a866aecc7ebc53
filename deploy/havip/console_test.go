package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A newcomer stops an instance of the simulated world in the browser, and sees its
// standby take over.
func TestConsolePlaysAFailover(t *testing.T) {
	browser, missing := exec.LookPath("chromium")
	if _, err := exec.LookPath("node"); err != nil {
		missing = err
	}
	folder := filepath.Join("..", "..", "shared", "runtime", "host", "testdata", "browser")
	if _, err := os.Stat(filepath.Join(folder, "node_modules")); err != nil {
		missing = err
	}
	if missing != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(missing)
		}
		t.Skipf("%v; install Chromium and Node, and run npm ci --prefix shared/runtime/host/testdata/browser", missing)
	}
	d := start(t, nil, "serve", "--simulate", "--addr", "127.0.0.1:0")
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(folder, "page.mjs"), "world", d.url(), "http://"+d.Control) //nolint:gosec // our own
	cmd.Env = append(os.Environ(), "CHROMIUM="+browser)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, text)
	}
}

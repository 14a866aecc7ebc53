package host_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/runtime/host"
)

// TestConsoleInABrowser: the page shows what the API says, and what a sender
// wrote is never markup.
func TestConsoleInABrowser(t *testing.T) {
	browser, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("no chromium on the path")
		}
		t.Skip("no chromium on the path")
	}
	h := serve(t, simulated(t), host.Config{Data: t.TempDir()})
	outcome(t, h, first(t, h, "1"))
	ask(t, h, "POST", "/events", strings.Replace(started("2"), "i-db1", "<b>i-evil</b>", 1))

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	page, err := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", //nolint:gosec // the browser of this machine
		"--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--user-data-dir="+t.TempDir(), "--virtual-time-budget=3000", "--dump-dom", "http://"+h.Addr+"/").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<td>orders-db</td><td>InUse</td><td>i-db1 (healthy)</td>",
		`<td class="good">attached</td>`,
		"&lt;b&gt;i-evil&lt;/b&gt; is not on the roster",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("%s is not on the page: %s", want, page)
		}
	}
}

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"havip-functions/shared/havip"
)

// keepalived runs the script that we ship for it, as keepalived does.
func keepalived(t *testing.T, env string, args ...string) (string, error) {
	t.Helper()
	script, err := filepath.Abs("../selfhosted/keepalived-notify.sh")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), script, args...) //nolint:gosec // it is ours
	cmd.Env = append(cmd.Environ(), "HAVIP_NOTIFY_ENV="+env)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestKeepalivedNotify(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("curl is not installed")
	}
	c := simulate(t, "--associate-time", "50ms")
	d := believing(t, c, "HAVIP_INGRESS_TOKEN=hush-hush-hush-token", operatorToken)
	settings := "HAVIP_URL=" + d.url() + "/\nHAVIP_INGRESS_TOKEN=hush-hush-hush-token\nHAVIP_CLOUD=alibaba\nHAVIP_REGION=cn-hangzhou\nHAVIP_INSTANCE=i-db1\n"
	env := file(t, "notify.env", settings)
	for _, args := range [][]string{{"INSTANCE", "VI_1", "START", "100"}, {"INSTANCE", `V"I\1`, "FAULT", "100"}, {"INSTANCE", "VI_1", "MASTER", "100"}} {
		if out, err := keepalived(t, env, args...); err != nil || out != "" {
			t.Fatalf("%v: %v %s", args, err, out)
		}
	}
	var list struct {
		Stories []struct {
			Event  havip.EventRef
			Reason string
		}
	}
	eventually(t, "three stories, one for each event", func() bool {
		if err := d.client().do(t.Context(), "GET", "/api/stories", nil, &list); err != nil {
			t.Fatal(err)
		}
		types := map[string]bool{}
		for _, s := range list.Stories {
			types[s.Event.Type] = s.Event.Source == "keepalived:i-db1"
		}
		return types["havip.instance.started"] && types["havip.health.failed"]
	})

	for name, spoilt := range map[string]string{
		"was not accepted":               strings.Replace(settings, "hush-hush-hush-token", "hush-other", 1),
		"HAVIP_INGRESS_TOKEN is not set": strings.Replace(settings, "HAVIP_INGRESS_TOKEN", "X", 1),
	} {
		out, err := keepalived(t, file(t, "notify.env", spoilt), "INSTANCE", "VI_1", "FAULT", "100")
		if err == nil || !strings.Contains(out, name) || strings.Contains(out, "hush") {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
	if out, err := keepalived(t, env, "INSTANCE", "VI_1", "PANIC", "100"); err == nil || !strings.Contains(out, "PANIC") {
		t.Errorf("a state that is none: %v %s", err, out)
	}
}

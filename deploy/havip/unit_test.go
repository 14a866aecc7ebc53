package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const unitFile = "../selfhosted/havip.service"

// hardening is what the unit takes from the program. The sets of calls and of
// families were compared with what the program used in a failover under strace.
var hardening = map[string][]string{
	"DynamicUser": {"yes"}, "NoNewPrivileges": {"yes"}, "CapabilityBoundingSet": {""}, "UMask": {"0077"},
	"ProtectSystem": {"strict"}, "ProtectHome": {"yes"}, "ProtectProc": {"invisible"},
	"PrivateTmp": {"yes"}, "PrivateDevices": {"yes"}, "PrivateMounts": {"yes"}, "PrivateUsers": {"yes"},
	"ProtectClock": {"yes"}, "ProtectControlGroups": {"yes"}, "ProtectHostname": {"yes"},
	"ProtectKernelLogs": {"yes"}, "ProtectKernelModules": {"yes"}, "ProtectKernelTunables": {"yes"},
	"RestrictAddressFamilies": {"AF_INET AF_INET6"}, "RestrictNamespaces": {"yes"}, "RestrictRealtime": {"yes"}, "RestrictSUIDSGID": {"yes"},
	"LockPersonality": {"yes"}, "MemoryDenyWriteExecute": {"yes"},
	"SystemCallArchitectures": {"native"}, "SystemCallFilter": {"@system-service", "~@privileged @resources"}, "SystemCallErrorNumber": {"EPERM"},
}

func TestUnitIsHardened(t *testing.T) {
	unit := readUnit(t, unitFile, "[Service]")
	for directive, want := range hardening {
		if got := unit[directive]; !slices.Equal(got, want) {
			t.Errorf("%s is %q, want %q", directive, got, want)
		}
	}
}

// What the program needs is left to it.
func TestUnitRunsTheProgram(t *testing.T) {
	unit := readUnit(t, unitFile, "[Service]")
	for _, directive := range []string{"PrivateNetwork", "IPAddressDeny", "InaccessiblePaths", "RootDirectory", "ProcSubset"} {
		if got := unit[directive]; got != nil {
			t.Errorf("%s is %q; the program needs what it takes away", directive, got)
		}
	}
	command := strings.Fields(strings.Join(unit["ExecStart"], " "))
	if len(command) < 2 || filepath.Base(command[0]) != "havip" || command[1] != "serve" {
		t.Fatalf("it starts %v", command)
	}
	serve := serveCommand()
	if err := serve.ParseFlags(command[2:]); err != nil {
		t.Fatal(err)
	}
	if data, folders := serve.Flag("data").Value.String(), unit["StateDirectory"]; len(folders) != 1 || data != "/var/lib/"+folders[0] {
		t.Errorf("it writes to %s, and may write to /var/lib/%v", data, folders)
	}
}

func TestUnitInTheEyesOfSystemd(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skipf("nobody judges the unit: %v; install systemd", err)
	}
	text, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	// It asks for the program; the test is one.
	unit := file(t, "havip.service", strings.Replace(string(text), "ExecStart=havip", "ExecStart="+os.Args[0], 1))
	for _, check := range [][]string{
		{"verify", "--man=no", unit},
		{"security", "--offline=true", "--no-pager", "--threshold=20", unit}, // tenths of its score
	} {
		said, err := exec.CommandContext(t.Context(), analyze, check...).CombinedOutput()
		switch {
		case err != nil && strings.Contains(string(said), "unrecognized option"):
			t.Logf("this systemd-analyze is too old for %s: %s", check[0], said)
		case err != nil:
			t.Errorf("%s: %v\n%s", check[0], err, said)
		case check[0] == "verify" && strings.Contains(string(said), unit): // a warning, of a key that it does not know
			t.Errorf("verify says\n%s", said)
		}
	}
}

// readUnit gives the directives of a section. One that is written several times has
// several values.
func readUnit(t *testing.T, path, wanted string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	unit, section := map[string][]string{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		directive, value, assigned := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			section = line
		case !assigned:
			t.Errorf("%q is no directive", line)
		case section == wanted:
			unit[directive] = append(unit[directive], value)
		}
	}
	return unit
}

package main

import (
	"runtime/debug"
	"testing"
)

func TestVersionIsTheCommit(t *testing.T) {
	info := &debug.BuildInfo{GoVersion: "go1.26", Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}, {Key: "vcs.time", Value: "2026-11-26T02:00:00Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	if got, want := versionOf(info), "0123456789ab of 2026-11-26T02:00:00Z, changed since, built by go1.26"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/audit"
)

// chain is an export of so many entries, a line each.
func chain(t *testing.T, n int) (lines []string) {
	t.Helper()
	var head audit.Head
	for i := range n {
		l, err := head.Next(audit.Deed{Kind: "freeze", ID: fmt.Sprint(i), Actor: "alice", Reason: "<work> & more", Scope: "operator"}, time.Unix(int64(i), 0).UTC())
		if err != nil {
			t.Fatal(err)
		}
		if head, err = head.Follow(l); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	return lines
}

// rehashed is a line with other words, and the hash that fits them.
func rehashed(t *testing.T, line string) string {
	t.Helper()
	var l audit.Line
	var e audit.Entry
	if json.Unmarshal([]byte(line), &l) != nil || json.Unmarshal(l.Entry, &e) != nil {
		t.Fatal(line)
	}
	e.Actor = "mallory"
	l, err := audit.Head{N: e.N - 1, Hash: e.Before}.Next(e.Deed, e.At)
	text, failed := json.Marshal(l)
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return string(text)
}

func TestVerify(t *testing.T) {
	good := chain(t, 5)
	for name, tt := range map[string]struct {
		change func(l []string) []string
		holds  uint64
		says   string
	}{
		"as it was":      {func(l []string) []string { return l }, 5, ""},
		"empty":          {func([]string) []string { return nil }, 0, ""},
		"cut at the end": {func(l []string) []string { return l[:3] }, 3, ""}, // an older export shows it
		"spaced out": {func(l []string) []string {
			var b bytes.Buffer
			_ = json.Indent(&b, []byte(l[1]), "", "  ") // it is JSON
			return []string{l[0], b.String()}
		}, 2, ""},
		"tampered": {func(l []string) []string {
			l[2] = strings.Replace(l[2], "alice", "bobby", 1)
			return l
		}, 2, "entry 3 was changed: its hash is another"},
		"tampered, hash and all":  {func(l []string) []string { l[2] = rehashed(t, l[2]); return l }, 3, "entry 4 does not follow on the one before"},
		"removed":                 {func(l []string) []string { return slices.Delete(l, 1, 2) }, 1, "entry 2 is missing or out of place: entry 3 stands there"},
		"the first removed":       {func(l []string) []string { return l[1:] }, 0, "entry 1 is missing or out of place: entry 2"},
		"reordered":               {func(l []string) []string { l[3], l[4] = l[4], l[3]; return l }, 3, "entry 4 is missing or out of place: entry 5"},
		"twice":                   {func(l []string) []string { return slices.Insert(l, 2, l[1]) }, 2, "entry 3 is missing or out of place: entry 2"},
		"from elsewhere":          {func(l []string) []string { l[0] = rehashed(t, l[0]); return l }, 1, "entry 2 does not follow"},
		"torn":                    {func(l []string) []string { l[4] = l[4][:40]; return l }, 4, "entry 5 can't be read"},
		"words":                   {func(l []string) []string { l[0] = "words"; return l }, 0, "entry 1 can't be read"},
		"something beside":        {func(l []string) []string { l[1] = strings.Replace(l[1], "{", `{"seen":1,`, 1); return l }, 1, "entry 2 can't be read"},
		"an entry of other kinds": {func(l []string) []string { l[1] = `{"hash":"","entry":[]}`; return l }, 1, "entry 2 can't be read"},
	} {
		head, err := audit.Verify(strings.NewReader(strings.Join(tt.change(slices.Clone(good)), "\n")))
		if head.N != tt.holds || (err == nil) != (tt.says == "") || err != nil && !strings.HasPrefix(err.Error(), tt.says) {
			t.Errorf("%s: %d hold, %v; want %d, %q", name, head.N, err, tt.holds, tt.says)
		}
	}
}

// The export that docs/audit.md shows is one.
func TestThePageHolds(t *testing.T) {
	page, err := os.ReadFile("../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Join(regexp.MustCompile(`(?m)^{"hash".*$`).FindAllString(string(page), -1), "\n")
	head, err := audit.Verify(strings.NewReader(lines))
	if err != nil || head.N != 2 || !strings.Contains(string(page), fmt.Sprintf("\n%d entries hold; the last hash is %s\n", head.N, head.Hash)) {
		t.Errorf("%+v %v", head, err)
	}
}

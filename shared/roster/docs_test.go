package roster_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"havip-functions/shared/roster"
)

// nowhere is a key that is near none of ours, at each place that has keys: the reader
// answers with those that it knows.
const nowhere = `
xxxxxxxxxxxxxxxx: 1
accounts: {a: {xxxxxxxxxxxxxxxx: 1}}
defaults: {xxxxxxxxxxxxxxxx: 1}
brake: {xxxxxxxxxxxxxxxx: 1}
havips:
- {xxxxxxxxxxxxxxxx: 1, cloud: baidu, members: [{xxxxxxxxxxxxxxxx: 1}]}
`

// docs/configuration.md has every key that the reader takes, place by place, and no
// other.
func TestEveryKeyIsDocumented(t *testing.T) {
	_, err := roster.Parse([]byte(nowhere))
	if err == nil {
		t.Fatal("it takes any key")
	}
	taken := map[string][]string{}
	for _, told := range regexp.MustCompile(`: (\S*?)\.?xxxxxxxxxxxxxxxx: unknown key; the keys here are (.*)`).FindAllStringSubmatch(err.Error(), -1) {
		taken[told[1]] = strings.Split(told[2], ", ")
	}
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for place, head := range map[string]string{
		"": "key", "accounts.a": "key of an account", "brake": "key of the brake",
		"havips[0]": "key of a HAVIP", "havips[0].members[0]": "key of a member",
	} {
		if want, got := taken[place], documented(string(text), "\n| "+head+" |"); !same(want, got) {
			t.Errorf("%s: the reader takes %q, and the page has %q", head, want, got)
		}
	}
	_, row, _ := strings.Cut(string(text), "\n| `defaults` | as below |")
	row, _, _ = strings.Cut(row, "\n")
	if want, got := taken["defaults"], spans(row); !same(want, got) {
		t.Errorf("defaults: the reader takes %q, and the page has %q", want, got)
	}
	if len(taken) != 6 {
		t.Errorf("there are keys at %d places: %q", len(taken), taken)
	}
}

func same(a, b []string) bool {
	return len(a) > 0 && slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// documented are the names in the first column of the table that begins so.
func documented(text, head string) (names []string) {
	_, table, _ := strings.Cut(text, head)
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") && names != nil {
			break
		}
		if strings.HasPrefix(line, "| `") {
			names = append(names, spans(strings.Split(line, "|")[1])...)
		}
	}
	return names
}

func spans(text string) (all []string) {
	for _, s := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
		all = append(all, s[1])
	}
	return all
}

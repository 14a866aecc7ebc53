package console

import (
	"regexp"
	"strings"
	"testing"
)

// Every word of ours on a page has its Chinese one.
func TestWords(t *testing.T) {
	files, err := pages.ReadDir("page")
	if err != nil {
		t.Fatal(err)
	}
	said := regexp.MustCompile(`\(?\bt "([^"]+)"`)
	for _, f := range files {
		text, err := pages.ReadFile("page/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range said.FindAllStringSubmatch(string(text), -1) {
			if zh[word[1]] == "" {
				t.Errorf("%s: %q has no Chinese", f.Name(), word[1])
			}
		}
		if at := regexp.MustCompile(`(?i)<style|\sstyle=|<script>|\son\w+=`).FindString(string(text)); at != "" {
			t.Errorf("%s has %q, which the page's policy forbids", f.Name(), strings.TrimSpace(at))
		}
	}
}

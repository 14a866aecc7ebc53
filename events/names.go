package events

import (
	"encoding/json"
	"slices"
	"strings"
)

// misnamed says what keeps a text from naming something in the data. Names are
// printable ASCII, so that a schema's letters are a reader's bytes.
func misnamed(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) >= 0 {
		return "must hold printable ASCII only"
	}
	return over(len(text), maxShort)
}

// name returns a text that may be absent and names something.
func (f *fields) name(name string) string { return f.checkName(name, f.text(name)) }

// requiredName returns one that may not be absent or blank.
func (f *fields) requiredName(name string) string { return f.checkName(name, f.required(name)) }

func (f *fields) checkName(name, text string) string {
	if problem := misnamed(text); problem != "" {
		f.fail(name, "%s", problem)
	}
	return text
}

// form returns a required name of one certain form, which the roster and we
// ourselves give it.
func (f *fields) form(name string, is func(string) bool, what string) string {
	text := f.requiredName(name)
	if !is(text) {
		f.fail(name, "%s has the wrong form; %s", shown(text), what)
	}
	return text
}

// names returns a list of names, empty where absent.
func (f *fields) names(name string, most int) []string {
	list := []string{}
	m, _ := f.find(name)
	var members []*string // nil for a null
	if len(m.raw) > 0 && json.Unmarshal(m.raw, &members) != nil || slices.Contains(members, nil) {
		f.fail(name, "must be a list of strings")
		return list
	}
	if len(members) > most {
		f.fail(name, "has %d entries; %d are allowed", len(members), most)
		return list
	}
	for i, text := range members {
		if hasControl(*text) {
			f.fail(name, "must not hold control characters")
		}
		list = append(list, f.checkName(name+index(i), *text))
	}
	return list
}

package events

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// parts of the reference, each after the schema that its types have in common.
var parts = []struct{ title, schema, example string }{
	{"Facts", "fact", TypeHealthFailed},
	{"Recover", "havip.recover", TypeRecover},
	{"Status check", "havip.status.check", TypeStatusCheck},
	{"Sweep", "havip.sweep", TypeSweep},
	{"Outcomes", "outcome", TypeAttached},
}

// shape is what of a schema stands in the reference. JSON is YAML, whose nodes keep the
// order of members.
type shape struct {
	Title, Description, Pattern, Format string
	Ref                                 string `yaml:"$ref"`
	Type, Const                         yaml.Node
	Enum, Required                      []string
	Properties, Defs                    yaml.Node
	Minimum, Maximum                    *int64
	MaxItems                            int     `yaml:"maxItems"`
	AnyOf                               []shape `yaml:"anyOf"`
	Items                               *shape
}

func schemaOf(t *testing.T, name string) (s shape) {
	t.Helper()
	text, found := Schema(name)
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(string(text), `"$defs":`, `"defs":`)), &s); err != nil || !found {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

// members calls each for the members of a schema, in their order.
func members(t *testing.T, of yaml.Node, each func(name string, s shape)) {
	t.Helper()
	for i := 0; i < len(of.Content); i += 2 {
		var s shape
		if err := of.Content[i+1].Decode(&s); err != nil {
			t.Fatal(err)
		}
		each(of.Content[i].Value, s)
	}
}

// form says what a value looks like.
func (s shape) form() string {
	switch {
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	case s.Const.Kind != 0:
		return fmt.Sprintf("`%q`", s.Const.Value)
	case s.Enum != nil:
		return "`" + strings.Join(s.Enum, "`, `") + "`"
	case s.AnyOf != nil:
		var forms []string
		for _, one := range s.AnyOf {
			forms = append(forms, one.form())
		}
		return strings.Join(forms, ", or ")
	case s.Items != nil:
		return fmt.Sprintf("list of %s, %d at most", s.Items.form(), s.MaxItems)
	}
	kind := s.Type.Value
	if s.Type.Kind == yaml.SequenceNode { // the other one is null
		kind = s.Type.Content[0].Value
	}
	switch {
	case s.Format != "":
		return kind + ", " + s.Format
	case s.Pattern != "":
		return kind + ", `" + s.Pattern + "`"
	case s.Minimum != nil:
		return fmt.Sprintf("%s, %d to %d", kind, *s.Minimum, *s.Maximum)
	case kind == "":
		return "any"
	}
	return kind
}

// reference is what the schemas say, for people.
func reference(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, part := range parts {
		base := schemaOf(t, part.schema)
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n", part.title, base.Title)
		for _, name := range slices.Sorted(maps.Keys(readers)) {
			if s := schemaOf(t, name); s.Ref == part.schema+".json" {
				fmt.Fprintf(&b, "- `%s`: %s\n", name, s.Title)
			} else if name == part.schema {
				fmt.Fprintf(&b, "- `%s`\n", name)
			}
		}
		b.WriteString("\n| in the data | form | means |\n|---|---|---|\n")
		members(t, base.Properties, func(name string, s shape) {
			needed := ""
			if slices.Contains(base.Required, name) {
				needed = " (required)"
			}
			fmt.Fprintf(&b, "| `%s`%s | %s | %s |\n", name, needed, s.form(), s.Description)
		})
		example, err := os.ReadFile(filepath.Join("testdata", part.example+".json"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "\n```json\n%s```\n", example)
	}
	words := schemaOf(t, "words")
	fmt.Fprintf(&b, "\n## Forms\n\n%s\n\n| form | is | |\n|---|---|---|\n", words.Title)
	members(t, words.Defs, func(name string, s shape) { fmt.Fprintf(&b, "| %s | %s | %s |\n", name, s.form(), s.Description) })
	return strings.ReplaceAll(b.String(), "|  |", "| |") + "\n"
}

// The reference of the events says what their schemas do.
func TestGoldenReference(t *testing.T) {
	const path, begin, end = "../docs/events.md", "<!-- schemas -->\n", "<!-- end of schemas -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	told, after, ended := strings.Cut(rest, end)
	want := reference(t)
	switch {
	case !found || !ended:
		t.Fatalf("%s has no part between %q and %q", path, begin, end)
	case *update:
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
	case told != want:
		t.Errorf("%s is out of step; make golden writes it anew", path)
	}
	for name := range readers {
		if !strings.Contains(want, "`"+name+"`") {
			t.Errorf("no part has %s", name)
		}
	}
}

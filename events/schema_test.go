package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compiled are the schemas of our types, from what is embedded.
var compiled = sync.OnceValue(func() map[string]*jsonschema.Schema {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(embedded{})
	all := map[string]*jsonschema.Schema{}
	for name := range readers {
		all[name] = c.MustCompile("embedded:///schemas/" + name + ".json")
	}
	return all
})

type embedded struct{}

func (embedded) Load(url string) (any, error) {
	name := url[strings.LastIndexByte(url, '/')+1:]
	text, found := Schema(name)
	if !found {
		return nil, fmt.Errorf("no schema %s", name)
	}
	return jsonschema.UnmarshalJSON(bytes.NewReader(text))
}

// values are what a member of any data may hold, however odd.
var values = []string{
	`null`, `""`, `" "`, `"\u3000"`, `"\u00a0\u2028"`, `"x"`, `" x "`, `"a\u0000b"`, `"a\nb"`, `"a\u007f"`, `"a\u0085b"`, `"é你🌎"`, `"\ud83c\udf0e"`,
	`"alibaba"`, `"baidu"`, `"Alibaba"`, `"aws"`, `"attached"`, `"refused"`, `"Attached"`,
	`true`, `false`, `0`, `1`, `-1`, `-0`, `1.0`, `1.5`, `1e2`, `1e-2`, `2147483647`, `2147483648`, `9007199254740991`, `9007199254740992`, `-9007199254740991`, `-9007199254740992`, `1e400`, `9223372036854775808`,
	`[]`, `["a"]`, `["a",null]`, `["a\u0001"]`, `[1]`, `[[]]`, `{}`, `{"a":1}`,
	`"2026-03-01T12:00:00Z"`, `"2026-03-01T12:00:00.25+08:00"`, `"2026-03-01T12:00:00.000000001Z"`, `"2026-02-30T12:00:00Z"`, `"2026-3-1T12:00:00Z"`,
	`"2026-03-01T12:00:00"`, `"2026-03-01 12:00:00Z"`, `"2026-03-01t12:00:00z"`, `"2026-03-01T24:00:00Z"`, `"2026-03-01T12:00:60Z"`, `"2026-03-01T12:00:00,5Z"`,
	`"2026-03-01T12:00:00PRC"`, `"2026-03-01T12:00:00+0800"`, `"2026-03-01T1:00:00Z"`, `"2024-02-29T00:00:00Z"`, `"2023-02-29T00:00:00Z"`, `"1772366401000"`,
	`"` + strings.Repeat("x", 2000) + `"`,

	// At each bound, and beyond it.
	letters("", "x", 256), letters("", "x", 257), letters("", `\"`, 256), letters("", `\u003c`, 257), letters("", "é", 128), `" ~"`,
	letters("", "0f", 12), letters("", "0F", 12), letters("0", "0f", 12), letters("", "0f", 11),
	`"bj"`, `"bj."`, `"-bj"`, letters("b", "1", 31), letters("b", "1", 32),
	`"havip-"`, `"havip-*"`, `"havip_1"`, letters("havip-", "A", 64), letters("havip-", "A", 65),
	`["a"` + strings.Repeat(`,"a"`, 63) + `]`, `["a"` + strings.Repeat(`,"a"`, 64) + `]`,
	"[" + letters("", "x", 256) + "]", "[" + letters("", "x", 257) + "]", `["é"]`,
	fraction(43), fraction(44),
}

// letters is a string that begins with one text and goes on with another.
func letters(first, then string, times int) string {
	return `"` + first + strings.Repeat(then, times) + `"`
}

// fraction is a time whose seconds have so many digits more.
func fraction(digits int) string { return `"2026-03-01T12:00:00.` + strings.Repeat("0", digits) + `Z"` }

// The readers and the schemas agree on every sample of every type, on every
// member of it left out, and on every member holding each of the values.
func TestSchemasSayWhatTheReadersCheck(t *testing.T) {
	compared := 0
	for _, sample := range samples {
		schema := compiled()[sample.Type]
		written, err := json.Marshal(sample.Data)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]json.RawMessage
		if err := json.Unmarshal(written, &members); err != nil {
			t.Fatal(err)
		}
		for _, name := range everyMember(t, sample.Type) {
			for _, value := range append(values, "") {
				changed := map[string]json.RawMessage{}
				for other, v := range members {
					changed[other] = v
				}
				changed[name] = json.RawMessage(value)
				if value == "" {
					delete(changed, name)
				}
				compare(t, schema, sample.Type, object(changed))
				compared++
			}
		}
		for _, value := range append(values, string(written)) {
			compare(t, schema, sample.Type, value)
			compared++
		}
	}
	if compared < 15000 {
		t.Errorf("only %d cases were compared", compared)
	}
}

// everyMember are the members that a schema names, or the one that it refers to,
// and one that neither does.
func everyMember(t *testing.T, name string) []string {
	t.Helper()
	names := []string{"unknown"}
	for name != "" {
		text, _ := Schema(name)
		var s struct {
			Ref        string `json:"$ref"`
			Properties map[string]any
		}
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		names, name = slices.AppendSeq(names, maps.Keys(s.Properties)), s.Ref
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// object writes members without changing how their values are written.
func object(members map[string]json.RawMessage) string {
	var parts []string
	for name, value := range members {
		parts = append(parts, fmt.Sprintf("%q:%s", name, value))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestEveryTypeHasASchema(t *testing.T) {
	for name := range readers {
		if compiled()[name] == nil {
			t.Errorf("%s has none", name)
		}
	}
}

func compare(t *testing.T, schema *jsonschema.Schema, kind, data string) {
	t.Helper()
	if data == "null" && kind == TypeSweep {
		return // it counts as absent, which no schema of the data can say
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(data))
	if err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	_, refused := Read([]byte(`{"specversion":"1.0","id":"1","source":"/p","type":"`+kind+`","data":`+data+`}`), arrived)
	if invalid := schema.Validate(value); (invalid == nil) != (refused == nil) {
		t.Errorf("%s %s\nthe schema says %v\nthe reader    %v", kind, data, invalid, refused)
	}
}

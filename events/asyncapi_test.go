package events

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestAsyncAPI asks the AsyncAPI project's own parser about our document.
func TestAsyncAPI(t *testing.T) {
	_, noNode := exec.LookPath("node")
	_, notInstalled := os.Stat("testdata/asyncapi/node_modules/@asyncapi/parser")
	if err := errors.Join(noNode, notInstalled); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("%v; install Node and run npm ci --prefix events/testdata/asyncapi", err)
	}
	node := exec.CommandContext(t.Context(), "node", "check.mjs", "../../asyncapi.yaml")
	node.Dir, node.Stderr = "testdata/asyncapi", os.Stderr
	if problems, err := node.Output(); err != nil || len(problems) > 0 {
		t.Errorf("%v\n%s", err, problems)
	}
}

// The document has a message for each of our types, whose example is the golden
// one and whose data has that type's schema.
func TestAsyncAPIHasEveryType(t *testing.T) {
	text, err := os.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Components struct {
			Messages map[string]struct {
				Name     string
				Examples []struct{ Payload any }
			}
		}
	}
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, m := range document.Components.Messages {
		told[m.Name] = true
		if !strings.Contains(string(text), "$ref: schema/"+m.Name+".json\n") {
			t.Errorf("the data of %s has another schema", m.Name)
		}
		golden, err := os.ReadFile("testdata/" + m.Name + ".json")
		if err != nil {
			t.Error(err)
			continue
		}
		if len(m.Examples) != 1 || !sameJSON(t, golden, m.Examples[0].Payload) {
			t.Errorf("the example of %s is not its golden file", m.Name)
		}
	}
	for name := range readers {
		if !told[name] {
			t.Errorf("%s has no message", name)
		}
	}
}

// What the document allows of an attribute, Read takes, and a letter more it does
// not: it refuses the event, or drops the attribute.
func TestAsyncAPIHasTheBounds(t *testing.T) {
	text, err := os.ReadFile("asyncapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Components struct {
			Schemas struct {
				Event struct {
					Properties map[string]struct {
						MaxLength int    `yaml:"maxLength"`
						Format    string `yaml:"format"`
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	bounds := 0
	for name, attribute := range document.Components.Schemas.Event.Properties {
		if attribute.MaxLength == 0 {
			continue
		}
		bounds++
		most := attribute.MaxLength - len(beginning(attribute.Format)+"Z")
		if !keeps(t, name, beginning(attribute.Format)+strings.Repeat("0", most)+"Z") {
			t.Errorf("%s is not read with %d bytes", name, attribute.MaxLength)
		}
		if keeps(t, name, beginning(attribute.Format)+strings.Repeat("0", most+1)+"Z") {
			t.Errorf("%s is read with %d bytes", name, attribute.MaxLength+1)
		}
	}
	if bounds != 8 {
		t.Errorf("the document bounds %d attributes", bounds)
	}
}

// beginning is how an attribute begins that goes on with digits and a Z.
func beginning(format string) string {
	if format == "date-time" {
		return "2026-03-01T11:00:00."
	}
	return "x"
}

// keeps tells whether an event is read with that value for an attribute.
func keeps(t *testing.T, name, value string) bool {
	t.Helper()
	attributes := map[string]any{
		"specversion": "1.0", "id": "1", "source": "/p", "type": "com.example",
		"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
	}
	attributes[name] = value
	payload, err := Encode(attributes)
	if err != nil {
		t.Fatal(err)
	}
	read, err := Read(payload, arrived)
	if err != nil {
		return false
	}
	e := read[0]
	switch name {
	case "time":
		return !e.Time.Equal(arrived)
	case "expirytime":
		return !e.Expiry.IsZero()
	}
	return slices.Contains([]string{e.ID, e.Source, e.Type, e.Subject, e.Causation, e.TraceState}, value)
}

func sameJSON(t *testing.T, text []byte, value any) bool {
	t.Helper()
	written, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if err := errors.Join(json.Unmarshal(text, &a), json.Unmarshal(written, &b)); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(a, b)
}

package events

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"reflect"
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

package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"havip-functions/functions"
	"havip-functions/shared/ledger"
	"havip-functions/shared/ledger/ledgertest"
)

// environment is every name that a function reads.
var environment = []string{
	"HAVIP_FUNCTION", "HAVIP_ROSTER", "HAVIP_LEDGER", "HAVIP_FC_ENDPOINT", "HAVIP_PROBE", "HAVIP_FOLLOWUP_FUNCTION", "HAVIP_SQS_QUEUE_URL",
	"HAVIP_ALIBABA_ENDPOINT", "HAVIP_BAIDU_ENDPOINT", "HAVIP_ALIBABA_ECS_ENDPOINT", "HAVIP_ALIBABA_STS_ENDPOINT",
	"HAVIP_INGRESS_TOKEN", "HAVIP_WEBHOOK_SECRET", "HAVIP_OPERATOR_TOKEN", "HAVIP_SEAL_KEY", "HAVIP_OUTCOME_BUS", "HAVIP_OUTCOME_SINK", "HAVIP_OUTCOME_SECRET", "HAVIP_EVENTBRIDGE_ENDPOINT",
	"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN",
	"BCE_ACCESS_KEY_ID", "BCE_SECRET_ACCESS_KEY", "BCE_SESSION_TOKEN",
}

// triggerDefinitions are checked one by one, because the schema lets any object
// pass as a trigger's configuration.
var triggerDefinitions = map[string]string{
	"eventbridge": "IEventBridge", "timer": "ITimerTriggerConfig", "http": "IHttpTriggerConfig",
}

type spec struct {
	Edition   string
	Vars      map[string]string
	Resources map[string]struct {
		Component string
		Props     map[string]any
	}
}

type trigger struct {
	TriggerType   string
	TriggerConfig struct {
		AuthType               string
		EventRuleFilterPattern string
		EventSourceConfig      struct{ EventSourceType string }
	}
}

func TestSpecFitsTheSchema(t *testing.T) {
	path := schemaPath(t)
	schemas := map[string]*jsonschema.Schema{"": compile(t, path)}
	for kind, definition := range triggerDefinitions {
		schemas[kind] = compile(t, path+"#/definitions/"+definition)
	}
	for name, resource := range readSpec(t).Resources {
		if err := schemas[""].Validate(resource.Props); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, raw := range list(resource.Props["triggers"]) {
			fields := raw.(map[string]any)
			schema, ok := schemas[fmt.Sprint(fields["triggerType"])]
			if !ok {
				t.Errorf("%s: nothing checks a trigger of type %v", name, fields["triggerType"])
				continue
			}
			if err := schema.Validate(fields["triggerConfig"]); err != nil {
				t.Errorf("%s: %v: %v", name, fields["triggerName"], err)
			}
		}
	}
}

func TestSpecNamesTheFunctions(t *testing.T) {
	s := readSpec(t)
	if s.Edition != "3.0.0" {
		t.Errorf("edition %s, want 3.0.0", s.Edition)
	}
	if got := slices.Sorted(maps.Keys(s.Resources)); !slices.Equal(got, slices.Sorted(slices.Values(functions.Names))) {
		t.Fatalf("got the functions %v, want %v", got, functions.Names)
	}
	for name, resource := range s.Resources {
		env := resource.Props["environmentVariables"].(map[string]any)
		if resource.Component != "fc3" || resource.Props["functionName"] != "havip-"+name || env["HAVIP_FUNCTION"] != name {
			t.Errorf("%s: component %s, functionName %v, HAVIP_FUNCTION %v",
				name, resource.Component, resource.Props["functionName"], env["HAVIP_FUNCTION"])
		}
		for key := range env {
			if !slices.Contains(environment, key) {
				t.Errorf("%s: no function reads %s", name, key)
			}
		}
	}
}

// The default bus holds few rules, and an anonymous trigger on an event
// function would let anybody forge its /invoke.
func TestSpecTriggers(t *testing.T) {
	onDefaultBus := 0
	for name, resource := range readSpec(t).Resources {
		for _, trigger := range triggers(t, resource.Props["triggers"]) {
			config := trigger.TriggerConfig
			if trigger.TriggerType == "http" && name != "ingress" {
				t.Errorf("%s has an http trigger with authType %s; only ingress may have one", name, config.AuthType)
			}
			if trigger.TriggerType != "eventbridge" {
				continue
			}
			if !json.Valid([]byte(config.EventRuleFilterPattern)) {
				t.Errorf("%s: the pattern is not JSON: %s", name, config.EventRuleFilterPattern)
			}
			if config.EventSourceConfig.EventSourceType == "Default" {
				onDefaultBus++
			}
		}
	}
	if onDefaultBus > 2 {
		t.Errorf("%d rules on the default bus, want 2 at most", onDefaultBus)
	}
}

// The ledger is the one that rules.tf makes, and the policies allow, unless somebody
// brings his own; every function has it.
func TestSpecLedger(t *testing.T) {
	spec, err := os.ReadFile("../../s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := os.ReadFile("../alibaba/rules.tf")
	if err != nil {
		t.Fatal(err)
	}
	want := "tablestore://" + ledgertest.Instance + "/" + ledgertest.LedgerTable
	if !strings.Contains(string(spec), "\n    HAVIP_LEDGER: ${env('HAVIP_LEDGER', '"+want+"')}\n") {
		t.Errorf("s.yaml has no %s", want)
	}
	made := regexp.MustCompile(`variable "ledger_instance" \{\n  type    = string\n  default = "` + ledgertest.Instance + `"\n`)
	tables := fmt.Sprintf("{ %s = -1, %[1]s_history = %d }", ledgertest.LedgerTable, int((ledger.Keep + 24*time.Hour).Seconds()))
	if !made.Match(rules) || !strings.Contains(string(rules), tables) {
		t.Errorf("rules.tf does not make %s with the tables %s", want, tables)
	}
	for name, resource := range readSpec(t).Resources {
		env, _ := resource.Props["environmentVariables"].(map[string]any) // none has no ledger
		if env["HAVIP_LEDGER"] != fromEnvironment {
			t.Errorf("%s: HAVIP_LEDGER is %v", name, env["HAVIP_LEDGER"])
		}
	}
}

func schemaPath(t *testing.T) string {
	t.Helper()
	path := os.Getenv("HAVIP_FC3_SCHEMA")
	if path == "" {
		path = "../../../shared/reference/fc3-schema.json"
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no schema of fc3: set HAVIP_FC3_SCHEMA to its file: %v", err)
		}
		t.Skipf("no schema of fc3: set HAVIP_FC3_SCHEMA to its file: %v", err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return absolute
}

func compile(t *testing.T, location string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(location)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func readSpec(t *testing.T) spec {
	t.Helper()
	text, err := os.ReadFile("../../s.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var s spec
	if err := yaml.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	var resolved spec
	if err := yaml.Unmarshal(resolve(text, s.Vars), &resolved); err != nil {
		t.Fatal(err)
	}
	return resolved
}

var reference = regexp.MustCompile(`\$\{(vars\.(\w+)|env\([^)]*\))\}`)

// fromEnvironment stands for what a deployment's shell gives.
const fromEnvironment = "from-the-environment"

// resolve fills in ${vars.NAME} as Serverless Devs does; what comes from the
// environment of a deployment stands for itself.
func resolve(text []byte, vars map[string]string) []byte {
	return reference.ReplaceAllFunc(text, func(match []byte) []byte {
		name, ok := strings.CutPrefix(strings.Trim(string(match), "${}"), "vars.")
		if !ok {
			return []byte(fromEnvironment)
		}
		return []byte(vars[name])
	})
}

func triggers(t *testing.T, raw any) []trigger {
	t.Helper()
	text, err := json.Marshal(list(raw))
	if err != nil {
		t.Fatal(err)
	}
	var read []trigger
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

func list(raw any) []any {
	l, _ := raw.([]any) // a function without triggers has none
	return l
}

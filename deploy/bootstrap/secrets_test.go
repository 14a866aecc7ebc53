package main_test

// Who has which secret and which role, on Function Compute and on Lambda.

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// cloudKeys are the names that credentials of a cloud have in an environment.
var cloudKeys = []string{
	"ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "BCE_ACCESS_KEY_ID", "BCE_SECRET_ACCESS_KEY",
}

// The web door, which strangers reach, has a role of its own and no keys.
func TestSpecGivesTheIngressNoCloud(t *testing.T) {
	roles := map[string]string{} // to the function that has it
	for name, resource := range readSpec(t).Resources {
		role := fmt.Sprint(resource.Props["role"])
		if other, taken := roles[role]; taken && (name == "ingress" || other == "ingress") {
			t.Errorf("%s and %s have the role %s", name, other, role)
		}
		roles[role] = name
		keys := 0
		for key := range resource.Props["environmentVariables"].(map[string]any) {
			if strings.HasPrefix(key, "ALIBABA_") || strings.HasPrefix(key, "BCE_") {
				keys++
			}
		}
		if (keys == 0) != (name == "ingress") {
			t.Errorf("%s has %d keys of a cloud", name, keys)
		}
	}
}

// What one function seals, each other opens. The operators' token is the web
// door's alone: an invocation proves itself by its caller's own rights. None of
// the secrets stands in the file.
func TestSpecSecrets(t *testing.T) {
	for name, resource := range readSpec(t).Resources {
		env := resource.Props["environmentVariables"].(map[string]any)
		for secret, has := range map[string]bool{
			"HAVIP_SEAL_KEY": true, "HAVIP_INGRESS_TOKEN": name == "ingress", "HAVIP_OPERATOR_TOKEN": name == "ingress",
		} {
			if value, found := env[secret]; found != has || found && value != fromEnvironment {
				t.Errorf("%s: %s is %v, want it from the environment: %v", name, secret, value, has)
			}
		}
	}
}

// Function Compute takes 4 KB of environment, names and values. What a
// deployment fills in may be long: a ledger's address, two seal keys.
func TestSpecEnvironmentFits(t *testing.T) {
	const most, filledIn = 4096, 256
	for name, resource := range readSpec(t).Resources {
		size := 0
		for key, value := range resource.Props["environmentVariables"].(map[string]any) {
			size += len(key) + len(fmt.Sprint(value))
			if value == fromEnvironment {
				size += filledIn - len(fromEnvironment)
			}
		}
		if size > most {
			t.Errorf("%s: %d bytes of environment, want %d at most", name, size, most)
		}
	}
}

// The web door, which strangers reach, has no keys of a cloud. Nothing but the
// functions has them either: what stands under Globals, the door has too.
func TestTemplateGivesTheKeysToThoseThatAct(t *testing.T) {
	for name, f := range readTemplate(t).functions(t) {
		keys := slices.DeleteFunc(slices.Sorted(maps.Keys(f.Environment.Variables)), func(key string) bool {
			return !strings.HasPrefix(key, "ALIBABA_") && !strings.HasPrefix(key, "BCE_")
		})
		want := cloudKeys
		if name == "ingress" {
			want = nil
			if values := fmt.Sprint(f.Environment.Variables); strings.Contains(values, "CloudSecret") {
				t.Errorf("ingress has the keys' secret: %s", values)
			}
		}
		if !slices.Equal(keys, want) {
			t.Errorf("%s has the keys %v, want %v", name, keys, want)
		}
	}
}

// What one function seals, each other opens, with a key that nobody has to make.
// The operators' token is the web door's alone.
func TestTemplateSecrets(t *testing.T) {
	tpl := readTemplate(t)
	for name, f := range tpl.functions(t) {
		env := f.Environment.Variables
		if got := env["HAVIP_SEAL_KEY"]; got != "!Sub {{resolve:secretsmanager:${SealKey}}}" {
			t.Errorf("%s: HAVIP_SEAL_KEY is %v", name, got)
		}
		for variable, parameter := range map[string]string{"HAVIP_INGRESS_TOKEN": "IngressToken", "HAVIP_OPERATOR_TOKEN": "OperatorToken"} {
			if value, found := env[variable]; found != (name == "ingress") || found && value != "!Ref "+parameter {
				t.Errorf("%s: %s is %v", name, variable, value)
			}
			if !tpl.Parameters[parameter].NoEcho {
				t.Errorf("the parameter %s is shown to whoever looks at the stack", parameter)
			}
		}
	}
	var key struct {
		GenerateSecretString struct {
			PasswordLength                       int
			ExcludePunctuation, ExcludeUppercase bool
			ExcludeCharacters                    string
		}
	}
	decode(t, tpl.Resources["SealKey"].Properties, &key)
	made := key.GenerateSecretString
	if made.PasswordLength < 64 || !made.ExcludePunctuation || !made.ExcludeUppercase || made.ExcludeCharacters != "ghijklmnopqrstuvwxyz" {
		t.Errorf("the seal key is made of %+v, want 256 bits in hexadecimal", made)
	}
}

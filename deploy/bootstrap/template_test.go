package main_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"havip-functions/functions"
)

// template is deploy/aws/template.yaml. A value under a tag, !Ref Roster, is
// read as the text "!Ref Roster", or as a list with the tag at its head.
type template struct {
	Globals struct {
		Function struct {
			Timeout       int
			LoggingConfig map[string]string
			Environment   lambdaEnvironment
		}
	}
	Parameters map[string]struct{ NoEcho bool }
	Resources  map[string]struct {
		Type       string
		Condition  string
		Properties json.RawMessage
	}
}

type lambdaEnvironment struct{ Variables map[string]any }

type lambdaFunction struct {
	FunctionName      string
	Role              string
	Environment       lambdaEnvironment
	EventInvokeConfig map[string]any
	FunctionUrlConfig map[string]any //nolint:revive // SAM's own word
	Events            map[string]struct {
		Type       string
		Properties struct {
			Queue                 string
			FunctionResponseTypes []string
			ScalingConfig         struct{ MaximumConcurrency int }
		}
	}
}

type lambdaRole struct {
	ManagedPolicyArns []any
	Policies          []lambdaPolicy
}

type lambdaPolicy struct {
	Roles          []string // where it stands beside them
	PolicyDocument struct {
		Statement []struct {
			Effect           string
			Action, Resource any
		}
	}
}

func TestTemplateNamesTheFunctions(t *testing.T) {
	var names []string
	for name, f := range readTemplate(t).functions(t) {
		names = append(names, name)
		if got := f.Environment.Variables["HAVIP_FUNCTION"]; got != name {
			t.Errorf("%s: HAVIP_FUNCTION is %v", f.FunctionName, got)
		}
		for key := range f.Environment.Variables {
			if !slices.Contains(environment, key) {
				t.Errorf("%s: no function reads %s", name, key)
			}
		}
		if name != "ingress" && f.FunctionUrlConfig != nil {
			t.Errorf("%s is open to the web; only ingress may be", name)
		}
	}
	slices.Sort(names)
	if want := slices.Sorted(slices.Values(functions.Names)); !slices.Equal(names, want) {
		t.Errorf("got the functions %v, want %v", names, want)
	}
}

// Each function may do what it does, and nothing else. Logs are written by a managed
// policy that each has; another lets it into a VPC, where there is one.
func TestTemplateRoles(t *testing.T) {
	const roster = "s3:GetObject on [!Sub arn:${AWS::Partition}:s3:::${Object} map[Object:[!Select 1 [!Split s3:// !Ref Roster]]]]"
	const send = "sqs:SendMessage on !GetAtt FollowUps.Arn"
	admits := []string{send, "sqs:SendMessage on !GetAtt DeadLetters.Arn", roster}
	allowed := map[string][]string{
		"instance-started": admits, "health-failed": admits, "recover": admits, "sweep": admits,
		"status-check": {send, "sqs:ReceiveMessage on !GetAtt FollowUps.Arn", "sqs:DeleteMessage on !GetAtt FollowUps.Arn",
			"sqs:GetQueueAttributes on !GetAtt FollowUps.Arn", roster},
		"ingress": {send, roster},
	}
	var onTable []string
	for _, action := range []string{"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query"} {
		onTable = append(onTable, "dynamodb:"+action+" on !GetAtt LedgerTable.Arn")
	}
	tpl := readTemplate(t)
	for name, f := range tpl.functions(t) {
		role := tpl.role(t, f.Role)
		got, want := role.allows(), slices.Sorted(slices.Values(append(allowed[name], onTable...)))
		if !slices.Equal(got, want) {
			t.Errorf("%s may\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		const managed = "!Sub arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambda"
		if got, want := fmt.Sprint(role.ManagedPolicyArns), "["+managed+"BasicExecutionRole [!If InVpc "+managed+"VPCAccessExecutionRole !Ref AWS::NoValue]]"; got != want {
			t.Errorf("%s has the policies %s, want %s", name, got, want)
		}
		// Lambda asks for the right to send there before it takes the destination.
		if sends := slices.Contains(got, "sqs:SendMessage on !GetAtt DeadLetters.Arn"); sends != (f.EventInvokeConfig != nil) {
			t.Errorf("%s has the destination %v, and may send there: %v", name, f.EventInvokeConfig, sends)
		}
	}
}

func templateText(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../aws/template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func readTemplate(t *testing.T) (tpl template) {
	t.Helper()
	var root yaml.Node
	if err := yaml.Unmarshal(templateText(t), &root); err != nil {
		t.Fatal(err)
	}
	untag(&root)
	var plain any
	if err := root.Decode(&plain); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(plain)
	if err != nil {
		t.Fatal(err)
	}
	decode(t, text, &tpl)
	return tpl
}

// untag turns the tags of CloudFormation into text that YAML can decode.
func untag(n *yaml.Node) {
	for _, child := range n.Content {
		untag(child)
	}
	if !strings.HasPrefix(n.Tag, "!") || strings.HasPrefix(n.Tag, "!!") {
		return
	}
	if n.Kind == yaml.ScalarNode {
		n.Value = n.Tag + " " + n.Value
	} else {
		n.Content = append([]*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: n.Tag}}, n.Content...)
	}
	n.Tag = ""
}

func decode(t *testing.T, text []byte, to any) {
	t.Helper()
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatal(err)
	}
}

// functions are those of the template by our names, with what Globals add.
func (tpl template) functions(t *testing.T) map[string]lambdaFunction {
	t.Helper()
	found := map[string]lambdaFunction{}
	for id, r := range tpl.Resources {
		if r.Type != "AWS::Serverless::Function" {
			if strings.HasPrefix(r.Type, "AWS::Lambda::") {
				t.Errorf("%s is a %s, which no test reads", id, r.Type)
			}
			continue
		}
		var f lambdaFunction
		decode(t, r.Properties, &f)
		all := maps.Clone(tpl.Globals.Function.Environment.Variables)
		maps.Copy(all, f.Environment.Variables)
		f.Environment.Variables = all
		name, ours := strings.CutPrefix(f.FunctionName, "havip-")
		if !ours {
			t.Errorf("%s is named %s, want havip-…", id, f.FunctionName)
		}
		found[name] = f
	}
	return found
}

func (tpl template) role(t *testing.T, reference string) (role lambdaRole) {
	t.Helper()
	id := strings.TrimSuffix(strings.TrimPrefix(reference, "!GetAtt "), ".Arn")
	r, ok := tpl.Resources[id]
	if !ok || r.Type != "AWS::IAM::Role" {
		t.Fatalf("%s names no role", reference)
	}
	decode(t, r.Properties, &role)
	for other, r := range tpl.Resources {
		var p lambdaPolicy
		if r.Type != "AWS::IAM::Policy" {
			continue
		}
		if decode(t, r.Properties, &p); r.Condition != "OwnLedger" {
			t.Errorf("%s is there without the table that it is for", other)
		}
		if slices.Contains(p.Roles, "!Ref "+id) {
			role.Policies = append(role.Policies, p)
		}
	}
	return role
}

// allows is each action with each resource that the role's policies allow it on.
func (r lambdaRole) allows() (all []string) {
	for _, p := range r.Policies {
		for _, s := range p.PolicyDocument.Statement {
			for _, action := range several(s.Action) {
				for _, resource := range several(s.Resource) {
					all = append(all, fmt.Sprintf("%v on %v", action, resource))
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

// several is one or many, as policies write both; a tagged list is one.
func several(value any) []any {
	l, many := value.([]any)
	if !many || l[0] == "!Sub" {
		return []any{value}
	}
	return l
}

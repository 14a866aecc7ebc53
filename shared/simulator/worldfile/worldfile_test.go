package worldfile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"havip-functions/shared/simulator"
	"havip-functions/shared/simulator/worldfile"
)

// designWorld is the example of the design, word for word.
const designWorld = `alibaba:
  region: cn-hangzhou
  accessKeys: {testak: testsk}
  vswitches: [{id: vsw-a, vpc: vpc-1}]
  instances: [{id: i-db1, vswitch: vsw-a, state: Running}]
  interfaces: [{id: eni-1, vswitch: vsw-a, instance: i-db1}]
  havips: [{id: havip-bp1orders, vswitch: vsw-a, ip: 10.0.0.100, holders: []}]
baidu:
  region: bj
  accessKeys: {testak: testsk}
  subnets: [{id: sbn-a, vpc: vpc-1}]
  instances: [{id: i-syG1, subnet: sbn-a, state: Running}]
  havips: [{id: havip-w2d4, subnet: sbn-a, ip: 192.168.0.100}]
`

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "world.yaml")
	if err := os.WriteFile(path, []byte(designWorld), 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := worldfile.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := w.Alibaba[0], w.Baidu[0]; a.HAVIPs[0].ID != "havip-bp1orders" || a.Interfaces[0].Instance != "i-db1" || b.Subnets[0].VPC != "vpc-1" {
		t.Errorf("the world is %+v", w)
	}
	if _, err := simulator.New(simulator.Options{World: w}); err != nil {
		t.Error(err)
	}
	wrong := path + ".wrong"
	if err := os.WriteFile(wrong, []byte(strings.Replace(designWorld, "10.0.0.100", "ten", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := worldfile.Read(wrong); err == nil || !strings.HasPrefix(err.Error(), wrong+":7: HAVIP havip-bp1orders has the ip") {
		t.Errorf("got %v", err)
	}
	if _, err := worldfile.Read(path + ".none"); err == nil {
		t.Error("a file that is missing was read")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct{ name, from, to, want string }{
		{"an unknown key", "vpc: vpc-1}]\n  instances: [{id: i-db1,", "vpc: vpc-1}]\n  colour: red\n  instances: [{id: i-db1,", "line 5: alibaba.colour: unknown key; the keys here are region, account"},
		{"an unknown key of an instance", "state: Running}]\n  interfaces", "colour: red}]\n  interfaces", "line 5: alibaba.instances[0].colour: unknown key; the keys here are id, vswitch, subnet, state"},
		{"an unknown cloud", "baidu:", "azure:", "line 8: azure: unknown key; the keys here are alibaba, baidu"},
		{"an id twice", "state: Running}]\n  interfaces", "state: Running}, {id: i-db1, vswitch: vsw-a}]\n  interfaces", "line 5: instance i-db1 stands there twice, first on line 5"},
		{"a missing vSwitch", "{id: i-db1, vswitch: vsw-a", "{id: i-db1, vswitch: vsw-x", `line 5: vswitch "vsw-x" does not exist`},
		{"a missing subnet", "{id: havip-w2d4, subnet: sbn-a", "{id: havip-w2d4, subnet: sbn-x", `line 13: subnet "sbn-x" does not exist`},
		{"a missing instance", "instance: i-db1", "instance: i-db9", "line 6: interface eni-1 is on instance i-db9, which does not exist"},
		{"a missing holder", "holders: []", "holders: [i-db9]", "line 7: HAVIP havip-bp1orders is held by i-db9, which does not exist"},
		{"a holder twice", "holders: []", "holders: [i-db1, i-db1]", "line 7: HAVIP havip-bp1orders names its holder i-db1 twice"},
		{"a foreign master", "holders: []", "holders: [], master: i-db9", "line 7: HAVIP havip-bp1orders has the master i-db9, which does not exist"},
		{"an unknown state", "state: Running}]\n  interfaces", "state: Dancing}]\n  interfaces", `line 5: state "Dancing" is not one of Pending, Starting, Running, Stopping, Stopped, Deleted`},
		{"an unknown status", "holders: []", "status: Dancing", `line 7: status "Dancing" is not one of`},
		{"no address", "10.0.0.100", "ten", `line 7: HAVIP havip-bp1orders has the ip "ten"`},
		{"a limit below zero", "holders: []", "limit: -1", "line 7: alibaba.havips[0].limit: must be a whole number from 0 up"},
		{"no id", "{id: i-syG1, ", "{", "line 12: the instance has no id"},
		{"no region", "  region: bj\n", "", "line 9: baidu has no region"},
		{"no keys", "  accessKeys: {testak: testsk}\n  subnets", "  subnets", "baidu bj has no accessKeys"},
		{"the other cloud's word", "subnets: [{id: sbn-a, vpc: vpc-1}]", "vswitches: [{id: sbn-a, vpc: vpc-1}]", "line 11: baidu calls its networks subnets"},
		{"the other cloud's word for one", "{id: i-syG1, subnet: sbn-a", "{id: i-syG1, vswitch: sbn-a", "line 12: baidu has no vswitch; say subnet"},
		{"no VPC", "{id: sbn-a, vpc: vpc-1}", "{id: sbn-a}", "line 11: sbn-a has no vpc"},
		{"a token of no key", "  subnets:", "  securityTokens: {none: tok}\n  subnets:", "securityTokens names access key none"},
		{"no YAML", "baidu:", "baidu: [", "line 8: not YAML: "},
		{"a key twice", "region: bj", "region: bj\n  region: gz", "line 10: baidu.region: appears twice; keep one of them"},
		{"a misspelt key", "region: bj", "regoin: bj", "line 9: baidu.regoin: unknown key; did you mean region?"},
		{"an alias", "holders: []", "holders: &h [], master: *h", "line 7: alibaba.havips[0].master: aliases are not read"},
		{"a word for a list", "holders: []", "holders: i-db1", "line 7: alibaba.havips[0].holders: must be a list"},
		{"a word for keys", "accessKeys: {testak: testsk}\n  vswitches", "accessKeys: testak\n  vswitches", "line 3: alibaba.accessKeys: must be a mapping"},
		{"no flag", "  region: bj", "  noHAVIPPrivilege: yes\n  region: bj", "line 9: baidu.noHAVIPPrivilege: must be true or false"},
		{"a second document", "baidu:", "---\nbaidu:", "line 8: more than one document"},
		{"the wrong type", "10.0.0.100", "[10]", "line 7: alibaba.havips[0].ip: must be one word"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text := strings.Replace(designWorld, tc.from, tc.to, 1)
			if text == designWorld {
				t.Fatal("the case changes nothing")
			}
			_, err := worldfile.Parse([]byte(text))
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error is %v, want one line with %q", err, tc.want)
			}
		})
	}
	for _, empty := range []string{"", "{}", "# nothing"} {
		if _, err := worldfile.Parse([]byte(empty)); err == nil {
			t.Errorf("%q was taken for a world", empty)
		}
	}
}

func TestParseTakesLists(t *testing.T) {
	realm := func(region, suffix, key string) string {
		return "\n  - region: " + region + "\n    accessKeys: {" + key + "}\n    vswitches: [{id: v" + suffix + ", vpc: vpc-1}]"
	}
	w, err := worldfile.Parse([]byte("alibaba:" + realm("a", "1", "k: s") + realm("b", "2", "k: s") + realm("a", "3", "k2: s")))
	if err != nil || len(w.Alibaba) != 3 || len(w.Baidu) != 0 {
		t.Fatalf("world is %+v, %v", w, err)
	}
	for _, bad := range []string{
		realm("a", "1", "k: s") + realm("a", "2", "k: s"),
		realm("a", "1", "k: s") + realm("b", "2", "k: other"),
		realm("a", "1", "k: s") + realm("b", "1", "k: s"),
	} {
		if _, err := worldfile.Parse([]byte("alibaba:" + bad)); err == nil || !strings.Contains(err.Error(), "line ") {
			t.Errorf("error is %v for%s", err, bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(designWorld)
	f.Add("alibaba: [1]")
	f.Fuzz(func(t *testing.T, text string) {
		w, err := worldfile.Parse([]byte(text))
		if err != nil {
			return
		}
		if _, err := simulator.New(simulator.Options{World: w}); err != nil {
			t.Errorf("what was parsed is refused: %v", err)
		}
	})
}

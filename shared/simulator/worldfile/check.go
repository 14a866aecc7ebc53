package worldfile

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"havip-functions/shared/havip"
	"havip-functions/shared/yamlfile"
)

// The states and statuses that can be given and set.
var (
	InstanceStates = []havip.InstanceState{havip.Pending, havip.Starting, havip.Running, havip.Stopping, havip.Stopped, havip.Deleted}
	HAVIPStatuses  = []havip.Status{Creating, Pending, havip.Available, havip.Associating, havip.InUse, havip.Unassociating, Deleting}
)

// What a HAVIP may be on Alibaba beside the statuses of package havip.
const (
	Creating havip.Status = "Creating"
	Deleting havip.Status = "Deleting"
	Pending  havip.Status = "Pending" // https://help.aliyun.com/zh/terraform/alicloud-havips
)

// Check finds the first contradiction of a world.
func (w World) Check() error { return w.check("") }

func (w World) check(file string) error {
	for _, c := range []struct {
		cloud  string
		realms Realms
	}{{"alibaba", w.Alibaba}, {"baidu", w.Baidu}} {
		k := checker{file: file, cloud: c.cloud, seen: map[string]int{}, secrets: map[string]string{}}
		for _, r := range c.realms {
			if err := k.realm(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// checker remembers the ids of one cloud: the control address names instances
// and HAVIPs without their region.
type checker struct {
	file     string
	cloud    string
	seen     map[string]int // "instance i-1" → line
	secrets  map[string]string
	networks map[string]bool // of the realm at hand
	targets  map[string]bool // its instances and interfaces
}

func (k *checker) realm(r Realm) error {
	if r.Region == "" {
		return k.at(r.line, "%s has no region; give one", k.cloud)
	}
	if len(r.AccessKeys) == 0 {
		return k.at(r.line, "%s %s has no accessKeys; give at least one, id: secret", k.cloud, r.Region)
	}
	for id, secret := range r.AccessKeys {
		if have, ok := k.secrets[id]; ok && have != secret {
			return k.at(r.line, "access key %s has two secrets; give it the same one in each region", id)
		}
		k.secrets[id] = secret
		if err := k.once("region "+r.Region+" of access key", id, r.line); err != nil {
			return err
		}
	}
	for id := range r.SecurityTokens {
		if _, ok := r.AccessKeys[id]; !ok {
			return k.at(r.line, "securityTokens names access key %s, which accessKeys lacks", id)
		}
	}
	k.networks, k.targets = map[string]bool{}, map[string]bool{}
	for _, check := range []func(Realm) error{k.theNetworks, k.theInstances, k.theInterfaces, k.theHAVIPs} {
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}

func (k *checker) theNetworks(r Realm) error {
	own, foreign, word := r.VSwitches, r.Subnets, "vswitches"
	if k.cloud == "baidu" {
		own, foreign, word = r.Subnets, r.VSwitches, "subnets"
	}
	if len(foreign) > 0 {
		return k.at(foreign[0].line, "%s calls its networks %s; rename the key", k.cloud, word)
	}
	for _, n := range own {
		if n.VPC == "" {
			return k.at(n.line, "%s has no vpc; give one", n.ID)
		}
		k.networks[n.ID] = true
		if err := k.once("network", n.ID, n.line); err != nil {
			return err
		}
	}
	return nil
}

func (k *checker) theInstances(r Realm) error {
	for _, i := range r.Instances {
		k.targets[i.ID] = true
		if err := k.once("instance", i.ID, i.line); err != nil {
			return err
		}
		if err := k.network(i.VSwitch, i.Subnet, i.line); err != nil {
			return err
		}
		if i.State != "" && !slices.Contains(InstanceStates, i.State) {
			return k.at(i.line, "%s", NotOneOf("state", i.State, InstanceStates))
		}
	}
	return nil
}

func (k *checker) theInterfaces(r Realm) error {
	for _, n := range r.Interfaces {
		if n.Instance != "" && !slices.ContainsFunc(r.Instances, func(i Instance) bool { return i.ID == n.Instance }) {
			return k.at(n.line, "interface %s is on instance %s, which does not exist", n.ID, n.Instance)
		}
		k.targets[n.ID] = true
		if err := k.once("interface", n.ID, n.line); err != nil {
			return err
		}
		if err := k.network(n.VSwitch, n.Subnet, n.line); err != nil {
			return err
		}
	}
	return nil
}

func (k *checker) theHAVIPs(r Realm) error {
	for _, h := range r.HAVIPs {
		if err := k.once("HAVIP", h.ID, h.line); err != nil {
			return err
		}
		if err := k.network(h.VSwitch, h.Subnet, h.line); err != nil {
			return err
		}
		if err := k.havip(h); err != nil {
			return err
		}
	}
	return nil
}

func (k *checker) havip(h HAVIP) error {
	if _, err := netip.ParseAddr(h.IP); err != nil {
		return k.at(h.line, "HAVIP %s has the ip %q, which is no address", h.ID, h.IP)
	}
	for i, holder := range h.Holders {
		if !k.targets[holder] {
			return k.at(h.line, "HAVIP %s is held by %s, which does not exist", h.ID, holder)
		}
		if slices.Contains(h.Holders[:i], holder) {
			return k.at(h.line, "HAVIP %s names its holder %s twice", h.ID, holder)
		}
	}
	if h.Master != "" && !k.targets[h.Master] {
		return k.at(h.line, "HAVIP %s has the master %s, which does not exist", h.ID, h.Master)
	}
	if h.Status != "" && !slices.Contains(HAVIPStatuses, h.Status) {
		return k.at(h.line, "%s", NotOneOf("status", h.Status, HAVIPStatuses))
	}
	if h.Limit < 0 {
		return k.at(h.line, "HAVIP %s has the limit %d; give 1 or more, or leave it out", h.ID, h.Limit)
	}
	return nil
}

// once refuses an id that is empty or was there before.
func (k *checker) once(kind, id string, line int) error {
	if id == "" {
		return k.at(line, "the %s has no id; give one", kind)
	}
	key := kind + " " + id
	if first, twice := k.seen[key]; twice {
		if first > 0 {
			return k.at(line, "%s stands there twice, first on line %d", key, first)
		}
		return k.at(line, "%s stands there twice", key)
	}
	k.seen[key] = line
	return nil
}

func (k *checker) network(vswitch, subnet string, line int) error {
	own, foreign, word, other := vswitch, subnet, "vswitch", "subnet"
	if k.cloud == "baidu" {
		own, foreign, word, other = subnet, vswitch, other, word
	}
	if foreign != "" {
		return k.at(line, "%s has no %s; say %s", k.cloud, other, word)
	}
	if !k.networks[own] {
		return k.at(line, "%s %q does not exist; list it under %s", word, own, map[string]string{"vswitch": "vswitches", "subnet": "subnets"}[word])
	}
	return nil
}

func (k *checker) at(line int, format string, args ...any) error {
	return &yamlfile.Problem{Kind: "world", File: k.file, Line: line, Text: fmt.Sprintf(format, args...)}
}

// NotOneOf says that a word is none of those that can stand there.
func NotOneOf[T ~string](what string, got T, allowed []T) string {
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	return fmt.Sprintf("%s %q is not one of %s", what, got, strings.Join(names, ", "))
}

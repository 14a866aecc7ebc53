package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"havip-functions/shared/havip"
)

// World is what a world file says: for each cloud one region and account, or a
// list of them. GET /world answers in the same words, so that its answer is a
// world file too.
type World struct {
	Alibaba Realms `yaml:"alibaba" json:"alibaba"`
	Baidu   Realms `yaml:"baidu" json:"baidu"`
}

// Realms are the regions and accounts of a cloud. A single one reads and writes
// as itself, several as a list.
type Realms []Realm

// Realm is what one account has in one region.
type Realm struct {
	Region             string            `yaml:"region" json:"region"`
	Account            string            `yaml:"account" json:"account,omitempty"`               // which roles of AssumeRole lead here
	AccessKeys         map[string]string `yaml:"accessKeys" json:"accessKeys"`                   // id: secret
	SecurityTokens     map[string]string `yaml:"securityTokens" json:"securityTokens,omitempty"` // id: token, for keys that demand one
	VSwitches          []Network         `yaml:"vswitches" json:"vswitches,omitempty"`
	Subnets            []Network         `yaml:"subnets" json:"subnets,omitempty"`
	Instances          []Instance        `yaml:"instances" json:"instances"`
	Interfaces         []Interface       `yaml:"interfaces" json:"interfaces,omitempty"`
	HAVIPs             []HAVIP           `yaml:"havips" json:"havips"`
	HAVIPsPerInstance  int               `yaml:"havipsPerInstance" json:"havipsPerInstance,omitempty"`   // 0: any number
	NoHAVIPPrivilege   bool              `yaml:"noHAVIPPrivilege" json:"noHAVIPPrivilege,omitempty"`     // the account may not manage HAVIPs
	NoInterfaceBinding bool              `yaml:"noInterfaceBinding" json:"noInterfaceBinding,omitempty"` // the region binds no interfaces

	line int
}

// Network is a vSwitch (Alibaba) or a subnet (Baidu).
type Network struct {
	ID  string `yaml:"id" json:"id"`
	VPC string `yaml:"vpc" json:"vpc"`

	line int
}

// Instance is a virtual machine in a vSwitch (Alibaba) or a subnet (Baidu).
type Instance struct {
	ID      string              `yaml:"id" json:"id"`
	VSwitch string              `yaml:"vswitch" json:"vswitch,omitempty"`
	Subnet  string              `yaml:"subnet" json:"subnet,omitempty"`
	State   havip.InstanceState `yaml:"state" json:"state"` // "": Running

	line int
}

// Interface is a network interface; without an instance it is a free one.
type Interface struct {
	ID       string `yaml:"id" json:"id"`
	VSwitch  string `yaml:"vswitch" json:"vswitch,omitempty"`
	Subnet   string `yaml:"subnet" json:"subnet,omitempty"`
	Instance string `yaml:"instance" json:"instance,omitempty"`

	line int
}

// HAVIP is an address and who holds it. Status is in the words of
// [havip.Status] on both clouds, and Creating or Deleting; one that is given
// stays until it is set again.
type HAVIP struct {
	ID      string       `yaml:"id" json:"id"`
	VSwitch string       `yaml:"vswitch" json:"vswitch,omitempty"`
	Subnet  string       `yaml:"subnet" json:"subnet,omitempty"`
	IP      string       `yaml:"ip" json:"ip"`
	Limit   int          `yaml:"limit" json:"limit,omitempty"` // 0: 2 on Alibaba, 5 on Baidu
	Holders []string     `yaml:"holders" json:"holders"`
	Status  havip.Status `yaml:"status" json:"status"`
	Master  string       `yaml:"master" json:"master"` // "": the first running holder

	line int
}

// ReadWorld reads a world file.
func ReadWorld(path string) (World, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return World{}, fmt.Errorf("world file: %w", err)
	}
	w, err := ParseWorld(data)
	if err != nil {
		return World{}, fmt.Errorf("%s: %w", path, err)
	}
	return w, nil
}

// ParseWorld reads a world in YAML or JSON. An unknown key, an id that stands
// there twice and a reference to nothing are errors that name their line.
func ParseWorld(data []byte) (World, error) {
	var w World
	var places yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	switch err := d.Decode(&w); {
	case errors.Is(err, io.EOF):
		return World{}, errors.New("the file is empty; describe at least one cloud")
	case err != nil:
		return World{}, readable(err)
	case yaml.Unmarshal(data, &places) == nil:
		w.locate(&places)
	}
	if len(w.Alibaba)+len(w.Baidu) == 0 {
		return World{}, errors.New("no cloud is described; give alibaba, baidu or both")
	}
	return w, w.check()
}

// readable makes one line of what the decoder says in several, in our words.
func readable(err error) error {
	var many *yaml.TypeError
	if !errors.As(err, &many) || len(many.Errors) == 0 {
		return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	first := many.Errors[0]
	if where, _, unknown := strings.Cut(first, " not found in type "); unknown {
		return errors.New(strings.Replace(where, "field ", "unknown key ", 1))
	}
	return errors.New(first)
}

// UnmarshalYAML takes one realm or a list. It has the form that hands down the
// decoder's strictness, which Node.Decode would lose.
func (r *Realms) UnmarshalYAML(unmarshal func(any) error) error {
	var list []yaml.Node
	if unmarshal(&list) == nil {
		return unmarshal((*[]Realm)(r))
	}
	*r = make(Realms, 1)
	return unmarshal(&(*r)[0])
}

// MarshalJSON writes a single realm as itself.
func (r Realms) MarshalJSON() ([]byte, error) {
	if len(r) == 1 {
		return json.Marshal(r[0])
	}
	return json.Marshal(append([]Realm{}, r...))
}

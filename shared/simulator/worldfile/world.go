// Package worldfile reads the world that the simulator begins with, and finds what
// contradicts itself in it.
package worldfile

import (
	"encoding/json"

	"havip-functions/shared/havip"
)

// World is what a world file says: for each cloud one region and account, or a
// list of them. GET /world answers in the same words, so that its answer is a
// world file too.
type World struct {
	Alibaba Realms `json:"alibaba"`
	Baidu   Realms `json:"baidu"`
}

// Realms are the regions and accounts of a cloud. A single one reads and writes
// as itself, several as a list.
type Realms []Realm

// Realm is what one account has in one region.
type Realm struct {
	Region             string            `json:"region"`
	Account            string            `json:"account,omitempty"`        // which roles of AssumeRole lead here
	AccessKeys         map[string]string `json:"accessKeys"`               // id: secret
	SecurityTokens     map[string]string `json:"securityTokens,omitempty"` // id: token, for keys that demand one
	VSwitches          []Network         `json:"vswitches,omitempty"`
	Subnets            []Network         `json:"subnets,omitempty"`
	Instances          []Instance        `json:"instances"`
	Interfaces         []Interface       `json:"interfaces,omitempty"`
	HAVIPs             []HAVIP           `json:"havips"`
	HAVIPsPerInstance  int               `json:"havipsPerInstance,omitempty"`  // 0: 5 on Alibaba, any number on Baidu
	MastersByInstance  bool              `json:"mastersByInstance,omitempty"`  // the master of interfaces is named by its instance
	NoHAVIPPrivilege   bool              `json:"noHAVIPPrivilege,omitempty"`   // the account may not manage HAVIPs
	NoInterfaceBinding bool              `json:"noInterfaceBinding,omitempty"` // the region binds no interfaces

	line int
}

// Network is a vSwitch (Alibaba) or a subnet (Baidu).
type Network struct {
	ID  string `json:"id"`
	VPC string `json:"vpc"`

	line int
}

// Instance is a virtual machine in a vSwitch (Alibaba) or a subnet (Baidu).
type Instance struct {
	ID      string              `json:"id"`
	VSwitch string              `json:"vswitch,omitempty"`
	Subnet  string              `json:"subnet,omitempty"`
	State   havip.InstanceState `json:"state"` // "": Running

	line int
}

// Interface is a network interface; without an instance it is a free one.
type Interface struct {
	ID       string `json:"id"`
	VSwitch  string `json:"vswitch,omitempty"`
	Subnet   string `json:"subnet,omitempty"`
	Instance string `json:"instance,omitempty"`

	line int
}

// HAVIP is an address and who holds it. Status is in the words of
// [havip.Status] on both clouds, and Creating or Deleting; one that is given
// stays until it is set again.
type HAVIP struct {
	ID      string       `json:"id"`
	VSwitch string       `json:"vswitch,omitempty"`
	Subnet  string       `json:"subnet,omitempty"`
	IP      string       `json:"ip"`
	Limit   int          `json:"limit,omitempty"` // 0: 2 on Alibaba, 5 on Baidu
	Holders []string     `json:"holders"`
	Status  havip.Status `json:"status"`
	Master  string       `json:"master"`            // who announced it last, holder or not; "": the first running holder
	Removed bool         `json:"removed,omitempty"` // the address was taken off whoever serves it
	Unheard bool         `json:"unheard,omitempty"` // the cloud hears nobody announce it

	line int
}

// MarshalJSON writes a single realm as itself.
func (r Realms) MarshalJSON() ([]byte, error) {
	if len(r) == 1 {
		return json.Marshal(r[0])
	}
	return json.Marshal(append([]Realm{}, r...))
}

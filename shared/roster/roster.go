// Package roster reads the list of the instances that may hold each HAVIP, and
// the policy of each: no event can attach an instance that is not on it.
package roster

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"havip-functions/shared/havip"
	"havip-functions/shared/yamlfile"
)

// Roster is one version of the list. It does not change.
type Roster struct {
	// Accounts are those that policies name; the ambient one is not among them.
	Accounts map[string]Account

	// Hash is the first 12 hex digits of the SHA-256 of the bytes.
	Hash string

	policies []havip.Policy
	index    havip.Index
}

// Account says whose credentials serve a HAVIP.
type Account struct {
	Cloud       string // alibaba or baidu
	RoleARN     string // to assume; Alibaba only
	Credentials string // file:PATH or env:PREFIX; empty for the ambient ones
}

var _ havip.Roster = (*Roster)(nil)

// Parse reads a roster. Its error joins one [*yamlfile.Problem] for each thing
// that is wrong, and then there is no roster.
func Parse(data []byte) (*Roster, error) { return parse(yamlfile.File{Kind: "roster", Text: data}) }

func parse(file yamlfile.File) (*Roster, error) {
	top, err := file.Mapping("accounts", "defaults", "brake", "havips")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(file.Text)
	roster := &Roster{Hash: hex.EncodeToString(sum[:])[:12]}
	roster.Accounts = readAccounts(top)
	roster.policies = readPolicies(top, roster.Accounts)
	for i := range roster.policies {
		roster.policies[i].Roster = roster.Hash
	}
	if err := top.Err(); err != nil {
		return nil, err
	}
	roster.index = *havip.NewIndex(roster.policies)
	return roster, nil
}

// Policies returns every HAVIP with its defaults filled in, in the roster's
// order. The members are shared: don't change them.
func (r *Roster) Policies() []havip.Policy { return slices.Clone(r.policies) }

// Index implements [havip.Roster].
func (r *Roster) Index() *havip.Index { return &r.index }

// Find returns the policy with that name, or of the HAVIP with that id.
func Find(policies []havip.Policy, nameOrID string) (havip.Policy, error) {
	var names []string
	for _, p := range policies {
		if p.Name == nameOrID || p.ID == nameOrID {
			return p, nil
		}
		names = append(names, p.Name)
	}
	if len(names) == 0 {
		return havip.Policy{}, fmt.Errorf("roster: no HAVIP %q, nor any other; add it to the roster", nameOrID)
	}
	return havip.Policy{}, fmt.Errorf("roster: no HAVIP %q; the roster has %s", nameOrID, strings.Join(names, ", "))
}

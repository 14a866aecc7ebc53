package roster

import (
	"bytes"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"havip-functions/shared/havip"
)

const heading = `# The instances that may hold each HAVIP, and the policy of each. No event can
# attach an instance that is not on this list.
#
# mode: observe plans and records, and changes nothing. Read what it would have
# done, then set it to act, for one HAVIP or for all.
defaults:
  mode: observe

# The members are those that hold the HAVIP now. Put them into your order of
# preference, and add the standbys: without one there is nothing to fail over to.
`

// entry is a HAVIP as we write it. What is absent has a default.
type entry struct {
	Name         string        `yaml:"name"`
	Cloud        string        `yaml:"cloud"`
	Region       string        `yaml:"region"`
	ID           string        `yaml:"id"`
	InstanceType string        `yaml:"instanceType,omitempty"`
	Members      []memberEntry `yaml:"members"`
	Hold         int           `yaml:"hold,omitempty"`
	Limit        int           `yaml:"limit,omitempty"`
}

type memberEntry havip.Member

// MarshalYAML writes a member whose instance has the same id as that id alone.
func (m memberEntry) MarshalYAML() (any, error) {
	if m.Instance == "" || m.Instance == m.ID {
		return m.ID, nil
	}
	return struct {
		ID       string `yaml:"id"`
		Instance string `yaml:"instance"`
	}(m), nil
}

// Write writes a commented roster of HAVIPs that were found in a cloud, all in
// mode observe. Accounts are left out. A HAVIP is named after its id where its
// own name would not do; one without members is written too, and Parse asks for
// them.
func Write(w io.Writer, policies []havip.Policy) error {
	list := struct {
		HAVIPs []entry `yaml:"havips"`
	}{HAVIPs: []entry{}}
	taken := map[string]bool{}
	for _, p := range policies {
		e := newEntry(p)
		if !havip.IsName(e.Name) || taken[e.Name] {
			e.Name = e.ID
		}
		taken[e.Name] = true
		list.HAVIPs = append(list.HAVIPs, e)
	}
	text := bytes.NewBufferString(heading)
	encoder := yaml.NewEncoder(text)
	encoder.SetIndent(2)
	if err := encoder.Encode(list); err != nil {
		return fmt.Errorf("roster: %w", err)
	}
	if _, err := w.Write(text.Bytes()); err != nil {
		return fmt.Errorf("roster: %w", err)
	}
	return nil
}

func newEntry(p havip.Policy) entry {
	e := entry{
		Name: p.Name, Cloud: p.Cloud, Region: p.Region, ID: p.ID,
		InstanceType: p.InstanceType, Members: []memberEntry{}, Hold: p.Hold, Limit: p.Limit,
	}
	for _, m := range p.Members {
		e.Members = append(e.Members, memberEntry(m))
	}
	return e
}

package havip

// Index finds the policies of a roster by what events, looks and stories name, at the
// same cost however many there are. It does not change; the zero one is empty.
type Index struct {
	policies []Policy
	keys     map[Key]int
	named    map[string][]int // by the HAVIP's id and name
	members  map[string][]int // by a member's id and instance
	shelves  map[string][]int // by what the ids of its stories begin with
}

// NewIndex makes one of the policies of a roster, in its order.
func NewIndex(policies []Policy) *Index {
	x := &Index{policies: policies, keys: map[Key]int{}, named: map[string][]int{}, members: map[string][]int{}, shelves: map[string][]int{}}
	for i, p := range policies {
		if _, twice := x.keys[p.Key()]; !twice {
			x.keys[p.Key()] = i
		}
		enter(x.named, i, p.ID, p.Name)
		enter(x.shelves, i, p.Key().Shelf())
		for _, m := range p.Members {
			enter(x.members, i, m.ID, m.Instance)
		}
	}
	return x
}

// enter puts a policy under each of its names once.
func enter(in map[string][]int, i int, names ...string) {
	for _, name := range names {
		at := in[name]
		if name != "" && (len(at) == 0 || at[len(at)-1] != i) {
			in[name] = append(at, i)
		}
	}
}

// Policy returns that of a HAVIP.
func (x *Index) Policy(k Key) (Policy, bool) {
	i, found := x.keys[k]
	if !found {
		return Policy{}, false
	}
	return x.policies[i], true
}

// Named returns the policies with that id or name, in the roster's order.
func (x *Index) Named(name string) []Policy { return x.pick(x.named[name]) }

// Of returns the policies with that member, by its id or its instance, in the roster's
// order.
func (x *Index) Of(member string) []Policy { return x.pick(x.members[member]) }

// Shelved returns the policies that a story may belong to, by its id.
func (x *Index) Shelved(story string) []Policy {
	return x.pick(x.shelves[story[:min(len(story), shelfLen)]])
}

func (x *Index) pick(places []int) []Policy {
	picked := make([]Policy, 0, len(places))
	for _, i := range places {
		picked = append(picked, x.policies[i])
	}
	return picked
}

package havip

import (
	"slices"
	"time"
)

// Mode says how far we may go with a HAVIP.
type Mode string

// The modes.
const (
	Observe Mode = "observe" // plan and record, no mutating call
	Act     Mode = "act"
	Paused  Mode = "paused" // not even a plan
)

// OnHealthFailed says what becomes of a holder that failed.
type OnHealthFailed string

// What becomes of a failed holder.
const (
	Add          OnHealthFailed = "add"          // attach a standby, release nobody
	Replace      OnHealthFailed = "replace"      // and release the failed one
	ForceReplace OnHealthFailed = "forceReplace" // even while it serves
)

// Policy is the roster's entry for one HAVIP: who may hold it, and how we care.
type Policy struct {
	Name           string
	Cloud          string // alibaba or baidu
	Account        string // a name of the roster's accounts, or "" for the ambient credentials
	Access         Access // how that account is entered
	Region         string
	ID             string
	InstanceType   string // EcsInstance or NetworkInterface; SERVER or ENI
	Members        []Member
	Hold           int // how many should hold it at once
	Limit          int // how many may
	Mode           Mode
	OnHealthFailed OnHealthFailed
	ServingWithin  time.Duration // attached with nobody serving for so long is said
	CoolDown       time.Duration // between two failovers
	Deadline       time.Duration // of one story
	MarkTTL        time.Duration // how long an instance counts as failed without word
	Probe          Probe         // of a second witness, once a story has reached what it wants
	Brake          Brake         // on the failovers of its account and region
	Roster         string        // the hash of the roster that says all this
}

// Access says whose credentials serve an account: those that are stored, else the
// ambient ones; and the role that they assume, if any.
type Access struct {
	RoleARN     string // Alibaba only
	Credentials string // file:PATH or env:PREFIX
}

// Member may hold a HAVIP. Events name its instance, calls its id; the two
// differ where an interface is the member.
type Member struct {
	ID       string
	Instance string
}

// Key names the policy's HAVIP.
func (p Policy) Key() Key { return Key{Cloud: p.Cloud, Region: p.Region, ID: p.ID} }

// Member finds the member that an event or a person names, by either id.
func (p Policy) Member(name string) (Member, bool) {
	i := slices.IndexFunc(p.Members, func(m Member) bool { return m.ID == name || m.Instance == name })
	if i < 0 || name == "" {
		return Member{}, false
	}
	return p.Members[i], true
}

// Key names a HAVIP among all clouds and regions.
type Key struct {
	Cloud  string `json:"cloud"`
	Region string `json:"region"`
	ID     string `json:"havip"`
}

// String is cloud.region.id, which serves as a ledger's key.
func (k Key) String() string { return k.Cloud + "." + k.Region + "." + k.ID }

// Roster is what the roster says now.
type Roster interface {
	// Policies returns every HAVIP of the roster, in its order.
	Policies() []Policy

	// Index finds one or a few of them, without going through all.
	Index() *Index
}

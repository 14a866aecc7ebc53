package events

import (
	"time"
)

// Outcome tells how a story ended; as havip.serving.lost and havip.serving.restored,
// what the sweep saw of who announces the address. When one comes in, because a rule feeds us
// everything, nothing follows from it: an outcome of an outcome would never end.
type Outcome struct {
	Cloud     string    `json:"cloud"`
	Region    string    `json:"region"`
	HAVIP     string    `json:"havip"`
	Name      string    `json:"name"` // the HAVIP's, on the roster
	Story     string    `json:"story"`
	Outcome   string    `json:"outcome"` // the event's type without its havip.
	Holders   []string  `json:"holders"`
	Serving   string    `json:"serving"`  // the holder that announces the address; "" where none is known to
	Instance  string    `json:"instance"` // that should hold it
	Released  bool      `json:"released"` // what was to be released is
	Attempts  int       `json:"attempts"`
	Calls     int       `json:"calls"` // that change something
	StartedAt time.Time `json:"startedAt"`
	EndedAt   time.Time `json:"endedAt"`
	CloudMs   int64     `json:"cloudMs"` // spent waiting for the cloud's answers
	Rule      string    `json:"rule"`
	Code      string    `json:"code"`
	RequestID string    `json:"requestId"`
	Advice    string    `json:"advice"`
	Actor     string    `json:"actor"`
	Roster    string    `json:"roster"` // the hash of the roster that decided

	AnnouncedBy string `json:"announcedBy"` // holder, stranger, nobody, mute or unknown; "" where the HAVIP was not read
	Announcer   string `json:"announcer"`   // whom the cloud names, holder or not
	Probe       string `json:"probe"`       // reachable, unreachable or not tried; "" where the roster asks for none
	ProbeReason string `json:"probeReason"` // why it is not reachable, or was not tried
}

func (d Outcome) eventType() string { return "havip." + d.Outcome }

func (d Outcome) subject() string { return d.HAVIP }

// MarshalJSON writes no holders as an empty list, never as null.
func (d Outcome) MarshalJSON() ([]byte, error) {
	type plain Outcome
	if d.Holders == nil {
		d.Holders = []string{}
	}
	return Encode(plain(d))
}

func readOutcome(f *fields) Outcome {
	return Outcome{
		Cloud:     f.name("cloud"),
		Region:    f.name("region"),
		HAVIP:     f.name("havip"),
		Name:      f.name("name"),
		Story:     f.requiredName("story"),
		Outcome:   f.requiredName("outcome"),
		Holders:   f.names("holders", maxHolders),
		Serving:   f.name("serving"),
		Instance:  f.name("instance"),
		Released:  f.flag("released"),
		Attempts:  int(f.number("attempts")),
		Calls:     int(f.number("calls")),
		StartedAt: f.moment("startedAt"),
		EndedAt:   f.moment("endedAt"),
		CloudMs:   f.number("cloudMs"),
		Rule:      f.prose("rule"),
		Code:      f.prose("code"),
		RequestID: f.prose("requestId"),
		Advice:    f.prose("advice"),
		Actor:     f.actor("actor"),
		Roster:    f.name("roster"),

		AnnouncedBy: f.name("announcedBy"),
		Announcer:   f.name("announcer"),
		Probe:       f.name("probe"),
		ProbeReason: f.prose("probeReason"),
	}
}

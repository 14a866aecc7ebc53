// Package api is what a host, the command and the page say to each other over HTTP.
package api

import (
	"time"

	"havip-functions/shared/audit"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// HAVIPs answers GET /api/havips.
type HAVIPs struct {
	HAVIPs []havip.View   `json:"havips"`
	Brakes []havip.Closed `json:"brakes"`

	RosterRefused string `json:"rosterRefused,omitempty"` // why a newer version of its file does not serve
}

// Roster answers GET /api/roster, without a call to a cloud.
type Roster struct {
	Hash    string     `json:"hash"` // of the version that serves
	HAVIPs  []Rostered `json:"havips"`
	Refused string     `json:"refused,omitempty"` // why a newer version of the file does not
}

// Rostered is one HAVIP of a roster.
type Rostered struct {
	Name    string   `json:"name"`
	Cloud   string   `json:"cloud"`
	Region  string   `json:"region"`
	ID      string   `json:"id"`
	Members []string `json:"members"`
}

// NewRostered shows the policy of a HAVIP.
func NewRostered(p havip.Policy) Rostered {
	one := Rostered{Name: p.Name, Cloud: p.Cloud, Region: p.Region, ID: p.ID}
	for _, m := range p.Members {
		one.Members = append(one.Members, m.ID)
	}
	return one
}

// Taken answers POST /events, and a redrive that gave a reason.
type Taken struct {
	Accepted []Accepted `json:"accepted"`
}

// Accepted is what became of one event.
type Accepted struct {
	Source    string   `json:"source"`
	ID        string   `json:"id"`
	Duplicate bool     `json:"duplicate"`
	Stories   []string `json:"stories"`
}

// Plans answers POST /api/plan, and a redrive without a reason.
type Plans struct {
	Plans []havip.Plan `json:"plans"`
}

// DeadLetters answers GET /api/deadletters, without their bytes.
type DeadLetters struct {
	DeadLetters []ledger.DeadLetter `json:"deadLetters"`
}

// Redriving asks to try a dead letter again, as its sender's or as an operator's.
type Redriving struct {
	Reason     string `json:"reason"` // without it only the plans are told
	AsOperator bool   `json:"asOperator"`
	Actor      string `json:"actor,omitempty"`
}

// Lifting asks to open the brake; the audit keeps who did.
type Lifting struct {
	Actor  string `json:"actor,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Freezing asks to freeze one HAVIP, by id or name, or all of them.
type Freezing struct {
	HAVIP  string    `json:"havip"`
	All    bool      `json:"all"`
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
	Actor  string    `json:"actor"`
}

// Frozen answers POST /api/freeze: the ids of those that are.
type Frozen struct {
	Frozen []string `json:"frozen"`
}

// Audit answers GET /api/audit: the next lines behind an entry, none behind the last.
type Audit struct {
	Lines []audit.Line `json:"lines"`
}

// Lifted answers POST /api/lift: the brakes that were closed.
type Lifted struct {
	Lifted []havip.Closed `json:"lifted"`
}

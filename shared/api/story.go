package api

import (
	"time"

	"havip-functions/shared/havip"
)

// Stories answers GET /api/stories, the newest first.
type Stories struct {
	Stories []Story `json:"stories"`
	Next    string  `json:"next"` // where the next page begins; empty on the last
}

// Story is a story as the API shows it.
type Story struct {
	ID        string         `json:"id"`
	Event     havip.EventRef `json:"event"`
	Cloud     string         `json:"cloud"`
	Region    string         `json:"region"`
	HAVIP     string         `json:"havip"`
	Name      string         `json:"name"`
	Want      havip.Want     `json:"want"`
	Attempt   int            `json:"attempt"`
	StartedAt time.Time      `json:"startedAt"`
	NextAt    time.Time      `json:"nextAt"`
	Deadline  time.Time      `json:"deadline"`
	EndedAt   *time.Time     `json:"endedAt"`
	Outcome   *havip.Outcome `json:"outcome"`
	Released  bool           `json:"released"`
	Reason    string         `json:"reason"`
	Advice    string         `json:"advice"`
	Code      string         `json:"code"`
	RequestID string         `json:"requestId"`
	Instance  string         `json:"instance"`
	Status    havip.Status   `json:"status"`
	Holders   []string       `json:"holders"`
	havip.Announcement
	havip.Witness
	Successor string        `json:"successor,omitempty"`
	Steps     []havip.Taken `json:"steps"`

	Looks []havip.Glance `json:"looks"` // what each look read that told something new
	Waits string         `json:"waits"` // why the last look of an open story did nothing
}

// NewStory shows a story.
func NewStory(s havip.Story) Story {
	v := Story{
		ID: s.ID, Event: s.Event, Cloud: s.HAVIP.Cloud, Region: s.HAVIP.Region, HAVIP: s.HAVIP.ID, Name: s.Name,
		Want: s.Want, Attempt: s.Attempt, StartedAt: s.StartedAt, NextAt: s.NextAt, Deadline: s.Deadline,
		Released: !s.Unreleased, Reason: s.Rule, Advice: s.Advice, Code: s.Code, RequestID: s.RequestID,
		Instance: s.Instance, Status: s.Status, Holders: s.Holders, Announcement: s.Announcement, Successor: s.Successor, Steps: s.Steps, Witness: s.Witness,
	}
	v.Looks, v.Waits = s.Looks, s.Waits()
	if v.Looks == nil {
		v.Looks = []havip.Glance{}
	}
	if v.Steps == nil {
		v.Steps = []havip.Taken{}
	}
	if v.Holders == nil {
		v.Holders = []string{}
	}
	if !s.Open() {
		v.EndedAt, v.Outcome = &s.EndedAt, &s.Outcome
	}
	return v
}

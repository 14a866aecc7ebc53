// Package audit chains by their hashes what was done, so that a copy shows where an entry
// was changed, taken out or put in.
package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Deed is what was done, or asked for and refused.
type Deed struct {
	Kind   string `json:"kind"` // story, freeze, lift, redrive or refused
	ID     string `json:"id"`   // its own among those of its kind
	HAVIP  string `json:"havip,omitempty"`
	Actor  string `json:"actor,omitempty"`
	Reason string `json:"reason,omitempty"`
	Scope  string `json:"scope"` // of the proof that it takes, or that was not enough
	Roster string `json:"roster,omitempty"`
	What   any    `json:"what,omitempty"`
}

// Entry is a deed in its place.
type Entry struct {
	N      uint64    `json:"n"`      // 1 for the first
	Before string    `json:"before"` // the hash of the entry before; empty for the first
	At     time.Time `json:"at"`     // when it was written down
	Deed
}

// Line is an entry as it is kept and copied: its JSON, and the SHA-256 of that in hex.
type Line struct {
	Hash  string          `json:"hash"`
	Entry json.RawMessage `json:"entry"`
}

// Head is how far a chain goes. The zero one is empty.
type Head struct {
	N    uint64
	Hash string
}

// Next is the line that puts a deed behind the head.
func (h Head) Next(d Deed, now time.Time) (Line, error) {
	text, err := json.Marshal(Entry{N: h.N + 1, Before: h.Hash, At: now, Deed: d})
	return Line{Hash: hash(text), Entry: text}, err
}

func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Follow is the head behind a line, or what doesn't hold of it.
func (h Head) Follow(l Line) (Head, error) {
	var text bytes.Buffer
	var e Entry
	if json.Compact(&text, l.Entry) != nil || json.Unmarshal(l.Entry, &e) != nil {
		return h, fmt.Errorf("entry %d can't be read", h.N+1)
	}
	switch {
	case hash(text.Bytes()) != l.Hash:
		return h, fmt.Errorf("entry %d was changed: its hash is another", h.N+1)
	case e.N != h.N+1:
		return h, fmt.Errorf("entry %d is missing or out of place: entry %d stands there", h.N+1, e.N)
	case e.Before != h.Hash:
		return h, fmt.Errorf("entry %d does not follow on the one before: that was changed, or this comes from elsewhere", e.N)
	}
	return Head{e.N, l.Hash}, nil
}

// Verify reads a whole copy, a line an entry, and returns how far its chain holds, with
// what is wrong with the first entry beyond.
func Verify(from io.Reader) (h Head, err error) {
	lines := json.NewDecoder(from)
	lines.DisallowUnknownFields() // what stands beside an entry is under no hash
	for {
		var l Line
		switch err = lines.Decode(&l); {
		case errors.Is(err, io.EOF):
			return h, nil
		case err != nil:
			return h, fmt.Errorf("entry %d can't be read", h.N+1)
		}
		if h, err = h.Follow(l); err != nil {
			return h, err
		}
	}
}

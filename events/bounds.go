package events

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// How much a field may hold, in bytes. Our own events leave under the same
// bounds, and each must fit what Function Compute takes of one: MaxEvent.
const (
	maxShort      = 256 // an id, source, type, subject or cause; a name in the data; an actor
	maxProse      = 1000
	maxTime       = 64
	maxTraceState = 512 // https://www.w3.org/TR/trace-context/#tracestate-limits
	maxCarried    = 64 << 10

	maxHolders = 64 // of an outcome, in names
)

// over says what is wrong with a length in bytes; nothing where it is allowed.
func over(length, most int) string {
	if length <= most {
		return ""
	}
	return fmt.Sprintf("is %d bytes long; %d are allowed", length, most)
}

// fitting is the text, or nothing where it is too long.
func fitting(text string, most int) string {
	if len(text) > most {
		return ""
	}
	return text
}

// composed is an id that we make of a cloud's words. One that would be too long
// becomes its SHA-256: the same words have the same id.
func composed(id string) string {
	if len(id) <= maxShort {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

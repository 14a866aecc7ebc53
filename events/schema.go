package events

import (
	"embed"
	"strings"
)

//go:embed schema
var schemas embed.FS

// Schema returns the JSON Schema (2020-12) of an event type's data, or of what
// those refer to: its name is the type, or its file's. The readers in this
// package check the same and are what counts; a test holds the two together.
func Schema(name string) ([]byte, bool) {
	text, err := schemas.ReadFile("schema/" + strings.TrimSuffix(name, ".json") + ".json")
	return text, err == nil
}

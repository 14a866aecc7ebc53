package roster

import (
	"bytes"
	_ "embed" // for roster.yaml
)

//go:embed roster.yaml
var builtin []byte

// Builtin returns the roster of the simulator's built-in world.
func Builtin() []byte { return bytes.Clone(builtin) }

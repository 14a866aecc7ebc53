package yamlfile

import (
	"fmt"
	"strconv"
	"strings"
)

// Problem is one thing that is wrong with a document.
type Problem struct {
	Kind string // roster
	File string // where it was read from; empty if it came as text
	Line int    // 0 where the whole is meant
	Path string // havips[0].hold
	Text string // what is wrong, and what to do
}

// Error is one line.
func (p *Problem) Error() string {
	var where []string
	switch {
	case p.File != "" && p.Line > 0:
		where = append(where, fmt.Sprintf("%s:%d", p.File, p.Line))
	case p.File != "":
		where = append(where, p.File)
	case p.Line > 0:
		where = append(where, fmt.Sprintf("line %d", p.Line))
	default:
		where = append(where, p.Kind)
	}
	if p.Path != "" {
		where = append(where, p.Path)
	}
	return strings.Join(append(where, p.Text), ": ")
}

// Shown quotes a value so that it stays one short line.
func Shown(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}

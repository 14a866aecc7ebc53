package roster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxBytes bounds a roster; one of a thousand HAVIPs has a fifth of it.
const maxBytes = 1 << 20

// Problem is one thing that is wrong with a roster.
type Problem struct {
	File string // where it was read from; empty if it came as bytes
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
		where = append(where, "roster")
	}
	if p.Path != "" {
		where = append(where, p.Path)
	}
	return strings.Join(append(where, p.Text), ": ")
}

// reader walks a YAML document and collects its problems.
type reader struct {
	file     string
	problems []error
}

func (r *reader) err() error { return errors.Join(r.problems...) }

func (r *reader) fail(n *yaml.Node, path, format string, args ...any) {
	p := &Problem{File: r.file, Path: path, Text: fmt.Sprintf(format, args...)}
	if n != nil {
		p.Line = n.Line
	}
	r.problems = append(r.problems, p)
}

// document parses the one document of a roster. Nodes keep the lines, and leave
// aliases alone: nothing grows.
func (r *reader) document(data []byte) *yaml.Node {
	if len(data) > maxBytes {
		r.fail(nil, "", "larger than %d bytes; split it", maxBytes)
		return nil
	}
	if !utf8.Valid(data) {
		r.fail(nil, "", "not UTF-8; encode it so")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		r.fail(nil, "", "empty; it must have havips")
		return nil
	} else if err != nil {
		r.syntax(err)
		return nil
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		r.fail(&second, "", "more than one document; keep the first only")
		return nil
	}
	return doc.Content[0]
}

// syntax turns "yaml: line 3: did not find …" into a problem.
func (r *reader) syntax(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	p := &Problem{File: r.file, Text: "not YAML: " + text}
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		number, words, _ := strings.Cut(rest, ": ")
		if line, err := strconv.Atoi(number); err == nil {
			p.Line, p.Text = line, "not YAML: "+words
		}
	}
	r.problems = append(r.problems, p)
}

// shown quotes a value so that it stays one short line.
func shown(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}

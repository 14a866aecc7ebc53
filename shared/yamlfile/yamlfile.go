// Package yamlfile reads a YAML document strictly: known keys, each of them once,
// no aliases, and one document. It goes on after a mistake, and says of each its
// file, line and path, and what to do about it.
package yamlfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxBytes bounds a document; a roster of ten thousand HAVIPs has a third of it.
// The parser bounds how deep it may be nested.
const maxBytes = 4 << 20

// File is the text of a document, and how its problems name it.
type File struct {
	Kind string // roster; it stands where there is neither path nor line
	Path string // empty for a text that is in no file
	Text []byte
}

// Load reads a file, and no more of it than will be looked at.
func Load(kind, path string) (File, error) {
	file, err := os.Open(path)
	if err != nil {
		return File{}, fmt.Errorf("%s: %w; write one, or name another", kind, err)
	}
	defer file.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", kind, err)
	}
	return File{Kind: kind, Path: path, Text: text}, nil
}

// Mapping parses the document, whose top has the given keys. Nothing of an empty
// one is there. An error means that it is not even YAML; what else is wrong with
// it is in [Mapping.Err], once everything has been asked for.
func (f File) Mapping(keys ...string) (Mapping, error) {
	r := &reader{file: f}
	top := Mapping{reader: r, node: r.document(f.Text)}
	if err := r.Err(); err != nil {
		return Mapping{}, err
	}
	return r.mapping(top.node, "", keys), nil
}

// reader collects the problems of a document.
type reader struct {
	file     File
	problems []error
}

// Err joins one [*Problem] for each thing that was wrong so far.
func (r *reader) Err() error { return errors.Join(r.problems...) }

// Fail notes a problem at a node, or of the whole where there is none.
func (r *reader) Fail(n *yaml.Node, path, format string, args ...any) {
	p := &Problem{Kind: r.file.Kind, File: r.file.Path, Path: path, Text: fmt.Sprintf(format, args...)}
	if n != nil {
		p.Line = n.Line
	}
	r.problems = append(r.problems, p)
}

// document parses text without resolving aliases, so that nothing grows. It is
// nil where the text is empty.
func (r *reader) document(text []byte) *yaml.Node {
	if len(text) > maxBytes {
		r.Fail(nil, "", "larger than %d bytes; split it", maxBytes)
		return nil
	}
	if !utf8.Valid(text) {
		r.Fail(nil, "", "not UTF-8; encode it so")
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var doc, second yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		r.syntax(err)
		return nil
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		r.Fail(&second, "", "more than one document; keep the first only")
		return nil
	}
	return doc.Content[0]
}

// syntax turns "yaml: line 3: did not find …" into a problem. Where the parser misses
// something it counts lines from 0, and may name that of the block around it.
func (r *reader) syntax(err error) {
	text, at := strings.TrimPrefix(err.Error(), "yaml: "), &yaml.Node{}
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		number, words, _ := strings.Cut(rest, ": ")
		if line, err := strconv.Atoi(number); err == nil {
			at.Line, text = line, words
		}
		if strings.HasPrefix(text, "did not find expected") {
			at.Line++
			text += ", here or in the block that begins here"
		}
	}
	r.Fail(at, "", "not YAML: %s", text)
}

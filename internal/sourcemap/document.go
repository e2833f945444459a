// Package sourcemap finds where in a YAML or JSON file a field of a document stands, and a place within its text.
//
// Diagnostics speak of a field and of a line and column of its value. Editors and code hosts want those of the file. The
// package knows YAML's ways to write a text, and nothing of what documents mean.
package sourcemap

import (
	"bytes"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Document is one document of a file.
type Document struct {
	// Text is the document as it is written.
	Text []byte
	// before is how many lines of the file stand before the document.
	before int

	root  *yaml.Node
	lines []string
}

// Split parts a file into its documents, without those that are empty. A separator is a line that begins with ---, as
// Kubernetes has it.
func Split(data []byte) []*Document {
	var documents []*Document
	start, line, at := 0, 0, 0
	end := func(to int) {
		if text := data[start:to]; len(bytes.TrimSpace(text)) > 0 {
			documents = append(documents, &Document{Text: text, before: at})
		}
	}
	for offset := 0; offset < len(data); line++ {
		next := len(data)
		if i := bytes.IndexByte(data[offset:], '\n'); i >= 0 {
			next = offset + i + 1
		}
		if bytes.HasPrefix(data[offset:next], []byte("---")) {
			end(offset)
			start, at = next, line+1
		}
		offset = next
	}
	end(len(data))
	return documents
}

// Padded is the text behind as many empty lines as stand before it in the file, so that parsers name the file's lines.
func (d *Document) Padded() []byte {
	return append(bytes.Repeat([]byte("\n"), d.before), d.Text...)
}

// Parse reads the structure of the document.
func (d *Document) Parse() error {
	var node yaml.Node
	padded := d.Padded()
	if err := yaml.Unmarshal(padded, &node); err != nil {
		return err
	}
	if len(node.Content) > 0 {
		d.root = node.Content[0]
	}
	d.lines = strings.Split(string(padded), "\n")
	return nil
}

// Position returns the line and column of the file, both counted from 1 and columns in characters, of a place in the
// text of a field such as spec.references[0].key. Line and column of the text count from 1; 0 is the field itself, which
// is where its key stands. A field that is not written is where the nearest one around it is.
func (d *Document) Position(field string, line, column int) (fileLine, fileColumn int) {
	if d.root == nil {
		return d.before + 1, 1
	}
	key, value, whole := find(d.root, d.root, segments(field))
	if key.Line > len(d.lines) {
		return d.before + 1, 1 // characters that end a line for YAML and for nobody else
	}
	if line > 0 && whole && value.Kind == yaml.ScalarNode {
		if at, ok := d.within(value, line, column); ok {
			return at.line, at.column
		}
	}
	return key.Line, key.Column
}

// find follows a path as far as it is written: to a value and its key, which for an item is the value itself. whole is
// true when that is all of the path.
func find(key, value *yaml.Node, path []string) (foundKey, foundValue *yaml.Node, whole bool) {
	for value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	if len(path) == 0 {
		return key, value, true
	}
	if value.Kind == yaml.SequenceNode {
		if i, err := strconv.Atoi(path[0]); err == nil && 0 <= i && i < len(value.Content) {
			return find(value.Content[i], value.Content[i], path[1:])
		}
	}
	if value.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(value.Content); i += 2 {
			if value.Content[i].Value == path[0] {
				return find(value.Content[i], value.Content[i+1], path[1:])
			}
		}
	}
	return key, value, false
}

// segments parts a path at its dots and brackets: a.b[0].c[x.y] is a, b, 0, c, x.y.
func segments(path string) []string {
	var out []string
	for path != "" {
		switch path[0] {
		case '.':
			path = path[1:]
		case '[':
			key, rest, _ := strings.Cut(path[1:], "]")
			out, path = append(out, key), rest
		default:
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			out, path = append(out, path[:end]), path[end:]
		}
	}
	return out
}

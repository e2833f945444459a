package sourcemap

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// place is a line and a column of a document, both counted from 1.
type place struct{ line, column int }

// within finds a place of a scalar's value in the document. It reads both side by side; ok is false when they do not
// fit, as for a value that YAML made of something else.
func (d *Document) within(node *yaml.Node, line, column int) (at place, ok bool) {
	r := d.reader(node)
	if r == nil {
		return place{}, false
	}
	here := place{1, 1}
	for _, char := range node.Value {
		at, ok := r.take(char)
		if !ok || here == (place{line, column}) {
			return at, ok
		}
		if here.column++; char == '\n' {
			here = place{here.line + 1, 1}
		}
	}
	// The end of the value is behind its last character.
	return r.place, here == place{line, column}
}

// reader reads the characters of a scalar as they are written.
type reader struct {
	place

	lines [][]rune
	style yaml.Style
	// indent is how many columns of each line are not the value's, in a block.
	indent int
}

// reader begins at the first character of a scalar's value.
func (d *Document) reader(node *yaml.Node) *reader {
	r := &reader{place: place{node.Line, node.Column}, style: node.Style &^ yaml.TaggedStyle}
	for _, line := range d.lines {
		r.lines = append(r.lines, []rune(strings.TrimSuffix(line, "\r")))
	}
	if r.line < 1 || r.line > len(r.lines) {
		return nil
	}
	switch r.style {
	case yaml.LiteralStyle, yaml.FoldedStyle:
		r.block()
	case yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle:
		r.skipProperties()
		r.column++ // the quote
	default:
		r.skipProperties()
	}
	return r
}

// rest is what the current line has from here on.
func (r *reader) rest() []rune {
	if r.line > len(r.lines) {
		return nil
	}
	line := r.lines[r.line-1]
	return line[min(r.column-1, len(line)):]
}

// skipProperties passes an anchor or a tag before the value.
func (r *reader) skipProperties() {
	for len(r.rest()) > 0 && strings.ContainsRune("&!", r.rest()[0]) {
		text := string(r.rest())
		after := strings.TrimLeft(strings.TrimLeft(text, "&!"), "&!")
		_, after, _ = strings.Cut(after, " ")
		r.column += len(r.rest()) - len([]rune(strings.TrimLeft(after, " ")))
	}
}

// block goes to the first line below the indicator, and finds the indentation: that of the first line that has text, or
// what the indicator says.
func (r *reader) block() {
	header := string(r.rest())
	around := indentation(r.lines[r.line-1], " -")
	r.line++
	for i := r.line; i <= len(r.lines); i++ {
		if line := r.lines[i-1]; strings.TrimSpace(string(line)) != "" {
			r.indent = indentation(line, " ")
			break
		}
	}
	if start := strings.IndexAny(header, "|>"); start >= 0 {
		for _, char := range header[start+1 : min(start+3, len(header))] {
			if '1' <= char && char <= '9' {
				r.indent = min(r.indent, around+int(char-'0'))
			}
		}
	}
	r.column = r.indent + 1
}

func indentation(line []rune, of string) int {
	return len(line) - len([]rune(strings.TrimLeft(string(line), of)))
}

// take reads one character of the value and returns where it stands.
func (r *reader) take(char rune) (at place, ok bool) {
	if r.style == yaml.LiteralStyle {
		return r.literal(char)
	}
	space := char == ' ' || char == '\n'
	if space && r.ends() {
		return r.place, true // the end of a line is a space or a line break, or several of these
	}
	if !space {
		r.nextText()
	}
	at = r.place
	length := r.written(char)
	r.column += length
	return at, length > 0
}

// literal reads a character of a literal block, in which lines are lines.
func (r *reader) literal(char rune) (at place, ok bool) {
	at = r.place
	rest := r.rest()
	if char == '\n' {
		r.line, r.column = r.line+1, r.indent+1
		return at, len(rest) == 0
	}
	r.column++
	return at, len(rest) > 0 && rest[0] == char
}

// ends reports whether nothing of the value is left on the current line.
func (r *reader) ends() bool {
	rest := strings.TrimRight(string(r.rest()), " \t")
	return rest == "" || rest == `\` && r.style == yaml.DoubleQuotedStyle
}

// nextText passes the ends of lines, and the white space that the next one begins with.
func (r *reader) nextText() {
	for r.ends() && r.line < len(r.lines) {
		r.line++
		r.column = 1 + indentation(r.lines[r.line-1], " \t")
	}
}

// written is how many characters are written for one of the value; 0 is that they do not fit.
func (r *reader) written(char rune) int {
	rest := r.rest()
	switch {
	case len(rest) == 0:
		return 0
	case r.style == yaml.SingleQuotedStyle && char == '\'':
		if len(rest) > 1 && rest[0] == '\'' && rest[1] == '\'' {
			return 2
		}
		return 0
	case r.style == yaml.DoubleQuotedStyle && rest[0] == '\\':
		return escape(rest, char)
	case rest[0] == char:
		return 1
	default:
		return 0
	}
}

// escapes are the characters that one letter behind a backslash stands for.
var escapes = map[rune]rune{
	'0': 0, 'a': '\a', 'b': '\b', 't': '\t', '\t': '\t', 'n': '\n', 'v': '\v', 'f': '\f', 'r': '\r', 'e': 0x1b,
	' ': ' ', '"': '"', '/': '/', '\\': '\\', 'N': 0x85, '_': 0xa0, 'L': 0x2028, 'P': 0x2029,
}

// escape is the length of the escape sequence for a character, 0 when it is another's.
func escape(written []rune, want rune) int {
	if len(written) < 2 {
		return 0
	}
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[written[1]]
	if digits == 0 {
		if char, ok := escapes[written[1]]; ok && char == want {
			return 2
		}
		return 0
	}
	if len(written) < 2+digits {
		return 0
	}
	code, err := strconv.ParseUint(string(written[2:2+digits]), 16, 32)
	if err != nil || rune(code) != want { //nolint:gosec // eight digits of a code point
		return 0
	}
	return 2 + digits
}

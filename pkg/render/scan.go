package render

import (
	"strings"

	"github.com/clusterimport/clusterimport/pkg/diag"
)

// CodeUnterminated is a ${ without its }.
const CodeUnterminated diag.Code = "TEXT-UNTERMINATED"

// piece is a part of a text: literal text, or the source of an expression.
type piece struct {
	text string
	// expr says that text is an expression; offset is where it begins in the scanned text.
	expr   bool
	offset int
}

// scan splits text at its ${…}. $${ is a literal ${. When an expression has no end, unterminated is the offset
// of its ${, else it is -1.
func scan(text string) (pieces []piece, unterminated int) {
	var literal strings.Builder
	flush := func() {
		if literal.Len() > 0 {
			pieces = append(pieces, piece{text: literal.String()})
			literal.Reset()
		}
	}
	for i := 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], "$${"):
			literal.WriteString("${")
			i += len("$${")
		case strings.HasPrefix(text[i:], "${"):
			flush()
			start := i + len("${")
			end := expressionEnd(text, start)
			if end < 0 {
				return nil, i
			}
			pieces = append(pieces, piece{text: text[start:end], expr: true, offset: start})
			i = end + len("}")
		default:
			literal.WriteByte(text[i])
			i++
		}
	}
	flush()
	return pieces, -1
}

// expressionEnd returns the offset of the } that ends the CEL expression at start, or -1. Braces of maps nest,
// and those within strings and comments do not count.
func expressionEnd(text string, start int) int {
	depth := 0
	for i := start; i < len(text); {
		switch c := text[i]; c {
		case '{':
			depth++
			i++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
			i++
		case '\'', '"':
			i = stringEnd(text, start, i)
		case '`':
			i = skipTo(text, i+1, "`")
		case '/':
			if strings.HasPrefix(text[i:], "//") {
				i = skipTo(text, i, "\n")
			} else {
				i++
			}
		default:
			i++
		}
		if i < 0 {
			return -1
		}
	}
	return -1
}

// stringEnd returns the offset after the CEL string literal whose quote is at i, or -1.
func stringEnd(text string, start, i int) int {
	raw := isRaw(text, start, i)
	quote := text[i : i+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(text[i:], triple) {
		quote = triple
	}
	for i += len(quote); i < len(text); i++ {
		if text[i] == '\\' && !raw {
			i++
			continue
		}
		if strings.HasPrefix(text[i:], quote) {
			return i + len(quote)
		}
	}
	return -1
}

// isRaw reports whether the quote at i opens a raw string: r"…" or br"…".
func isRaw(text string, start, i int) bool {
	prefix := i
	for prefix > start && isWord(text[prefix-1]) {
		prefix--
	}
	return strings.EqualFold(text[prefix:i], "r") || strings.EqualFold(text[prefix:i], "br") ||
		strings.EqualFold(text[prefix:i], "rb")
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// skipTo returns the offset after the next end at or after i, or -1.
func skipTo(text string, i int, end string) int {
	n := strings.Index(text[i:], end)
	if n < 0 {
		return -1
	}
	return i + n + len(end)
}

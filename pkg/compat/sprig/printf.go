package sprig

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// maxWidth bounds the width and the precision of a verb.
const maxWidth = 4096

// maxFormatted bounds what printf may make before it is seen to be too large.
const maxFormatted = 16 << 20

var (
	errStarWidth = expr.Failuref(expr.CodeTooExpensive, "a width must be written in the format, not taken from an argument (*)")
	errWideVerb  = expr.Failuref(expr.CodeTooExpensive, "a width or a precision is larger than %d", maxWidth)
	errAddress   = expr.Failuref(expr.CodeFunction, "the verb %%p prints an address, which differs each time")
	errTypeName  = expr.Failuref(expr.CodeFunction, "the verb %%T prints a Go type, which only a text, a number or a bool has here")
)

// printf is fmt.Sprintf for formats that bound what they print.
func printf(a args) (any, error) {
	format, values := a.text(0), a[1:]
	verbs, err := scanFormat(format)
	if err != nil {
		return nil, err
	}
	if err := affordable(format, verbs, values); err != nil {
		return nil, err
	}
	return fmt.Sprintf(format, values...), nil
}

// affordable refuses what prints too much, and what prints Go's own affairs.
func affordable(format string, verbs []verb, values args) error {
	all, err := weigh(values...)
	if err != nil {
		return err
	}
	composite := false
	for _, v := range values {
		switch v.(type) {
		case []any, map[string]any:
			composite = true
		}
	}
	widest, total := 0, len(format)
	for _, v := range verbs {
		switch {
		case composite && v.letter == 'p':
			return errAddress
		case composite && v.letter == 'T':
			return errTypeName
		}
		widest = max(widest, v.cost())
		total += v.cost()
	}
	// Each argument is printed once, by the verb that costs most at worst. With [n] it may be by every verb.
	uses := 1
	if strings.Contains(format, "[") {
		uses = len(verbs)
	}
	if perUse := all.items*max(widest, plainCost) + 10*all.bytes; total+uses*perUse > maxFormatted {
		return errTextTooLarge
	}
	return nil
}

// verb is a directive of a format.
type verb struct {
	letter rune
	width  int
}

// plainCost is more than a number or a bool takes without a width; a float in full has some 310 digits.
const (
	plainCost = 80
	floatCost = 400
)

// cost bounds the bytes of one number that the verb prints.
func (v verb) cost() int {
	if v.letter == 'f' || v.letter == 'F' {
		return floatCost + v.width
	}
	return plainCost + v.width
}

// scanFormat finds the directives exactly as package fmt does: flags, [n], width, precision, [n], letter. No width
// may hide from it.
func scanFormat(format string) ([]verb, error) {
	var verbs []verb
	for {
		_, rest, found := strings.Cut(format, "%")
		if !found {
			return verbs, nil
		}
		rest, indexed := skipIndex(strings.TrimLeft(rest, "#0+- "))
		rest, width, err := scanWidth(rest)
		if err != nil {
			return nil, err
		}
		if len(rest) > 1 && rest[0] == '.' {
			var precision int
			rest, indexed = skipIndex(rest[1:])
			if rest, precision, err = scanWidth(rest); err != nil {
				return nil, err
			}
			width = max(width, precision)
		}
		if !indexed {
			rest, _ = skipIndex(rest)
		}
		letter, size := utf8.DecodeRuneInString(rest)
		verbs = append(verbs, verb{letter, width})
		format = rest[size:]
	}
}

// skipIndex steps over [n], and over brackets that hold something else, as package fmt does; it reports whether
// there was a number in them.
func skipIndex(s string) (rest string, indexed bool) {
	if !strings.HasPrefix(s, "[") {
		return s, false
	}
	end := strings.IndexByte(s, ']')
	if end < 0 || len(s) < 3 {
		return s[1:], false
	}
	digits := s[1:end]
	n := 0
	for _, c := range []byte(digits) {
		if c < '0' || c > '9' || n > 1_000_000 {
			return s[end+1:], false
		}
		n = n*10 + int(c-'0')
	}
	return s[end+1:], digits != ""
}

// scanWidth reads a number, which need not be there.
func scanWidth(s string) (rest string, width int, err error) {
	if strings.HasPrefix(s, "*") {
		return "", 0, errStarWidth
	}
	i := 0
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		if width = width*10 + int(s[i]-'0'); width > maxWidth {
			return "", 0, errWideVerb
		}
	}
	return s[i:], width, nil
}

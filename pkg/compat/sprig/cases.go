package sprig

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

var caseFunctions = map[string]spec{
	"title":     {"s", KindString, onText(strings.Title)}, //nolint:staticcheck // its rules of words are what templates have
	"untitle":   {"s", KindString, onText(untitle)},
	"swapcase":  {"s", KindString, onText(swapCase)},
	"camelcase": {"s", KindString, onText(camelCase)},
	"snakecase": {"s", KindString, onText(func(s string) string { return delimitedCase(s, '_') })},
	"kebabcase": {"s", KindString, onText(func(s string) string { return delimitedCase(s, '-') })},
}

// untitle makes the first letter of each word small.
func untitle(s string) string {
	start := true
	return mapRunes(s, func(r rune) rune {
		space := unicode.IsSpace(r)
		if start && !space {
			r = unicode.ToLower(r)
		}
		start = space
		return r
	})
}

// swapCase makes small letters capital and the other way round. A small letter at the start of a word gets its
// title form, which differs in few languages.
func swapCase(s string) string {
	start := true
	return mapRunes(s, func(r rune) rune {
		switch {
		case unicode.IsUpper(r), unicode.IsTitle(r):
			start = false
			return unicode.ToLower(r)
		case unicode.IsLower(r) && start:
			start = false
			return unicode.ToTitle(r)
		case unicode.IsLower(r):
			return unicode.ToUpper(r)
		}
		start = unicode.IsSpace(r)
		return r
	})
}

// mapRunes is strings.Map for functions that drop nothing; bytes that are no UTF-8 become the replacement character.
func mapRunes(s string, f func(rune) rune) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		b.WriteRune(f(r))
	}
	return b.String()
}

func isConnector(r rune) bool {
	return r == '-' || r == '_' || unicode.IsSpace(r)
}

// camelCase joins words and makes their first letter capital. Connectors at the start stay, of several in a row
// all but the last one do, and a word in capitals keeps only its first.
func camelCase(s string) string {
	body := strings.TrimLeftFunc(s, isConnector)
	if body == "" {
		if s != "" {
			r, _ := utf8.DecodeLastRuneInString(s)
			s += string(r)
		}
		return s
	}
	var b strings.Builder
	b.WriteString(s[:len(s)-len(body)])
	last, size := utf8.DecodeRuneInString(body)
	capitals := unicode.IsUpper(last)
	last = unicode.ToUpper(last)
	for _, r := range body[size:] {
		switch {
		case !isConnector(last):
			b.WriteRune(last)
			capitals = capitals && unicode.IsUpper(r)
			if capitals {
				r = unicode.ToLower(r)
			}
		case isConnector(r):
			b.WriteRune(last)
		default:
			capitals = unicode.IsUpper(r)
			r = unicode.ToUpper(r)
		}
		last = r
	}
	b.WriteRune(last)
	return b.String()
}

package sprig

import (
	"strings"
	"unicode"
)

var wordFunctions = map[string]spec{
	"nospace":    {"s", KindString, onText(noSpace)},
	"initials":   {"s", KindString, onText(initials)},
	"abbrev":     {"is", KindString, func(a args) (any, error) { return abbreviate(0, a.num(0), a.text(1)), nil }},
	"abbrevboth": {"iis", KindString, func(a args) (any, error) { return abbreviate(a.num(0), a.num(1), a.text(2)), nil }},
	"wrap":       {"is", KindString, func(a args) (any, error) { return wrap(a.text(1), a.num(0), "\n", false) }},
	"wrapWith":   {"iss", KindString, func(a args) (any, error) { return wrap(a.text(2), a.num(0), a.text(1), true) }},
}

// noSpace removes white space. It takes each byte for a character, as the original does, so a text that is not
// ASCII comes out wrong if there is any white space in it.
func noSpace(s string) string {
	var b strings.Builder
	found := false
	for _, c := range []byte(s) {
		if unicode.IsSpace(rune(c)) {
			found = true
			continue
		}
		b.WriteRune(rune(c))
	}
	if !found {
		return s
	}
	return b.String()
}

// initials are the first bytes of words, each taken for a character.
func initials(s string) string {
	var b strings.Builder
	start := true
	for _, c := range []byte(s) {
		space := unicode.IsSpace(rune(c))
		if start && !space {
			b.WriteRune(rune(c))
		}
		start = space
	}
	return b.String()
}

// abbreviate cuts a text to a width in bytes, dots included, from about offset on.
func abbreviate(offset, width int, s string) string {
	const dots = "..."
	if width < 4 || offset > 0 && width < 7 || len(s) <= width {
		return s
	}
	kept := width - len(dots)
	offset = min(offset, len(s)-kept)
	switch {
	case offset <= 4:
		return s[:kept] + dots
	case offset+kept < len(s):
		return dots + abbreviate(0, kept, s[offset:])
	}
	return dots + s[len(s)-kept:]
}

// wrap breaks a text into lines of a width in bytes at spaces, and words that are longer if cut is set. Spaces at
// the start of a line vanish.
func wrap(s string, width int, newline string, cut bool) (string, error) {
	width = max(width, 1)
	if newline == "" {
		newline = "\n"
	}
	var b strings.Builder
	for len(s) > width {
		if s[0] == ' ' {
			s = s[1:]
			continue
		}
		end, skip := strings.LastIndexByte(s[:width+1], ' '), 1
		if end < 0 && cut {
			end, skip = width, 0
		}
		if end < 0 {
			next := strings.IndexByte(s[width:], ' ')
			if next < 0 {
				break
			}
			end = width + next
		}
		b.WriteString(s[:end])
		b.WriteString(newline)
		if s = s[end+skip:]; b.Len() > maxText {
			return "", errTextTooLarge
		}
	}
	b.WriteString(s)
	return b.String(), nil
}

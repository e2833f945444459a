package sprig

import (
	"strconv"
	"strings"
)

var stringFunctions = map[string]spec{
	"trim":       {"s", KindString, onText(strings.TrimSpace)},
	"trimAll":    {"ss", KindString, onTexts(func(cutset, s string) string { return strings.Trim(s, cutset) })},
	"trimall":    {"ss", KindString, onTexts(func(cutset, s string) string { return strings.Trim(s, cutset) })},
	"trimPrefix": {"ss", KindString, onTexts(func(prefix, s string) string { return strings.TrimPrefix(s, prefix) })},
	"trimSuffix": {"ss", KindString, onTexts(func(suffix, s string) string { return strings.TrimSuffix(s, suffix) })},
	"contains":   {"ss", KindBool, onTexts(func(part, s string) bool { return strings.Contains(s, part) })},
	"hasPrefix":  {"ss", KindBool, onTexts(func(prefix, s string) bool { return strings.HasPrefix(s, prefix) })},
	"hasSuffix":  {"ss", KindBool, onTexts(func(suffix, s string) bool { return strings.HasSuffix(s, suffix) })},
	"upper":      {"s", KindString, onText(strings.ToUpper)},
	"lower":      {"s", KindString, onText(strings.ToLower)},
	"replace":    {"sss", KindString, replace},
	"repeat":     {"is", KindString, func(a args) (any, error) { return repeated(a.text(1), a.num(0)) }},
	"trunc":      {"is", KindString, trunc},
	"substr":     {"iis", KindString, substr},
	"indent":     {"is", KindString, func(a args) (any, error) { return indented("", a) }},
	"nindent":    {"is", KindString, func(a args) (any, error) { return indented("\n", a) }},
	"plural":     {"ssi", KindString, plural},
	"quote":      {"a*", KindString, quote},
	"squote":     {"a*", KindString, squote},
	"cat":        {"a*", KindString, cat},
	"toString":   {"a", KindString, func(a args) (any, error) { return textOf(a[0]) }},
	"join":       {"sa", KindString, join},
	"split":      {"ss", KindMap, func(a args) (any, error) { return numbered(a.text(1), a.text(0), -1) }},
	"splitn":     {"sis", KindMap, func(a args) (any, error) { return numbered(a.text(2), a.text(0), a.num(1)) }},
	"splitList":  {"ss", KindList, splitList},
	"toStrings":  {"a", KindList, toStrings},
}

// onText and onTexts make functions of texts into functions of arguments.
func onText[T any](f func(string) T) func(args) (any, error) {
	return func(a args) (any, error) { return f(a.text(0)), nil }
}

func onTexts[T any](f func(string, string) T) func(args) (any, error) {
	return func(a args) (any, error) { return f(a.text(0), a.text(1)), nil }
}

// replace knows the size of its result before it makes it.
func replace(a args) (any, error) {
	old, to, s := a.text(0), a.text(1), a.text(2)
	if len(s)+strings.Count(s, old)*(len(to)-len(old)) > maxText {
		return nil, errTextTooLarge
	}
	return strings.ReplaceAll(s, old, to), nil
}

func repeated(s string, count int) (string, error) {
	switch {
	case count < 0:
		return "", refuse("the count is negative")
	case s != "" && count > maxText/len(s):
		return "", errTextTooLarge
	case s == "":
		return "", nil
	}
	return strings.Repeat(s, count), nil
}

// trunc keeps the first bytes of a text, or the last ones if the count is negative. It cuts characters.
func trunc(a args) (any, error) {
	c, s := a.num(0), a.text(1)
	switch {
	case c < 0 && len(s)+c > 0:
		return s[len(s)+c:], nil
	case c >= 0 && len(s) > c:
		return s[:c], nil
	}
	return s, nil
}

// substr counts bytes. A negative start is the start of the text, a negative or too large end is its end.
func substr(a args) (any, error) {
	start, end, s := a.num(0), a.num(1), a.text(2)
	switch {
	case start < 0:
		start = 0
	case end < 0 || end > len(s):
		end = len(s)
	}
	if end < 0 || end > len(s) || start > end {
		return nil, outOfRange("the range is not within the text")
	}
	return s[start:end], nil
}

func indented(before string, a args) (any, error) {
	pad, err := repeated(" ", a.num(0))
	if err != nil {
		return nil, err
	}
	s := a.text(1)
	padding := len(pad) * (1 + strings.Count(s, "\n"))
	if padding > maxText {
		return nil, errTextTooLarge
	}
	var b strings.Builder
	b.Grow(len(before) + len(s) + padding)
	b.WriteString(before)
	for more := true; more; {
		var line string
		line, s, more = strings.Cut(s, "\n")
		b.WriteString(pad)
		b.WriteString(line)
		if more {
			b.WriteByte('\n')
		}
	}
	return b.String(), nil
}

func plural(a args) (any, error) {
	if a.num(2) == 1 {
		return a.text(0), nil
	}
	return a.text(1), nil
}

func join(a args) (any, error) {
	texts, err := textsOf(a[1])
	if err != nil {
		return nil, err
	}
	if len(texts)*len(a.text(0)) > maxText {
		return nil, errTextTooLarge
	}
	return strings.Join(texts, a.text(0)), nil
}

func toStrings(a args) (any, error) {
	texts, err := textsOf(a[0])
	if err != nil {
		return nil, err
	}
	return listOf(texts), nil
}

// listOf is a list of texts as a value. No list stays none.
func listOf[T any](items []T) []any {
	if items == nil {
		return nil
	}
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = item
	}
	return out
}

// parts splits a text into n parts at most, all if n is negative.
func parts(s, sep string, n int) ([]string, error) {
	if n < 0 || n > maxItems {
		n = maxItems + 1
	}
	out := strings.SplitN(s, sep, n)
	if len(out) > maxItems {
		return nil, errListTooLong
	}
	return out, nil
}

func splitList(a args) (any, error) {
	out, err := parts(a.text(1), a.text(0), -1)
	if err != nil {
		return nil, err
	}
	return listOf(out), nil
}

// numbered is a map of the parts of a text under the keys _0, _1, ….
func numbered(s, sep string, n int) (any, error) {
	texts, err := parts(s, sep, n)
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(texts))
	for i, text := range texts {
		out["_"+strconv.Itoa(i)] = text
	}
	return out, nil
}

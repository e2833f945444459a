package sprig

import (
	"fmt"
	"strings"
)

var printFunctions = map[string]spec{
	"print":    {"a*", KindString, printer(fmt.Sprint)},
	"println":  {"a*", KindString, printer(fmt.Sprintln)},
	"printf":   {"sa*", KindString, printf},
	"html":     {"a*", KindString, escaper(escapeHTML)},
	"js":       {"a*", KindString, escaper(escapeJS)},
	"urlquery": {"a*", KindString, escaper(escapeQuery)},
}

// Print is a value as a template writes it: nothing for null and absent, a list as [a b], a map as map[k:v] with
// sorted keys, and <nil> for a null inside.
func Print(v any) (string, error) {
	if _, absent := v.(Absent); absent || v == nil {
		return "", nil
	}
	s, err := textOf(v)
	if err != nil {
		return "", err
	}
	return s, bounded(s)
}

// textOf is what most functions make of an argument that need not be a text: null is <nil> here.
func textOf(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	if _, err := weigh(v); err != nil {
		return "", err
	}
	return fmt.Sprint(v), nil
}

// textsOf are the texts of the items of v, nulls left out; v itself is the only item if it is not a list.
func textsOf(v any) ([]string, error) {
	items, ok := v.([]any)
	if !ok {
		items = []any{v}
	}
	if _, err := weigh(items...); err != nil {
		return nil, err
	}
	texts := make([]string, 0, len(items))
	for _, item := range items {
		if item != nil {
			texts = append(texts, fmt.Sprint(item))
		}
	}
	return texts, nil
}

func printer(write func(...any) string) func(args) (any, error) {
	return func(a args) (any, error) {
		if _, err := weigh(a...); err != nil {
			return nil, err
		}
		return write(a...), nil
	}
}

// escaper prints its arguments as print does, but an absent one as text/template prints it, and escapes the text.
func escaper(escape func(string) string) func(args) (any, error) {
	return func(a args) (any, error) {
		for i, v := range a {
			if v == nil {
				a[i] = "<no value>"
			}
		}
		if _, err := weigh(a...); err != nil {
			return nil, err
		}
		return escape(fmt.Sprint(a...)), nil
	}
}

func quote(a args) (any, error) {
	return joinEach(a, func(v any) string {
		return fmt.Sprintf("%q", fmt.Sprint(v))
	})
}

func squote(a args) (any, error) {
	return joinEach(a, func(v any) string {
		return "'" + fmt.Sprint(v) + "'"
	})
}

func cat(a args) (any, error) {
	return joinEach(a, func(v any) string { return fmt.Sprint(v) })
}

// joinEach puts spaces between the printed arguments, nulls left out.
func joinEach(a args, write func(any) string) (any, error) {
	if _, err := weigh(a...); err != nil {
		return nil, err
	}
	texts := make([]string, 0, len(a))
	for _, v := range a {
		if v != nil {
			texts = append(texts, write(v))
		}
	}
	return strings.Join(texts, " "), nil
}

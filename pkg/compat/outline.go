package compat

import (
	"fmt"
	"strings"
	"text/template/parse"

	"github.com/clusterimport/clusterimport/pkg/diag"
)

// text/template parses a template of any depth by recursion, and seeks each variable that is used among all that are
// declared. What would take it long is refused before: an outline is what can be known of a template without parsing.

// maxLookups is how many declared variables the parser may look at to find those that are used.
const maxLookups = 4 << 20

// outline goes through the actions of a template.
type outline struct {
	source source
	// depth is how many actions are open; chained are for each of them the else ifs that stand in it.
	depth   int
	chained []int
	// deepest is where too many actions or parentheses stand in each other, -1 if they do not.
	deepest int
	// declared and used are the variables.
	declared, used int
}

// outlined refuses a template that takes the parser too long.
func (s source) outlined() error {
	o := outline{source: s, deepest: -1}
	for at := 0; ; {
		open := strings.Index(s.text[at:], "{{")
		if open < 0 {
			break
		}
		at += open + len("{{")
		body := o.body(at)
		o.action(body, at)
		at += len(body)
	}
	switch {
	case o.deepest >= 0:
		return &refusal{diag.List{s.tooLarge(parse.Pos(o.deepest), tooDeep)}}
	case o.declared*o.used > maxLookups:
		message := fmt.Sprintf("the template is too large: it declares %d variables and uses variables %d times", o.declared, o.used)
		return &refusal{diag.List{s.tooLarge(0, message)}}
	}
	return nil
}

// deep notes a place that is so deep.
func (o *outline) deep(depth, at int) {
	if depth > maxNesting && o.deepest < 0 {
		o.deepest = at
	}
}

// body is the text of the action that begins at an offset, up to its end: braces within comments and literals are none.
func (o *outline) body(at int) string {
	text := o.source.text[at:]
	if trimmed := strings.TrimLeft(strings.TrimPrefix(text, "-"), " \t\r\n"); strings.HasPrefix(trimmed, "/*") {
		comment, _, _ := strings.Cut(trimmed, "*/")
		return text[:len(text)-len(trimmed)+len(comment)]
	}
	parentheses := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '(':
			parentheses++
			o.deep(parentheses, at+i)
		case ')':
			parentheses--
		case '"', '\'', '`':
			i = literalEnd(text, i, c)
		case '}':
			if strings.HasPrefix(text[i:], "}}") {
				return text[:i]
			}
		case '$':
			o.used++
		case ':':
			o.declared++
		}
	}
	return text
}

// literalEnd is the offset of the quote that ends the literal whose quote is at i.
func literalEnd(text string, i int, quote byte) int {
	for i++; i < len(text) && text[i] != quote; i++ {
		if text[i] == '\\' && quote != '`' {
			i++
		}
	}
	return i
}

// action opens and closes what has an end.
func (o *outline) action(body string, at int) {
	first, rest := keyword(strings.TrimPrefix(body, "-"))
	switch first {
	case "if", "with", "range", "block", "define":
		o.chained = append(o.chained, 1)
		o.depth++
	case "else":
		if second, _ := keyword(rest); second != "" && len(o.chained) > 0 {
			o.chained[len(o.chained)-1]++
			o.depth++
		}
	case "end":
		if last := len(o.chained) - 1; last >= 0 {
			o.depth -= o.chained[last]
			o.chained = o.chained[:last]
		}
	}
	o.deep(o.depth, at)
}

// keyword is the first word of a text, if it begins with one.
func keyword(text string) (word, rest string) {
	text = strings.TrimLeft(text, " \t\r\n")
	end := strings.IndexFunc(text, func(r rune) bool { return r < 'a' || r > 'z' })
	if end < 0 {
		end = len(text)
	}
	return text[:end], text[end:]
}

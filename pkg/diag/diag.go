// Package diag is how the project says what is wrong with a policy: a Diagnostic points at a field, a line and
// a column, and a List of them is complete up to Most, never the first error only. The webhook, the policy's status and
// the command line print the same diagnostics.
//
// A diagnostic speaks of what an author wrote. It never holds a value that was read from a cluster.
package diag

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Severity says what a diagnostic means for the policy.
type Severity string

// The severities: an error refuses the policy, a warning does not, info explains.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Code names a kind of diagnostic. Codes are stable: scripts may match them.
type Code string

// Diagnostic is one finding about one field.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Code     Code     `json:"code"`
	// Field is the path of the field, such as "spec.references[0].nameTemplate".
	Field string `json:"field,omitempty"`
	// Line and Column count from 1 within the field's text; 0 when there is no position. Columns count characters.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Message is one sentence without a final stop.
	Message string `json:"message"`
	// Hint is what to write instead, if that is known.
	Hint string `json:"hint,omitempty"`
	// Excerpt is the line of the field's text that Line names; empty when there is no position.
	Excerpt string `json:"-"`
}

// At makes a diagnostic that points at a byte offset of text.
func At(severity Severity, code Code, fieldPath, text string, offset int, message string) Diagnostic {
	offset = max(0, min(offset, len(text)))
	line, column := Position(text, offset)
	excerpt, _, _ := strings.Cut(text[strings.LastIndexByte(text[:offset], '\n')+1:], "\n")
	return Diagnostic{
		Severity: severity, Code: code, Field: fieldPath,
		Line: line, Column: column, Message: message, Excerpt: strings.TrimSuffix(excerpt, "\r"),
	}
}

// AtLine makes a diagnostic that points at a line and column of text, both counted from 1.
func AtLine(severity Severity, code Code, fieldPath, text string, line, column int, message string) Diagnostic {
	return Diagnostic{
		Severity: severity, Code: code, Field: fieldPath,
		Line: line, Column: column, Message: message, Excerpt: lineOf(text, line),
	}
}

// Position turns a byte offset of text into a line and a column, both counted from 1, columns in characters.
func Position(text string, offset int) (line, column int) {
	offset = max(0, min(offset, len(text)))
	before := text[:offset]
	start := strings.LastIndexByte(before, '\n') + 1
	return 1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[start:])
}

func lineOf(text string, line int) string {
	for i := 1; i < line; i++ {
		_, rest, found := strings.Cut(text, "\n")
		if !found {
			return ""
		}
		text = rest
	}
	first, _, _ := strings.Cut(text, "\n")
	return strings.TrimSuffix(first, "\r")
}

// Summary is the diagnostic on one line, without the excerpt.
func (d Diagnostic) Summary() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", d.Severity)
	if d.Field != "" {
		b.WriteString(d.Field)
		if d.Line > 0 {
			fmt.Fprintf(&b, ":%d:%d", d.Line, d.Column)
		}
		b.WriteString(": ")
	}
	fmt.Fprintf(&b, "%s [%s]", d.Message, d.Code)
	return b.String()
}

// String is the diagnostic with the line it speaks of and a caret under the place.
func (d Diagnostic) String() string {
	var b strings.Builder
	b.WriteString(d.Summary())
	if d.Excerpt != "" {
		excerpt, column := clip(d.Excerpt, d.Column)
		fmt.Fprintf(&b, "\n  | %s\n  | %s^", excerpt, padding(excerpt, column))
	}
	if d.Hint != "" {
		fmt.Fprintf(&b, "\n  hint: %s", d.Hint)
	}
	return b.String()
}

// maxExcerpt is how many characters of a line are shown: enough for a terminal, not a whole minified document.
const maxExcerpt = 120

// clip cuts a long line to a window around column.
func clip(line string, column int) (string, int) {
	characters := utf8.RuneCountInString(line)
	if characters <= maxExcerpt {
		return line, column
	}
	start := max(0, min(column-1-maxExcerpt/2, characters-maxExcerpt))
	line = after(line, start)
	return line[:len(line)-len(after(line, maxExcerpt))], column - start
}

// after is a text without its first n characters.
func after(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[i:]
		}
		n--
	}
	return ""
}

// padding is the white space before column, with tabs kept so that the caret stands right in a terminal.
func padding(line string, column int) string {
	var b strings.Builder
	for i, r := range []rune(line) {
		if i >= column-1 {
			break
		}
		if r == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// List is all that was found, in the order of Sort.
type List []Diagnostic

// Most is how many errors, and how many warnings, are found of one thing: nobody reads more, and to point at each takes
// time.
const Most = 100

// Full reports whether a list has Most diagnostics of a severity already.
func (l List) Full(severity Severity) bool {
	n := 0
	for _, d := range l {
		if d.Severity == severity {
			n++
		}
	}
	return n >= Most
}

// Sort orders by field, position, severity and message, so that equal inputs print equal lists.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b Diagnostic) int {
		return cmp.Or(
			cmp.Compare(a.Field, b.Field), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Message, b.Message),
		)
	})
}

// HasErrors reports whether the list refuses the policy.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Errors returns the diagnostics of severity error.
func (l List) Errors() List {
	var errs List
	for _, d := range l {
		if d.Severity == Error {
			errs = append(errs, d)
		}
	}
	return errs
}

// String is every diagnostic with its excerpt, one after the other.
func (l List) String() string {
	texts := make([]string, len(l))
	for i, d := range l {
		texts[i] = d.String()
	}
	return strings.Join(texts, "\n")
}

// Err returns the errors of the list as one error with carets, or nil.
func (l List) Err() error {
	if errs := l.Errors(); len(errs) > 0 {
		return errors.New(errs.String())
	}
	return nil
}

// FieldErrors returns the errors of the list as the API machinery's field errors, without the values.
func (l List) FieldErrors() field.ErrorList {
	var out field.ErrorList
	for _, d := range l.Errors() {
		out = append(out, &field.Error{
			Type: field.ErrorTypeInvalid, Field: d.Field, BadValue: field.OmitValueType{}, Detail: d.String(),
		})
	}
	return out
}

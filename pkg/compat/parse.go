package compat

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Codes of diagnostics about Go templates. Functions that are refused have codes of their own; see package sprig.
const (
	// CodeParse is a template that text/template does not parse.
	CodeParse diag.Code = "CT-PARSE"
	// CodeUnsupported is a construct or function that is not translated.
	CodeUnsupported diag.Code = "CT-UNSUPPORTED"
	// CodeTooLarge is a template beyond the limits of size.
	CodeTooLarge diag.Code = "CT-TOO-LARGE"
	// CodeType is a translated expression that does not type-check.
	CodeType diag.Code = "CT-TYPE"
	// CodeYAMLContext is an action that stands where a document has no scalar.
	CodeYAMLContext diag.Code = "CT-YAML-CONTEXT"
	// CodeYAMLSchema is a document that is no PediaCluster.
	CodeYAMLSchema diag.Code = "CT-YAML-SCHEMA"
	// CodeUnknownReference is a reference key that the policy does not declare before this field.
	CodeUnknownReference diag.Code = "CT-UNKNOWN-REFERENCE"
	// CodeRecursion is a template within the template that calls itself.
	CodeRecursion diag.Code = "CT-RECURSION"
	// CodeRangeAssign is a range over variables of outside: {{ range $x = … }}.
	CodeRangeAssign diag.Code = "CT-RANGE-ASSIGN"
	// CodeReferencesInName is a use of references in a field that sees only the source.
	CodeReferencesInName diag.Code = "CT-REFERENCES-IN-NAME"
)

// Limits of a template.
const (
	maxTemplateBytes = 256 << 10
	maxTemplateNodes = 20_000
)

// IsTemplate reports whether a field's text is a Go template.
func IsTemplate(src string) bool { return strings.Contains(src, "{{") }

// source is a template's text and the field that it stands in.
type source struct {
	field, text string
}

func (s source) at(code diag.Code, pos parse.Pos, message string) diag.Diagnostic {
	return diag.At(diag.Error, code, s.field, s.text, int(pos), message)
}

// refusal is a diagnostic that ends a translation; it travels as an error within the package.
type refusal struct{ list diag.List }

func (r *refusal) Error() string { return r.list.String() }

func (s source) refuse(code diag.Code, pos parse.Pos, format string, args ...any) error {
	return &refusal{diag.List{s.at(code, pos, fmt.Sprintf(format, args...))}}
}

// refusals are the diagnostics of an error that ended a translation.
func (s source) refusals(err error) diag.List {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.list
	}
	return diag.List{s.at(expr.CodeInternal, 0, err.Error())}
}

// parsed is a template that text/template parses.
type parsed struct {
	source source
	root   *parse.ListNode
	// templates are those that the template defines within itself, by their names.
	templates map[string]*parse.Tree
}

// rootName is the name of the template itself.
const rootName = "field"

// parse parses the template. The result is nil when the list has errors.
func (s source) parse() (*parsed, diag.List) {
	if len(s.text) > maxTemplateBytes {
		return nil, diag.List{s.at(CodeTooLarge, 0, fmt.Sprintf("the template is larger than %d bytes", maxTemplateBytes))}
	}
	t, err := template.New(rootName).Funcs(stubs).Parse(s.text)
	if err != nil {
		return nil, diag.List{s.parseError(err)}
	}
	p := &parsed{source: s, root: &parse.ListNode{NodeType: parse.NodeList}, templates: map[string]*parse.Tree{}}
	for _, defined := range t.Templates() {
		p.templates[defined.Name()] = defined.Tree
	}
	if t.Tree != nil && t.Root != nil {
		p.root = t.Root
	}
	return p, nil
}

func (p *parsed) translator(scope expr.Scope) *translator {
	t := newTranslator(scope, p.source)
	t.templates, t.within = p.templates, []string{rootName}
	return t
}

var templateError = regexp.MustCompile(`^template: field:(\d+)(?::(\d+))?: (?s:(.*))$`)

// parseError finds the place in the parser's error, which has it in its text only.
func (s source) parseError(err error) diag.Diagnostic {
	m := templateError.FindStringSubmatch(err.Error())
	if m == nil {
		return s.at(CodeParse, 0, err.Error())
	}
	line, column := 1, 1
	_, _ = fmt.Sscan(m[1], &line)
	_, _ = fmt.Sscan(m[2], &column)
	return diag.AtLine(diag.Error, CodeParse, s.field, s.text, line, column, m[3])
}

// expression is the place of a translated expression: its offsets count in the template's text.
func (s source) expression() expr.Source { return expr.Whole(s.field, s.text) }

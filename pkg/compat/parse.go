package compat

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Codes of diagnostics that refuse a Go template. Functions that are refused have codes of their own; see package sprig.
const (
	// CodeParse is a template that text/template does not parse.
	CodeParse diag.Code = "CT-PARSE"
	// CodeUnsupported is a construct or function that is not translated.
	CodeUnsupported diag.Code = "CT-UNSUPPORTED"
	// CodeNative is a construct without a counterpart that a person would write in CEL; the template stays as it is.
	CodeNative diag.Code = "CT-NATIVE"
	// CodeTooLarge is a template beyond the limits of size.
	CodeTooLarge diag.Code = "CT-TOO-LARGE"
	// CodeType is a translated expression that does not type-check.
	CodeType diag.Code = "CT-TYPE"
	// CodeRecursion is a template within the template that calls itself.
	CodeRecursion diag.Code = "CT-RECURSION"
	// CodeRangeAssign is a range over variables of outside: {{ range $x = … }}.
	CodeRangeAssign diag.Code = "CT-RANGE-ASSIGN"
	// CodeYAMLContext is an action that stands where a document has no scalar.
	CodeYAMLContext diag.Code = "CT-YAML-CONTEXT"
	// CodeYAMLSchema is a document that is no PediaCluster.
	CodeYAMLSchema diag.Code = "CT-YAML-SCHEMA"
	// CodeUnknownReference is a reference key that the policy does not declare before this field.
	CodeUnknownReference diag.Code = "CT-UNKNOWN-REFERENCE"
	// CodeReferencesInName is a use of references in a field that sees only the source.
	CodeReferencesInName diag.Code = "CT-REFERENCES-IN-NAME"
)

// Codes of warnings about Go templates.
const (
	// CodeAlwaysFails is an operation that fails whatever its values are.
	CodeAlwaysFails diag.Code = "CT-ALWAYS-FAILS"
	// CodeUnknownField is a field that the schema of the object does not have.
	CodeUnknownField diag.Code = "CT-UNKNOWN-FIELD"
	// CodeNeEmptyAbsent is {{ ne .x "" }} of what may be absent, which is true then.
	CodeNeEmptyAbsent diag.Code = "CT-NE-EMPTY-ABSENT"
	// CodeTwoMatches is a range that prints true for each match: two print "truetrue", which is not true.
	CodeTwoMatches diag.Code = "CT-TWO-MATCHES"
	// CodeOrder is keys or values, whose order Clusterpedia leaves to chance.
	CodeOrder diag.Code = "CT-ORDER"
	// CodeUnused is a variable that is never used, whose errors nobody notices.
	CodeUnused diag.Code = "CT-UNUSED"
	// CodeB64DecText is b64dec, which gives an error's text for what is not base64.
	CodeB64DecText diag.Code = "CT-B64DEC-TEXT"
	// CodeHTML is text that Clusterpedia takes for HTML.
	CodeHTML diag.Code = "CT-HTML"
	// CodeTextMode is a document whose structure is known only when it is rendered.
	CodeTextMode diag.Code = "CT-TEXT-MODE"
	// CodeNeverTrue is a condition that cannot be true.
	CodeNeverTrue diag.Code = "CT-NEVER-TRUE"
	// CodeAlwaysTrue is a condition that is true whatever the source is.
	CodeAlwaysTrue diag.Code = "CT-ALWAYS-TRUE"
)

// Limits of a template.
const (
	maxTemplateBytes = 256 << 10
	maxTemplateNodes = 20_000
	// maxParts is how many parts the translation may have, and maxBindings how many names may stand in each other in it:
	// checking both takes memory and time. A part is a node or what takes as long; each expression of a document takes
	// as long as so many.
	maxParts           = 8_000
	partsPerExpression = 40
	maxBindings        = 64
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
	// templates are all templates by their names: those that the template defines within itself, and it.
	templates map[string]*parse.Tree
	// warnings are what is to be said of the template as a whole.
	warnings diag.List
	// places are those of the text, parts those of its expressions. refused says of a document that there are too many.
	places  *places
	parts   int64
	refused diag.List
}

// rootName is the name of the template itself.
const rootName = "field"

// parse parses the template. The result is nil when the list has errors.
func (s source) parse() (*parsed, diag.List) {
	if len(s.text) > maxTemplateBytes {
		d := s.at(CodeTooLarge, 0, fmt.Sprintf("the template is larger than %d bytes", maxTemplateBytes))
		d.Hint = "keep large texts in a ConfigMap that the policy references"
		return nil, diag.List{d}
	}
	if err := s.outlined(); err != nil {
		return nil, s.refusals(err)
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
	if p.warnings = p.check(); p.warnings.HasErrors() {
		return nil, distinct(p.warnings)
	}
	return p, nil
}

// distinct sorts a list and says nothing twice: a part of a template may be translated more than once.
func distinct(list diag.List) diag.List {
	list.Sort()
	return slices.Compact(list)
}

// said is all there is to say: of the template, and of its translation.
func (p *parsed) said(list diag.List) diag.List {
	return distinct(append(slices.Clone(p.warnings), list...))
}

// translator makes an expression of the template, of which a document has many: together they have so many parts.
func (p *parsed) translator(scope expr.Scope) *translator {
	if p.places == nil {
		p.places = newPlaces(p.source)
	}
	b := newBuilder(p.source, p.places, maxParts-p.parts)
	return &translator{
		builder: b, low: exact{b}, scope: scope, dollar: rootDot, templates: p.templates, within: []string{rootName},
	}
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

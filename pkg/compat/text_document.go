package compat

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/util/json"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/render"
)

// A document whose structure no parser can know before it is rendered is text until then: a range between brackets, an
// if within a block scalar. What the template itself writes is YAML; every value in it is a mark, which is replaced by
// the value in the scalar that it turns out to stand in. As in any other document, no value can change the structure.

// textDocument is such a document.
type textDocument struct {
	program *expr.Program
	source  source
	schema  *expr.Schema
}

// maxYAML bounds what is parsed as YAML for each rendering, without the values.
const maxYAML = 64 << 10

// parsedByteCost is what a byte of YAML costs: the parser makes a value of each other one at worst.
const parsedByteCost = 4

// textMode compiles a document as text. because is why it is no other document; the result is nil when it is none at all.
func (p *parsed) textMode(env *expr.Env, schema *expr.Schema, because diag.List) (*render.Document, diag.List) {
	structure := p.structure()
	program, list := p.compile(env, cel.StringType, func(t *translator) (maker, error) {
		t.structure = structure
		return t.textOf(p.root.Nodes, rootDot)
	})
	if program == nil {
		return nil, list
	}
	found, ok := p.sampled(structure, schema)
	switch {
	case !ok && found[0].Code == CodeTooLarge: // it may be no YAML either
		return nil, append(because, found...)
	case !ok:
		return nil, append(list, found...)
	}
	list = append(list, found...)
	return render.DocumentOf(textDocument{program, p.source, schema}), append(list, inTextMode(because))
}

// inTextMode is the warning about a document that is text, for which because refuses it as any other.
func inTextMode(because diag.List) diag.Diagnostic {
	d := because[slices.IndexFunc(because, isContext)]
	d.Severity, d.Code = diag.Warning, CodeTextMode
	d.Message += ": the document is parsed each time it is rendered, and some mistakes in it are found only then"
	return d
}

func isContext(d diag.Diagnostic) bool { return d.Code == CodeYAMLContext }

// Render implements render.Node.
func (n textDocument) Render(ctx context.Context, b *expr.Binding) (any, bool, error) {
	text, err := n.program.Text(ctx, b)
	if err != nil {
		return nil, false, err
	}
	values := &markedValues{}
	written := values.separate(text)
	if len(written) > maxYAML {
		return nil, false, n.program.Fail(expr.Failuref(expr.CodeTooExpensive, "the document has more than %d bytes beside its values", maxYAML))
	}
	if !b.Spend(parsedByteCost * len(written)) {
		return nil, false, n.program.Fail(expr.Failuref(expr.CodeTooExpensive, "the limit of cost leaves nothing for the document's YAML"))
	}
	origin := render.Origin{Field: n.source.field, Text: written}
	doc, list := render.Parse(values, origin, written, n.schema)
	if doc == nil {
		d := inTemplate(list.Errors())[0]
		return nil, false, n.program.Fail(expr.Failuref(d.Code, "line %d of what the template prints: %s", d.Line, d.Message))
	}
	object, err := doc.Render(ctx, b)
	return object, err == nil, err
}

// The kinds of marks: what a value is that is all of a plain scalar.
const (
	// markedText is text: what YAML makes of it in a field that needs no text.
	markedText = "t"
	// markedJSON is what toJson prints: the value itself.
	markedJSON = "j"
	// markedQuoted is what quote or squote print: the text between the quotes.
	markedQuoted = "q"
)

// markEscape stands before the number of a character that a value has and that means something in marks.
const markEscape = '\uE002'

var (
	escapeMarks   = strings.NewReplacer(string(markOpen), escapedMark(0), string(markClose), escapedMark(1), string(markEscape), escapedMark(2))
	unescapeMarks = strings.NewReplacer(escapedMark(0), string(markOpen), escapedMark(1), string(markClose), escapedMark(2), string(markEscape))
)

func escapedMark(i int) string { return fmt.Sprintf("%c%d", markEscape, i) }

// callMark is the text with a mark that holds what an action prints.
func callMark(kind, text any) (any, error) {
	k, _ := kind.(string)
	printed, _ := text.(string)
	return string(markOpen) + k + escapeMarks.Replace(printed) + string(markClose), nil
}

// markedValues is the language of a document that is text: its marks are numbers of values.
type markedValues struct {
	linesThere

	values []markedValue
}

// linesThere is what languages have in common whose marks are values: all lines are there.
type linesThere struct{ marksInText }

// Spread implements render.Language.
func (linesThere) Spread(render.Scalar) (render.Node, diag.List, bool) { return nil, nil, false }

// markedValue is what an action has printed.
type markedValue struct{ kind, text string }

// separate takes the values from a text with marks.
func (v *markedValues) separate(text string) (written string) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, string(markOpen))
		held, after, closed := strings.Cut(rest, string(markClose))
		b.WriteString(before)
		if !found || !closed || held == "" {
			return b.String()
		}
		b.WriteString(numberMark(len(v.values)))
		v.values = append(v.values, markedValue{held[:1], unescapeMarks.Replace(held[1:])})
		text = after
	}
}

// Key implements render.Language.
func (v *markedValues) Key(s render.Scalar) render.Node {
	text, _ := v.fill(s.Text)
	return render.Fixed{Value: strings.TrimSpace(text)}
}

// Scalar implements render.Language.
func (v *markedValues) Scalar(s render.Scalar) (render.Node, diag.List) {
	text, whole := v.fill(s.Text)
	if whole != nil && s.Plain {
		if val, ok := whole.beyondText(); ok {
			return render.Fixed{Value: val}, nil
		}
	}
	isText := s.Schema.Known() && s.Schema.Takes(expr.String)
	switch {
	case !s.Plain:
		return render.Fixed{Value: text}, nil
	case isText:
		return render.Fixed{Value: strings.TrimSpace(text)}, nil
	default:
		val, _ := callScalar(text)
		return render.Fixed{Value: val}, nil
	}
}

// fill puts the values into a scalar. whole is the value that is all of it.
func (v *markedValues) fill(scalar string) (text string, whole *markedValue) {
	var b strings.Builder
	for rest := scalar; ; {
		before, i, after, found := cutMark(rest, len(v.values))
		b.WriteString(before)
		if !found {
			return b.String(), whole
		}
		if rest == scalar && before == "" && after == "" {
			whole = &v.values[i]
		}
		b.WriteString(v.values[i].text)
		rest = after
	}
}

// beyondText is a value that is more than its text where it stands alone.
func (v markedValue) beyondText() (val any, ok bool) {
	switch {
	case v.kind == markedJSON:
		err := json.Unmarshal([]byte(v.text), &val)
		return val, err == nil
	case v.kind != markedQuoted || v.text == "":
		return v.text, v.kind == markedQuoted
	case v.text[0] == '"':
		text, err := strconv.Unquote(v.text)
		return text, err == nil
	default:
		return v.text[1 : len(v.text)-1], true
	}
}

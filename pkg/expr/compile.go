package expr

import (
	"fmt"
	"strings"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"

	"github.com/clusterimport/clusterimport/pkg/diag"
)

// Codes of diagnostics that compiling an expression gives.
const (
	// CodeSyntax is an expression that does not parse.
	CodeSyntax diag.Code = "CEL-SYNTAX"
	// CodeType is an expression that does not type-check: an unknown field, function, variable or reference,
	// or operands that do not fit.
	CodeType diag.Code = "CEL-TYPE"
	// CodeResult is an expression whose type its field cannot take.
	CodeResult diag.Code = "CEL-RESULT"
	// CodeInternal is an expression that checks but cannot be planned; it should not happen.
	CodeInternal diag.Code = "CEL-INTERNAL"
)

// Source is where an expression stands: Expr within the text of a field, or the whole of it.
type Source struct {
	// Field is the path of the field, such as "spec.creationCondition".
	Field string
	// Text is the whole text of the field, and Offset where Expr begins in it, in bytes.
	Text   string
	Offset int
	// Expr is the CEL source. Where it does not stand verbatim at Offset (a YAML escape changed it),
	// diagnostics point at Offset itself.
	Expr string
}

// Whole is the Source of a field that is one expression.
func Whole(field, text string) Source { return Source{Field: field, Text: text, Expr: text} }

// at makes an error at a line and column of Expr, both counted from 1.
func (s Source) at(code diag.Code, line, column int, message string) diag.Diagnostic {
	baseLine, baseColumn := diag.Position(s.Text, s.Offset)
	if !strings.HasPrefix(s.Text[min(s.Offset, len(s.Text)):], s.Expr) {
		return diag.AtLine(diag.Error, code, s.Field, s.Text, baseLine, baseColumn, message)
	}
	if line <= 1 {
		column += baseColumn - 1
	}
	return diag.AtLine(diag.Error, code, s.Field, s.Text, baseLine+max(line, 1)-1, column, message)
}

// Compile parses and checks an expression. want is the type that the field needs, cel.DynType for any.
// The list has all that was found; the program is nil when it has errors.
func (e *Env) Compile(src Source, want *cel.Type) (*Program, diag.List) {
	ast, issues := e.check.Parse(src.Expr)
	if issues.Err() != nil {
		return nil, diagnostics(src, CodeSyntax, issues)
	}
	if nests(celast.NavigateAST(ast.NativeRep()), maxNesting) {
		message := fmt.Sprintf("more than %d loops, names, lists and maps stand in each other", maxNesting)
		return nil, diag.List{src.at(CodeSyntax, 1, 1, message)}
	}
	return e.CompileAST(src, ast, want)
}

// nests reports whether more than most comprehensions, lists and maps stand in each other: their types would grow with
// each.
func nests(e celast.NavigableExpr, most int) bool {
	switch e.Kind() {
	case celast.ComprehensionKind, celast.ListKind, celast.MapKind:
		if most--; most < 0 {
			return true
		}
	default:
	}
	for _, child := range e.Children() {
		if nests(child, most) {
			return true
		}
	}
	return false
}

// CompileAST checks an expression that was built as a syntax tree; the offsets of the tree count in src.Expr,
// in characters.
func (e *Env) CompileAST(src Source, parsed *cel.Ast, want *cel.Type) (*Program, diag.List) {
	checked, issues := e.check.Check(parsed)
	if issues.Err() != nil {
		return nil, diagnostics(src, CodeType, issues)
	}
	if out := checked.OutputType(); !accepts(want, out) {
		message := fmt.Sprintf("the field needs %s, the expression is %s", cel.FormatCELType(want), cel.FormatCELType(out))
		return nil, diag.List{src.at(CodeResult, 1, 1, message)}
	}
	p, err := e.plan(src, checked)
	if err != nil {
		return nil, diag.List{src.at(CodeInternal, 1, 1, fmt.Sprintf("cannot plan the expression: %v", err))}
	}
	return p, nil
}

// optionalType is the name of CEL's type of optional values.
var optionalType = cel.OptionalType(cel.DynType).TypeName()

// accepts reports whether a field of type want may take a value of type out, as far as is known now.
func accepts(want, out *cel.Type) bool {
	if out.Kind() == cel.DynKind || want.Kind() == cel.DynKind {
		return true
	}
	if out.TypeName() == optionalType {
		out = out.Parameters()[0]
	}
	if want.Kind() == cel.MapKind && out.Kind() == cel.StructKind {
		return true // a declared object is a map when it is evaluated
	}
	return want.IsAssignableType(out) || out.Kind() == cel.DynKind
}

// diagnostics turns CEL's issues into ours.
func diagnostics(src Source, code diag.Code, issues *cel.Issues) diag.List {
	var list diag.List
	for _, e := range issues.Errors() {
		line, column := e.Location.Line(), e.Location.Column()+1
		list = append(list, src.at(code, line, column, firstLine(e.Message)))
	}
	list.Sort()
	return list
}

// firstLine keeps messages to a sentence: the parser's go on with lists of tokens.
func firstLine(message string) string {
	first, _, _ := strings.Cut(message, "\n")
	return strings.TrimSpace(strings.TrimPrefix(first, "Syntax error: "))
}

package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"

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

// Whole is the Source of a field that is one expression. White space at its end is not part of it, so that what is
// missing there is missing in a line that can be shown.
func Whole(field, text string) Source {
	return Source{Field: field, Text: text, Expr: strings.TrimRight(text, " \t\r\n")}
}

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
		d := src.at(code, line, column+src.toField(line, column, e.Message), sentence(e.Message))
		d.Hint = hint(d.Message)
		list = append(list, d)
	}
	list.Sort()
	return list
}

// toField is how far right of a place the name of an undefined field stands: CEL points at the sign before it.
func (s Source) toField(line, column int, message string) int {
	name, isField := strings.CutPrefix(message, "undefined field '")
	lines := strings.Split(s.Expr, "\n")
	if !isField || line < 1 || line > len(lines) {
		return 0
	}
	name, _, _ = strings.Cut(name, "'")
	text := []rune(lines[line-1])
	before, _, found := strings.Cut(string(text[min(max(column-1, 0), len(text)):]), name)
	if !found {
		return 0
	}
	return utf8.RuneCountInString(before)
}

// sentence keeps of CEL's messages what an author needs: the parser's go on with lists of tokens.
func sentence(message string) string {
	first, _, _ := strings.Cut(message, "\n")
	first, _, _ = strings.Cut(first, " expecting {")
	first = strings.ReplaceAll(first, "mismatched input '<EOF>'", "the expression ends too early")
	return strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(first, "Syntax error: "), " (in container '')"))
}

// hint says what to write instead, where CEL's message does not.
func hint(message string) string {
	switch {
	case strings.Contains(message, "overload for '_[_]' applied to '("+objectType):
		return "the fields of this object are known: write .name, or .`a-name` for a name with other signs"
	case strings.HasPrefix(message, "undeclared reference to "):
		return "expressions see " + SourceVariable + ", " + ReferencesVariable + ".<key> and the functions of docs/language.md"
	default:
		return ""
	}
}

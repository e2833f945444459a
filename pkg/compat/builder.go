package compat

import (
	"strconv"
	"text/template/parse"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	exprpb "google.golang.org/genproto/googleapis/api/expr/v1alpha1"
)

// builder makes the nodes of one CEL syntax tree. Every node remembers where it comes from in the template, so
// that the checker's errors and those of the evaluation point there. Nodes are never shared.
type builder struct {
	source  source
	factory celast.ExprFactory
	info    *celast.SourceInfo
	next    int64
	// pos is the place that new nodes get.
	pos parse.Pos
}

func newBuilder(s source) *builder {
	return &builder{
		source: s, factory: celast.NewExprFactory(),
		info: celast.NewSourceInfo(common.NewStringSource(s.text, s.field)),
	}
}

func (b *builder) id() int64 {
	b.next++
	offset := int32(utf8.RuneCountInString(b.source.text[:min(int(b.pos), len(b.source.text))])) //nolint:gosec // at most 256 KiB
	b.info.SetOffsetRange(b.next, celast.OffsetRange{Start: offset, Stop: offset})
	return b.next
}

func (b *builder) literal(val ref.Val) celast.Expr { return b.factory.NewLiteral(b.id(), val) }

func (b *builder) text(s string) celast.Expr { return b.literal(types.String(s)) }

func (b *builder) truth(t bool) celast.Expr { return b.literal(types.Bool(t)) }

func (b *builder) ident(name string) celast.Expr { return b.factory.NewIdent(b.id(), name) }

func (b *builder) selectField(operand celast.Expr, name string) celast.Expr {
	return b.factory.NewSelect(b.id(), operand, name)
}

func (b *builder) call(function string, args ...celast.Expr) celast.Expr {
	return b.factory.NewCall(b.id(), function, args...)
}

func (b *builder) list(items ...celast.Expr) celast.Expr {
	return b.factory.NewList(b.id(), items, nil)
}

// absent is a value that is not there.
func (b *builder) absent() celast.Expr { return b.factory.NewCall(b.id(), "optional.none") }

func (b *builder) choose(condition, yes, no celast.Expr) celast.Expr {
	return b.call(operators.Conditional, condition, yes, no)
}

// bind is cel.bind(name, init, result): CEL writes it as a comprehension over nothing.
func (b *builder) bind(name string, init, result celast.Expr) celast.Expr {
	return b.factory.NewComprehension(b.id(), b.list(), "#unused", name, init, b.truth(false), b.ident(name), result)
}

// mapEach is over.map(item, body).
func (b *builder) mapEach(over celast.Expr, item string, body celast.Expr) celast.Expr {
	accu := b.factory.AccuIdentName()
	step := b.call(operators.Add, b.ident(accu), b.list(body))
	return b.factory.NewComprehension(b.id(), over, item, accu, b.list(), b.truth(true), step, b.ident(accu))
}

// existsOne is over.exists_one(item, body): an error in any element is an error of the whole.
func (b *builder) existsOne(over celast.Expr, item string, body celast.Expr) celast.Expr {
	accu := b.factory.AccuIdentName()
	one := func() celast.Expr { return b.literal(types.Int(1)) }
	step := b.choose(body, b.call(operators.Add, b.ident(accu), one()), b.ident(accu))
	return b.factory.NewComprehension(b.id(), over, item, accu, b.literal(types.Int(0)), b.truth(true), step,
		b.call(operators.Equals, b.ident(accu), one()))
}

// fresh returns a variable name that no template can write.
func (b *builder) fresh() string { return "_v" + strconv.FormatInt(b.next, 10) }

// ast is the finished tree.
func (b *builder) ast(root celast.Expr) (*cel.Ast, error) {
	e, err := celast.ExprToProto(root)
	if err != nil {
		return nil, err
	}
	info, err := celast.SourceInfoToProto(b.info)
	if err != nil {
		return nil, err
	}
	return cel.ParsedExprToAstWithSource(&exprpb.ParsedExpr{Expr: e, SourceInfo: info},
		common.NewStringSource(b.source.text, b.source.field)), nil
}

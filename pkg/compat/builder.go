package compat

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
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

// maker makes a CEL expression, afresh each time: nodes of a tree must not be shared.
type maker func() celast.Expr

// builder makes the nodes of one CEL syntax tree. Every node remembers where it comes from in the template, so
// that the checker's errors and those of the evaluation point there, and every macro the call that it is written as,
// so that the tree can be printed. Nodes are never shared.
type builder struct {
	source  source
	factory celast.ExprFactory
	info    *celast.SourceInfo
	next    int64
	// pos is the place that new nodes get.
	pos    parse.Pos
	places *places
	names  map[string]int
	// most is how many parts the tree may have.
	most int64
	// overloads are how many CEL's checker tries for the calls of the tree, open how many types it finds by that.
	overloads, open int64
}

func newBuilder(s source, p *places, most int64) *builder {
	return &builder{
		source: s, factory: celast.NewExprFactory(), names: map[string]int{}, most: most, places: p,
		info: celast.NewSourceInfo(p.text),
	}
}

// places are those of a template's text. All expressions of a document share them.
type places struct {
	text common.Source
	// known are some of them, in their order.
	known []offset
}

// offset is a place in a text, in bytes and in characters.
type offset struct{ bytes, characters int }

// placesApart is how many bytes there are between known places.
const placesApart = 256

func newPlaces(s source) *places {
	p := &places{text: common.NewStringSource(s.text, s.field)}
	characters := 0
	for bytes := range s.text {
		if bytes >= len(p.known)*placesApart {
			p.known = append(p.known, offset{bytes, characters})
		}
		characters++
	}
	return p
}

// characters turns an offset in bytes into one in characters.
func (p *places) characters(text string, bytes int) int32 {
	i, found := slices.BinarySearchFunc(p.known, bytes, func(known offset, bytes int) int { return known.bytes - bytes })
	if !found {
		i--
	}
	if i < 0 {
		return 0
	}
	from := p.known[i]
	return int32(from.characters + utf8.RuneCountInString(text[from.bytes:bytes])) //nolint:gosec // at most 256 KiB
}

// id numbers a new node. A tree that grows beyond its limit ends the translation: see translate.
func (b *builder) id() int64 {
	if b.next++; b.size() > b.most {
		panic(b.source.refuse(CodeTooLarge, b.pos, "the template is too large: its translation has more than %d parts", maxParts))
	}
	at := b.places.characters(b.source.text, min(int(b.pos), len(b.source.text)))
	b.info.SetOffsetRange(b.next, celast.OffsetRange{Start: at, Stop: at})
	return b.next
}

// at makes the nodes of m point at pos.
func (b *builder) at(pos parse.Pos, m maker) maker {
	return func() celast.Expr {
		before := b.pos
		b.pos = pos
		made := m()
		b.pos = before
		return made
	}
}

// literal is a constant. CEL's texts are UTF-8; one that is not is written in base64.
func (b *builder) literal(val ref.Val) celast.Expr {
	if text, ok := val.(types.String); ok && !utf8.ValidString(string(text)) {
		encoded := b.factory.NewLiteral(b.id(), types.String(base64.StdEncoding.EncodeToString([]byte(text))))
		return b.call("string", b.call(fnPrefix+"b64dec", b.list(encoded)))
	}
	return b.factory.NewLiteral(b.id(), val)
}

func (b *builder) text(s string) celast.Expr { return b.literal(types.String(s)) }

func (b *builder) number(i int64) celast.Expr { return b.literal(types.Int(i)) }

func (b *builder) boolean(t bool) celast.Expr { return b.literal(types.Bool(t)) }

func (b *builder) ident(name string) celast.Expr { return b.factory.NewIdent(b.id(), name) }

func (b *builder) selectField(operand celast.Expr, name string) celast.Expr {
	return b.factory.NewSelect(b.id(), operand, name)
}

// optionalField is operand.?name, or operand[?"name"] where a name cannot stand after a dot.
func (b *builder) optionalField(operand celast.Expr, name string) celast.Expr {
	if !isFieldName(name) {
		return b.call(operators.OptIndex, operand, b.text(name))
	}
	return b.call(operators.OptSelect, operand, b.text(name))
}

// isFieldName reports whether CEL's parser takes a name after a dot.
func isFieldName(name string) bool {
	switch name {
	case "", "true", "false", "null", "in":
		return false
	}
	for i, c := range []byte(name) {
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// overloadsOf are how many overloads the functions have that are called often and have more than one.
var overloadsOf = map[string]int64{
	operators.Add: 13, operators.Index: 4, operators.OptIndex: 4, operators.Less: 10, operators.Greater: 10,
	operators.LessEquals: 10, operators.GreaterEquals: 10, "size": 8, "string": 12,
}

// openTypes are functions whose overloads have types that CEL finds when they are called.
var openTypes = map[string]bool{
	operators.Conditional: true, operators.Equals: true, operators.NotEquals: true, operators.Index: true, operators.OptIndex: true,
	operators.Add: true, "dyn": true, "optional.none": true, "orValue": true, "size": true,
}

// copiesPerPart is how many types CEL copies in the time that another node takes.
const copiesPerPart = 72

// size is how many parts the tree has so far: its nodes, and what they take beside: CEL's checker copies all types that it has found
// for each overload that it tries, so that choices, loops and variables take the square of their number.
func (b *builder) size() int64 { return b.next + b.overloads*b.open/copiesPerPart }

func (b *builder) resolves(function string) {
	b.overloads += max(1, overloadsOf[function])
	if openTypes[function] {
		b.open++
	}
}

func (b *builder) call(function string, args ...celast.Expr) celast.Expr {
	b.resolves(function)
	return b.factory.NewCall(b.id(), function, args...)
}

func (b *builder) method(target celast.Expr, function string, args ...celast.Expr) celast.Expr {
	b.resolves(function)
	return b.factory.NewMemberCall(b.id(), function, target, args...)
}

func (b *builder) list(items ...celast.Expr) celast.Expr {
	if b.overloads += int64(len(items)); len(items) == 0 {
		b.open++
	}
	return b.factory.NewList(b.id(), items, nil)
}

// item is list[i].
func (b *builder) item(list celast.Expr, i int) celast.Expr {
	return b.call(operators.Index, list, b.number(int64(i)))
}

// absent is a value that is not there.
func (b *builder) absent() celast.Expr { return b.call("optional.none") }

// dyn hides the type of a value from the checker.
func (b *builder) dyn(e celast.Expr) celast.Expr { return b.call("dyn", e) }

func (b *builder) choose(condition, yes, no celast.Expr) celast.Expr {
	return b.call(operators.Conditional, condition, yes, no)
}

// bind is cel.bind(name, init, result): CEL writes it as a comprehension over nothing.
func (b *builder) bind(name string, init, result celast.Expr) celast.Expr {
	made := b.factory.NewComprehension(b.id(), b.list(), "#unused", name, init, b.boolean(false), b.ident(name), result)
	return b.macro(made, b.ident("cel"), "bind", b.ident(name), init, result)
}

// mapEach is over.map(item, body).
func (b *builder) mapEach(over celast.Expr, item string, body celast.Expr) celast.Expr {
	accu := b.factory.AccuIdentName()
	step := b.call(operators.Add, b.ident(accu), b.list(body))
	made := b.factory.NewComprehension(b.id(), over, item, accu, b.list(), b.boolean(true), step, b.ident(accu))
	return b.macro(made, over, operators.Map, b.ident(item), body)
}

// existsOne is over.exists_one(item, body): an error in any element is an error of the whole.
func (b *builder) existsOne(over celast.Expr, item string, body celast.Expr) celast.Expr {
	accu := b.factory.AccuIdentName()
	step := b.choose(body, b.call(operators.Add, b.ident(accu), b.number(1)), b.ident(accu))
	made := b.factory.NewComprehension(b.id(), over, item, accu, b.number(0), b.boolean(true), step,
		b.call(operators.Equals, b.ident(accu), b.number(1)))
	return b.macro(made, over, operators.ExistsOne, b.ident(item), body)
}

// fold is over.fold(item, accu, init, while, step): the accumulator goes from round to round while a condition holds.
func (b *builder) fold(over celast.Expr, item, accu string, init, while, step celast.Expr) celast.Expr {
	made := b.factory.NewComprehension(b.id(), over, item, accu, init, while, step, b.ident(accu))
	return b.macro(made, over, "fold", b.ident(item), b.ident(accu), init, while, step)
}

// macro remembers how an expanded macro is written.
func (b *builder) macro(made, target celast.Expr, function string, args ...celast.Expr) celast.Expr {
	written := make([]celast.Expr, len(args))
	for i, arg := range args {
		written[i] = b.written(arg)
	}
	b.info.SetMacroCall(made.ID(), b.factory.NewMemberCall(0, function, b.written(target), written...))
	return made
}

// written is an argument of a macro as the parser keeps it: a macro within it is named by its number only.
func (b *builder) written(e celast.Expr) celast.Expr {
	if _, ok := b.info.GetMacroCall(e.ID()); ok {
		return b.factory.NewUnspecifiedExpr(e.ID())
	}
	all := func(list []celast.Expr) []celast.Expr {
		out := make([]celast.Expr, len(list))
		for i, item := range list {
			out[i] = b.written(item)
		}
		return out
	}
	switch e.Kind() {
	case celast.CallKind:
		call := e.AsCall()
		if call.IsMemberFunction() {
			return b.factory.NewMemberCall(e.ID(), call.FunctionName(), b.written(call.Target()), all(call.Args())...)
		}
		return b.factory.NewCall(e.ID(), call.FunctionName(), all(call.Args())...)
	case celast.SelectKind:
		return b.factory.NewSelect(e.ID(), b.written(e.AsSelect().Operand()), e.AsSelect().FieldName())
	case celast.ListKind:
		return b.factory.NewList(e.ID(), all(e.AsList().Elements()), nil)
	case celast.MapKind:
		entries := make([]celast.EntryExpr, e.AsMap().Size())
		for i, entry := range e.AsMap().Entries() {
			pair := entry.AsMapEntry()
			entries[i] = b.factory.NewMapEntry(entry.ID(), b.written(pair.Key()), b.written(pair.Value()), pair.IsOptional())
		}
		return b.factory.NewMap(e.ID(), entries)
	default:
		return e
	}
}

// fresh returns a variable name that nothing else in the expression has; it is like the name that it is for.
func (b *builder) fresh(like string) string {
	name := strings.TrimPrefix(like, "$")
	if !isFieldName(name) || taken[name] {
		name = "v" + strings.Map(wordOnly, name)
	}
	b.names[name]++
	if n := b.names[name]; n > 1 {
		return b.fresh(name + "_" + strconv.Itoa(n))
	}
	return name
}

func wordOnly(r rune) rune {
	if r < utf8.RuneSelf && isFieldName("_"+string(r)) {
		return r
	}
	return '_'
}

// taken are names that mean something to CEL.
var taken = func() map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(`source references cel tpl optional math base64 dns kubeconfig json yaml strings sets
		lists net quantity semver ip cidr url isURL isIP isCIDR format dyn type int uint double bool string bytes list map
		null_type duration timestamp google as break const continue else for function if import let loop package
		namespace return var void while has size matches b64dec b64enc`) {
		names[name] = true
	}
	return names
}()

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
	return cel.ParsedExprToAstWithSource(&exprpb.ParsedExpr{Expr: e, SourceInfo: info}, b.places.text), nil
}

package expr

import (
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"

	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// counterOrMap recognises what exists_one and map become: the one counts from 0 the items for which a predicate is true,
// the other adds an item to a list.
func counterOrMap(c celast.ComprehensionExpr) part {
	step, while := c.LoopStep(), c.LoopCondition()
	if c.HasIterVar2() || step.Kind() != celast.CallKind {
		return nil
	}
	r, call := roundOf(c), step.AsCall()
	if isFirst(c, call) {
		r.body = call.Args()[2].ID()
		return finder{r}
	}
	if while.Kind() != celast.LiteralKind || while.AsLiteral() != types.True {
		return nil
	}
	added := addedItem(c, call)
	switch {
	case added != nil:
		r.body = added.ID()
		r.cost++
		return mapping{r}
	case call.FunctionName() == operators.Conditional && isCount(c, call):
		r.body = call.Args()[0].ID()
		return counter{r}
	}
	return nil
}

// addedItem is the item of a step that is accu + [item], from the empty list on.
func addedItem(c celast.ComprehensionExpr, step celast.CallExpr) celast.Expr {
	init := c.AccuInit()
	if step.FunctionName() != operators.Add || init.Kind() != celast.ListKind || init.AsList().Size() > 0 || !isIdent(c.Result(), c.AccuVar()) {
		return nil
	}
	added := step.Args()[1]
	if !isIdent(step.Args()[0], c.AccuVar()) || added.Kind() != celast.ListKind || added.AsList().Size() != 1 ||
		len(added.AsList().OptionalIndices()) > 0 {
		return nil
	}
	return added.AsList().Elements()[0]
}

// isCount reports whether a step is predicate ? accu + 1 : accu, from 0 on, and the result accu == 1.
func isCount(c celast.ComprehensionExpr, step celast.CallExpr) bool {
	is := func(e celast.Expr, val types.Int) bool { return e.Kind() == celast.LiteralKind && e.AsLiteral() == val }
	calls := func(e celast.Expr, function string) bool {
		return e.Kind() == celast.CallKind && e.AsCall().FunctionName() == function &&
			isIdent(e.AsCall().Args()[0], c.AccuVar()) && is(e.AsCall().Args()[1], 1)
	}
	return is(c.AccuInit(), 0) && calls(step.Args()[1], operators.Add) && isIdent(step.Args()[2], c.AccuVar()) &&
		calls(c.Result(), operators.Equals)
}

// isFirst reports whether a step is accu ? true : predicate, from false on, while there is no answer.
func isFirst(c celast.ComprehensionExpr, step celast.CallExpr) bool {
	while := c.LoopCondition()
	return step.FunctionName() == operators.Conditional && isIdent(step.Args()[0], c.AccuVar()) && isBool(step.Args()[1], types.True) &&
		isBool(c.AccuInit(), types.False) && isIdent(c.Result(), c.AccuVar()) &&
		while.Kind() == celast.CallKind && while.AsCall().FunctionName() == operators.LogicalNot && isIdent(while.AsCall().Args()[0], c.AccuVar())
}

func isBool(e celast.Expr, val types.Bool) bool {
	return e.Kind() == celast.LiteralKind && e.AsLiteral() == val
}

// finder is a loop for the first item for which a predicate is true. An error before it is one of the loop.
type finder struct{ round }

func (f finder) plan(p planner, node interpreter.InterpretableV2) interpreter.InterpretableV2 {
	if n, ok := f.node(p, node); ok {
		return &finderNode{n}
	}
	return nil
}

type finderNode struct{ loopNode }

// Exec implements interpreter.InterpretableV2.
func (n *finderNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	loop := iteration{node: &n.loopNode}
	if instead := loop.begin(frame); instead != nil {
		return instead
	}
	defer loop.end()
	for loop.next() {
		val := n.body.Exec(loop.frame)
		if val != types.False {
			return val
		}
	}
	return types.False
}

// Eval implements interpreter.Interpretable.
func (n *finderNode) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

// counter is a comprehension that is exists_one.
type counter struct{ round }

func (c counter) plan(p planner, node interpreter.InterpretableV2) interpreter.InterpretableV2 {
	if n, ok := c.node(p, node); ok {
		return &counterNode{n}
	}
	return nil
}

type counterNode struct{ loopNode }

// Exec implements interpreter.InterpretableV2. As CEL has it, the last failure is that of the loop.
func (n *counterNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	loop := iteration{node: &n.loopNode}
	if instead := loop.begin(frame); instead != nil {
		return instead
	}
	defer loop.end()
	count := 0
	var failed ref.Val
	for loop.next() {
		switch val := n.body.Exec(loop.frame).(type) {
		case types.Bool:
			if val {
				count++
			}
		default:
			failed = located(n.body.ID(), types.MaybeNoSuchOverloadErr(val))
		}
	}
	if failed != nil {
		return failed
	}
	return types.Bool(count == 1)
}

// Eval implements interpreter.Interpretable.
func (n *counterNode) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

// mapping is a comprehension that is map.
type mapping struct{ round }

func (m mapping) plan(p planner, node interpreter.InterpretableV2) interpreter.InterpretableV2 {
	n, ok := m.node(p, node)
	if !ok {
		return nil
	}
	if p.extension.functions.FromCEL == nil {
		return &mappingNode{n}
	}
	return &plainMapping{&mappingNode{n}, p.reader(n.body)}
}

type mappingNode struct{ loopNode }

// Exec implements interpreter.InterpretableV2.
func (n *mappingNode) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	loop := iteration{node: &n.loopNode}
	if instead := loop.begin(frame); instead != nil {
		return instead
	}
	defer loop.end()
	made := make([]ref.Val, 0, min(len(loop.items), maxFirstItems))
	for loop.next() {
		val := n.body.Exec(loop.frame)
		if types.IsUnknownOrError(val) {
			return val
		}
		made = append(made, val)
	}
	return types.NewRefValList(plain.Adapter{}, made)
}

// maxFirstItems is for how many items there is room before the first is made and paid for.
const maxFirstItems = 64

// Eval implements interpreter.Interpretable.
func (n *mappingNode) Eval(vars interpreter.Activation) ref.Val {
	return n.Exec(interpreter.AsFrame(vars))
}

// plainMapping is a map whose list goes into a function on plain values.
type plainMapping struct {
	*mappingNode

	plainBody plainNode
}

func (n *plainMapping) plainValue(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	loop := iteration{node: &n.loopNode}
	if instead := loop.begin(frame); instead != nil {
		return n.converter.fromCEL(instead)
	}
	defer loop.end()
	made := make([]any, 0, min(len(loop.items), maxFirstItems))
	for loop.next() {
		val, failed := n.plainBody.plainValue(loop.frame)
		if failed != nil {
			return nil, failed
		}
		made = append(made, val)
	}
	return made, nil
}

package expr

import (
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"
)

// A loop that is what a macro becomes goes through a JSON list without making values of CEL of its items.

// loopOf recognises what the macros all, exists, exists_one, map and cel.bind become.
func loopOf(c celast.ComprehensionExpr) part {
	if b, ok := bindingOf(c); ok {
		return b
	}
	if q, ok := quantifierOf(c); ok {
		return q
	}
	return counterOrMap(c)
}

// round is what all of them have.
type round struct {
	item string
	over int64
	// body is the node that is evaluated for each item, and cost what a round costs.
	body int64
	cost int
}

func roundOf(c celast.ComprehensionExpr) round {
	return round{item: c.IterVar(), over: c.IterRange().ID(), cost: staticCost(c.LoopStep())}
}

// loopNode is a loop over a JSON list.
type loopNode struct {
	// InterpretableV2 is CEL's own loop, for what is no JSON list.
	interpreter.InterpretableV2

	item       string
	cost       int
	over, body interpreter.InterpretableV2
	converter  converter
}

func (r round) node(p planner, node interpreter.InterpretableV2) (loopNode, bool) {
	n := loopNode{node, r.item, r.cost, p.nodes[r.over], p.nodes[r.body], &p.extension.functions}
	return n, n.over != nil && n.body != nil
}

// iteration is a loop under way.
type iteration struct {
	node  *loopNode
	items []any
	// begun is how many rounds were begun.
	begun int
	scope *itemScope
	meter *meter
	// frame is where the body is evaluated.
	frame *interpreter.ExecutionFrame
}

// begin begins a loop. Where there is no JSON list, it gives what the loop gives instead.
func (l *iteration) begin(frame *interpreter.ExecutionFrame) (instead ref.Val) {
	items, failed, ok := listOf(frame, l.node.over)
	if failed != nil {
		return failed
	}
	if !ok {
		return l.node.Exec(frame)
	}
	l.items, l.meter = items, meterOf(frame)
	l.scope = &itemScope{scope: scope{frame}, name: l.node.item}
	l.frame = frame.Push(l.scope)
	return nil
}

// next begins the next round and charges for it, if there is one.
func (l *iteration) next() bool {
	if l.begun == len(l.items) {
		return false
	}
	item := l.items[l.begun]
	if _, isObject := item.(map[string]any); !isObject { // most items are objects
		item = l.node.converter.variable(item)
	}
	l.scope.value = item
	l.begun++
	l.meter.charge(l.node.cost)
	return true
}

func (l *iteration) end() { l.frame.Pop() }

// scope is what the scopes of loops and bindings have: the frame around them. They are partial activations as that is:
// CEL resolves the index of a reference that may be missing in what it asks for the patterns of what is not known.
type scope struct{ outer *interpreter.ExecutionFrame }

// UnknownAttributePatterns implements interpreter.PartialActivation.
func (s scope) UnknownAttributePatterns() []*interpreter.AttributePattern {
	if partial, ok := s.outer.AsPartialActivation(); ok {
		return partial.UnknownAttributePatterns()
	}
	return nil
}

func (s scope) isPartial() bool {
	_, ok := s.outer.AsPartialActivation()
	return ok
}

// Parent implements interpreter.Activation.
func (scope) Parent() interpreter.Activation { return nil }

// itemScope is the variable of a loop.
type itemScope struct {
	scope

	name  string
	value any
}

// ResolveName implements interpreter.Activation.
func (s *itemScope) ResolveName(name string) (any, bool) {
	if name == s.name {
		return s.value, true
	}
	return s.outer.ResolveName(name)
}

// AsPartialActivation implements CEL's conversion to a PartialActivation.
func (s *itemScope) AsPartialActivation() (interpreter.PartialActivation, bool) {
	return s, s.isPartial()
}

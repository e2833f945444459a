package expr

import (
	"slices"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/interpreter"
)

// plan builds the program of a checked expression.
func (e *Env) plan(src Source, checked *cel.Ast) (*Program, error) {
	native := checked.NativeRep()
	p := &Program{
		src: src, info: native.SourceInfo(), out: checked.OutputType(),
		inputs: inputsOf(native.Expr(), e.extension.functions),
	}
	if e.inputs != nil {
		e.inputs.Merge(p.inputs)
	}
	p.path, p.literal = direct(native.Expr())
	shape := inspect(native.Expr())
	p.references = shape.references(e.scope.Keys())
	if p.path != nil || p.literal != nil {
		return p, nil
	}
	found, err := e.extension.implementations()
	if err != nil {
		return nil, err
	}
	nodes := planner{
		shape: shape, functions: found, extension: e.extension, nodes: map[int64]interpreter.InterpretableV2{},
	}
	p.cel, err = e.exec.Program(checked, cel.EvalOptions(shape.optimizations()), cel.CustomDecoratorV2(nodes.decorate))
	return p, err
}

// planner replaces nodes of CEL's plan: calls and rounds of loops by ones that are charged, and what conditions are
// mostly made of by ones that do the same with fewer steps. A test evaluates with and without it and finds no difference.
type planner struct {
	shape     shape
	functions implementations
	extension *Extension
	// nodes are those that are planned already: the parts of a node before the node.
	nodes map[int64]interpreter.InterpretableV2
}

// decorate is called for every node, the innermost first.
func (p planner) decorate(node interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	replaced, err := p.replace(node)
	if err != nil {
		return nil, err
	}
	node = replaced
	p.nodes[node.ID()] = node
	if cost := p.shape.rounds[node.ID()]; cost > 0 {
		return stepNode{node, cost}, nil
	}
	return node, nil
}

func (p planner) replace(node interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	if part := p.shape.parts[node.ID()]; part != nil {
		// CEL wraps a node that it selects from in one of the same number: that stays.
		delete(p.shape.parts, node.ID())
		if planned := part.plan(p, node); planned != nil {
			return planned, nil
		}
	}
	call, ok := node.(interpreter.InterpretableCall)
	if !ok {
		return node, nil
	}
	if f, ok := p.extension.plain[call.Function()]; ok {
		return p.plainCall(call, f), nil
	}
	charged, err := p.functions.call(call)
	if err != nil {
		return nil, err
	}
	return p.compareText(charged), nil
}

// part is what a node is beside what CEL takes it for: a loop of a kind, a choice, a name that is bound.
type part interface {
	// plan returns the node that does the same with fewer steps, or nil. The nodes of its parts are planned.
	plan(p planner, node interpreter.InterpretableV2) interpreter.InterpretableV2
}

// shape is what the plan of an expression depends on.
type shape struct {
	// rounds are what a round of a loop costs, by the number of the node that is the loop's step.
	rounds map[int64]int
	// parts are by the number of their node.
	parts map[int64]part
	// names are those of variables, by the number of the node that is one. References may be missing: they are not among
	// them.
	names map[int64]string
	// optionals are the paths with steps that may be absent, by the number of their last step.
	optionals map[int64]optionalPath
	// keys are the references that are selected by name; whole says that references is used otherwise.
	keys  []string
	whole bool
}

// optimizations fold constants and, where references are used, let a missing one be unknown.
func (s shape) optimizations() cel.EvalOption {
	if s.whole || len(s.keys) > 0 {
		return cel.OptOptimize | cel.OptPartialEval
	}
	return cel.OptOptimize
}

func (s shape) references(declared []string) []string {
	if s.whole {
		return declared
	}
	return s.keys
}

// inspect walks a checked, macro-expanded expression.
func inspect(e celast.Expr) shape {
	s := shape{
		rounds: map[int64]int{}, parts: map[int64]part{}, names: map[int64]string{}, optionals: map[int64]optionalPath{},
	}
	selected := map[int64]bool{}
	visit := func(e celast.Expr) {
		switch e.Kind() {
		case celast.ComprehensionKind:
			step := e.AsComprehension().LoopStep()
			s.rounds[step.ID()] = staticCost(step)
			s.addPart(e, loopOf(e.AsComprehension()))
		case celast.CallKind:
			s.addPart(e, callPart(e))
			if path, ok := optionalPathOf(e); ok {
				s.optionals[e.ID()] = path
			}
		case celast.SelectKind:
			if operand := e.AsSelect().Operand(); isReferences(operand) {
				selected[operand.ID()] = true
				s.addKey(e.AsSelect().FieldName())
			}
		case celast.IdentKind:
			if name := e.AsIdent(); name != ReferencesVariable {
				s.names[e.ID()] = name
			}
			s.whole = s.whole || isReferences(e) && !selected[e.ID()]
		default:
		}
	}
	celast.PreOrderVisit(e, celast.NewExprVisitor(visit))
	return s
}

func (s *shape) addPart(e celast.Expr, p part) {
	if p != nil {
		s.parts[e.ID()] = p
	}
}

func (s *shape) addKey(key string) {
	if !slices.Contains(s.keys, key) {
		s.keys = append(s.keys, key)
	}
}

func isReferences(e celast.Expr) bool {
	return e.Kind() == celast.IdentKind && e.AsIdent() == ReferencesVariable
}

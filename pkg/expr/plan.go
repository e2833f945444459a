package expr

import (
	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/interpreter"
)

// plan builds the program of a checked expression.
func (e *Env) plan(src Source, checked *cel.Ast) (*Program, error) {
	native := checked.NativeRep()
	p := &Program{
		src: src, info: native.SourceInfo(), out: checked.OutputType(),
		inputs: inputsOf(native.Expr(), e.fieldFunctions),
	}
	p.path, p.literal = direct(native.Expr())
	shape := inspect(native.Expr())
	p.references = shape.references(e.scope.Keys())
	if p.path != nil || p.literal != nil {
		return p, nil
	}
	var err error
	if linear(native.Expr()) {
		if p.linear, err = e.exec.Program(checked, shape.linearOptions()...); err != nil {
			return nil, err
		}
	}
	if p.linear == nil || shape.loops {
		p.counted, err = e.exec.Program(checked, shape.countedOptions()...)
	}
	return p, err
}

// shape is what the plan of an expression depends on.
type shape struct {
	loops bool
	// quantifiers are the loops that all and exists are, by the number of their node.
	quantifiers map[int64]quantifier
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

// countedOptions are those of a program that stops at a limit of cost, and at the end of its context.
func (s shape) countedOptions() []cel.ProgramOption {
	options := []cel.ProgramOption{
		cel.EvalOptions(s.optimizations(), cel.OptTrackCost), cel.CostTracking(costs{}), cel.CostLimit(costLimit),
	}
	if s.loops {
		options = append(options, cel.InterruptCheckFrequency(interruptEvery))
	}
	return options
}

// linearOptions are those of a program that needs no counting, but in loops that are too long.
func (s shape) linearOptions() []cel.ProgramOption {
	fast := fastPlan{loops: s.quantifiers, nodes: map[int64]interpreter.InterpretableV2{}}
	return []cel.ProgramOption{cel.EvalOptions(s.optimizations()), cel.CustomDecoratorV2(fast.decorate)}
}

func (s shape) references(declared []string) []string {
	if s.whole {
		return declared
	}
	return s.keys
}

// inspect walks a checked, macro-expanded expression.
func inspect(e celast.Expr) shape {
	s := shape{quantifiers: map[int64]quantifier{}}
	selected := map[int64]bool{}
	seen := map[string]bool{}
	visit := func(e celast.Expr) {
		switch e.Kind() {
		case celast.ComprehensionKind:
			s.loops = true
			if q, ok := quantifierOf(e.AsComprehension()); ok {
				s.quantifiers[e.ID()] = q
			}
		case celast.SelectKind:
			operand := e.AsSelect().Operand()
			if key := e.AsSelect().FieldName(); isReferences(operand) {
				selected[operand.ID()] = true
				if !seen[key] {
					seen[key] = true
					s.keys = append(s.keys, key)
				}
			}
		case celast.IdentKind:
			if isReferences(e) && !selected[e.ID()] {
				s.whole = true
			}
		default:
		}
	}
	celast.PreOrderVisit(e, celast.NewExprVisitor(visit))
	return s
}

func isReferences(e celast.Expr) bool {
	return e.Kind() == celast.IdentKind && e.AsIdent() == ReferencesVariable
}

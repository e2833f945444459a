package expr

import (
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"

	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// plainNode gives its value without making a CEL value of it.
type plainNode interface {
	interpreter.InterpretableV2

	// plainValue is the value, or why there is none: an error or a value that is not known.
	plainValue(frame *interpreter.ExecutionFrame) (val any, failed ref.Val)
}

// converter is how nodes turn CEL values into plain ones and back; see Functions.
type converter = *Functions

// reader makes a plainNode of any node.
func (p planner) reader(node interpreter.InterpretableV2) plainNode {
	c := &p.extension.functions
	switch n := node.(type) {
	case plainNode:
		return n
	case *optionalValueNode:
		return plainOptional{n, c}
	case interpreter.InterpretableConst:
		if val, err := c.FromCEL(n.Value()); err == nil {
			return plainConst{n, val}
		}
	case interpreter.InterpretableAttribute:
		if name, ok := p.shape.names[node.ID()]; ok {
			return plainName{n, c, name}
		}
		if path, ok := p.shape.optionals[node.ID()]; ok {
			if none, err := c.FromCEL(types.OptionalNone); err == nil {
				return plainOptionalPath{n, c, path, none}
			}
		}
		return plainAttribute{n, c}
	case interpreter.InterpretableConstructor:
		if items, ok := p.items(n); ok {
			return plainList{n, items}
		}
	}
	return plainAny{node, c}
}

// items are the items of a node that makes a list.
func (p planner) items(node interpreter.InterpretableV2) ([]plainNode, bool) {
	made, ok := node.(interpreter.InterpretableConstructor)
	if !ok || made.Type() != types.ListType {
		return nil, false
	}
	items := make([]plainNode, len(made.InitVals()))
	for i, item := range made.InitVals() {
		items[i] = p.reader(item)
	}
	return items, true
}

type plainConst struct {
	interpreter.InterpretableV2

	val any
}

func (n plainConst) plainValue(*interpreter.ExecutionFrame) (any, ref.Val) { return n.val, nil }

// plainName is a variable of a loop or a binding.
type plainName struct {
	interpreter.InterpretableV2
	converter

	name string
}

func (n plainName) plainValue(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	val, ok := frame.ResolveName(n.name)
	if !ok {
		return n.fromCEL(n.Exec(frame))
	}
	return n.unwrapped(val)
}

type plainAttribute struct {
	interpreter.InterpretableAttribute
	converter
}

func (n plainAttribute) plainValue(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	val, err := n.Resolve(frame)
	if err != nil {
		return nil, located(n.ID(), types.WrapErr(err))
	}
	return n.unwrapped(val)
}

// plainOptional is what an optional path leads to.
type plainOptional struct {
	*optionalValueNode
	converter
}

func (n plainOptional) plainValue(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	if val, ok := n.read(frame); ok {
		return val, nil
	}
	return n.fromCEL(n.byCEL(frame))
}

// plainOptionalPath is a path with steps that may be absent; none is what there is then.
type plainOptionalPath struct {
	interpreter.InterpretableV2
	converter

	path optionalPath
	none any
}

func (n plainOptionalPath) plainValue(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	val, present, ok := n.path.follow(frame)
	switch _, made := val.(ref.Val); {
	case !ok || made:
		return n.fromCEL(n.Exec(frame))
	case present:
		return val, nil
	default:
		return n.none, nil
	}
}

// plainList makes a list.
type plainList struct {
	interpreter.InterpretableV2

	items []plainNode
}

func (n plainList) plainValue(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	list := make([]any, len(n.items))
	for i, item := range n.items {
		var failed ref.Val
		if list[i], failed = item.plainValue(frame); failed != nil {
			return nil, failed
		}
	}
	return list, nil
}

// plainAny is any other node.
type plainAny struct {
	interpreter.InterpretableV2
	converter
}

func (n plainAny) plainValue(frame *interpreter.ExecutionFrame) (any, ref.Val) {
	return n.fromCEL(n.Exec(frame))
}

func (c *Functions) fromCEL(val ref.Val) (any, ref.Val) {
	if types.IsUnknownOrError(val) {
		return nil, val
	}
	plainly, err := c.FromCEL(val)
	if err != nil {
		return nil, types.WrapErr(err)
	}
	return plainly, nil
}

// unwrapped is the plain value of what a variable holds: a JSON value or a CEL one.
func (c *Functions) unwrapped(val any) (any, ref.Val) {
	if made, ok := val.(ref.Val); ok {
		return c.fromCEL(made)
	}
	return val, nil
}

// made is the CEL value of a plain one, or why there is none.
func (c *Functions) made(val any, failed ref.Val) ref.Val {
	if failed != nil {
		return failed
	}
	return c.ToCEL(val)
}

// variable is a plain value as a variable holds it, for CEL to see: what is no JSON value is a CEL value there, where
// there are functions that know it.
func (c *Functions) variable(val any) any {
	switch val.(type) {
	case string, map[string]any, bool, int64, float64, nil, []any:
		return val
	}
	if c.ToCEL == nil {
		return val
	}
	return c.ToCEL(val)
}

// listOf is the JSON list that a node gives, if it gives one.
func listOf(frame *interpreter.ExecutionFrame, node interpreter.InterpretableV2) (items []any, failed ref.Val, ok bool) {
	if n, isOptional := node.(*optionalValueNode); isOptional {
		if val, known := n.read(frame); known {
			items, ok = val.([]any)
			return items, nil, ok
		}
	}
	if n, isPlain := node.(plainNode); isPlain {
		val, failed := n.plainValue(frame)
		if failed != nil {
			return nil, failed, true
		}
		items, ok = val.([]any)
		return items, nil, ok
	}
	val := node.Exec(frame)
	if types.IsUnknownOrError(val) {
		return nil, val, true
	}
	items, ok = plain.Items(val)
	return items, nil, ok
}

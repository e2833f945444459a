package expr

import (
	"errors"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// path is a plain selection of fields from a variable, such as source.metadata.name or source.data["tls.crt"].
type path struct {
	variable string
	fields   []step
	// reference is the key of the reference that is read, if any.
	reference string
	// metadata are the fields after source.metadata, if the path begins with it.
	metadata []step
}

// step is one selected field and the node of the syntax tree that selects it.
type step struct {
	name string
	id   int64
}

// direct recognises expressions that need no CEL program: literals and plain selections.
func direct(e celast.Expr) (*path, ref.Val) {
	switch e.Kind() {
	case celast.LiteralKind:
		return nil, e.AsLiteral()
	case celast.SelectKind, celast.CallKind:
		if p := pathOf(e); p != nil {
			return p.complete(), nil
		}
	default:
	}
	return nil, nil
}

func pathOf(e celast.Expr) *path {
	switch e.Kind() {
	case celast.IdentKind:
		if name := e.AsIdent(); name == SourceVariable || name == ReferencesVariable {
			return &path{variable: name}
		}
	case celast.SelectKind:
		if sel := e.AsSelect(); !sel.IsTestOnly() {
			return pathOf(sel.Operand()).below(sel.FieldName(), e.ID())
		}
	case celast.CallKind:
		call := e.AsCall()
		if call.FunctionName() != operators.Index || call.Args()[1].Kind() != celast.LiteralKind {
			return nil
		}
		if key, ok := call.Args()[1].AsLiteral().(types.String); ok {
			return pathOf(call.Args()[0]).below(string(key), e.ID())
		}
	default:
	}
	return nil
}

func (p *path) below(field string, id int64) *path {
	if p != nil {
		p.fields = append(p.fields, step{field, id})
	}
	return p
}

func (p *path) complete() *path {
	switch {
	case p.variable == ReferencesVariable:
		p.reference = p.fields[0].name
	case p.fields[0].name == "metadata":
		p.metadata = p.fields[1:]
	}
	return p
}

// walk follows the path. On failure it returns the node that failed.
func (p *path) walk(b *Binding) (val any, failed int64, err error) {
	if len(p.metadata) > 0 && b.metadata != nil {
		return walk(b.metadata, p.metadata)
	}
	if p.reference != "" {
		return walk(b.references, p.fields)
	}
	return walk(b.source, p.fields)
}

func walk(object map[string]any, fields []step) (val any, failed int64, err error) {
	for i, f := range fields {
		if i > 0 {
			var ok bool
			if object, ok = val.(map[string]any); !ok {
				return nil, f.id, noField(val)
			}
		}
		var ok bool
		if val, ok = object[f.name]; !ok {
			return nil, f.id, errNoSuchKey
		}
	}
	return val, 0, nil
}

// The failures of a path are those that CEL gives for the same selection.
var (
	errNoSuchKey = failureOf(errors.New("no such key"))
	errIndexType = failureOf(errors.New("unsupported index type"))
)

// noField is the failure of selecting a field of what is no object.
func noField(val any) error {
	if _, ok := val.([]any); ok {
		return errIndexType
	}
	return errNoSuchKey
}

var _ cel.Activation = (*Binding)(nil)

package expr

import (
	"slices"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/interpreter"
)

// Binding is the values of the variables for one object. Its maps are only read. A binding serves one
// goroutine; making one costs nothing much.
type Binding struct {
	source     any
	references map[string]any
	missing    []string
	unknown    []*interpreter.AttributePattern
}

// NewBinding binds source, a JSON object as the API machinery decodes it: map[string]any, []any, string, bool,
// int64, float64 and nil. The references named by keys exist but are missing until SetReference gives them.
func NewBinding(source map[string]any, keys []string) *Binding {
	b := &Binding{source: source, references: make(map[string]any, len(keys)), missing: slices.Clone(keys)}
	b.refresh()
	return b
}

// SetReference gives the reference key its object.
func (b *Binding) SetReference(key string, object map[string]any) {
	b.references[key] = object
	b.missing = slices.DeleteFunc(b.missing, func(k string) bool { return k == key })
	b.refresh()
}

// Missing are the references that have no object.
func (b *Binding) Missing() []string { return b.missing }

func (b *Binding) refresh() {
	b.unknown = make([]*interpreter.AttributePattern, len(b.missing))
	for i, key := range b.missing {
		b.unknown[i] = interpreter.NewAttributePattern(ReferencesVariable).QualString(key)
	}
}

// ResolveName implements CEL's Activation.
func (b *Binding) ResolveName(name string) (any, bool) {
	switch name {
	case SourceVariable:
		return b.source, true
	case ReferencesVariable:
		return b.references, true
	default:
		return nil, false
	}
}

// Parent implements CEL's Activation.
func (b *Binding) Parent() interpreter.Activation { return nil }

// UnknownAttributePatterns implements CEL's PartialActivation: a missing reference is not absent, it is not known.
func (b *Binding) UnknownAttributePatterns() []*interpreter.AttributePattern { return b.unknown }

// AsPartialActivation implements CEL's conversion to a PartialActivation.
func (b *Binding) AsPartialActivation() (interpreter.PartialActivation, bool) { return b, true }

// pendingOn returns the reference keys that made a result unknown.
func pendingOn(u *types.Unknown, missing []string) []string {
	var keys []string
	for _, id := range u.IDs() {
		trails, _ := u.GetAttributeTrails(id)
		for _, trail := range trails {
			if len(trail.QualifierPath()) == 0 {
				return missing
			}
			if key, ok := trail.QualifierPath()[0].(string); ok && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	return keys
}

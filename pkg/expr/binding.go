package expr

import (
	"slices"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/interpreter"
)

// Binding is the values of the variables for one object. Its maps are only read. A binding serves one
// goroutine; making one costs nothing much.
type Binding struct {
	source map[string]any
	// metadata is that of source: most names are made of it.
	metadata   map[string]any
	keys       []string
	references map[string]any
	// unknown are the patterns of the missing references, when they were asked for.
	unknown []*interpreter.AttributePattern
	// meter is that of the evaluation under way.
	meter meter
	// spent is what the evaluations before it cost, and most what they may cost until EndShare; 0 is no bound.
	spent, most int
}

// NewBinding binds source, a JSON object as the API machinery decodes it: map[string]any, []any, string, bool,
// int64, float64 and nil. The references named by keys exist but are missing until SetReference gives them.
func NewBinding(source map[string]any, keys []string) *Binding {
	b := &Binding{source: source, keys: keys}
	b.metadata, _ = source["metadata"].(map[string]any)
	return b
}

// SetReference gives the reference key its object.
func (b *Binding) SetReference(key string, object map[string]any) {
	if b.references == nil {
		b.references = make(map[string]any, len(b.keys))
	}
	b.references[key] = object
	b.unknown = nil
}

// Spent is what all evaluations with this binding have cost so far, each of which may cost a million.
func (b *Binding) Spent() int { return b.spent }

// ShareLimit makes the evaluations from now until EndShare share the limit of one: they are parts of one whole, of which
// there may be many. Within such a whole it changes nothing, and begins is false.
func (b *Binding) ShareLimit() (begins bool) {
	if b.most > 0 {
		return false
	}
	b.most = b.spent + costLimit
	return true
}

// EndShare ends what ShareLimit began, if it did.
func (b *Binding) EndShare(begun bool) {
	if begun {
		b.most = 0
	}
}

// Spend counts the cost of work beside evaluations towards their limit. It reports false, and counts nothing, if that is
// exceeded.
func (b *Binding) Spend(cost int) bool {
	if cost > b.limit() {
		return false
	}
	b.spent += cost
	return true
}

// limit is what the next evaluation may cost.
func (b *Binding) limit() int {
	if b.most > 0 {
		return b.most - b.spent
	}
	return costLimit
}

// Missing are the references that have no object.
func (b *Binding) Missing() []string {
	var missing []string
	for _, key := range b.keys {
		if b.lacks(key) {
			missing = append(missing, key)
		}
	}
	return missing
}

// lacks reports whether a declared reference has no object.
func (b *Binding) lacks(key string) bool {
	_, ok := b.references[key]
	return !ok && slices.Contains(b.keys, key)
}

// ResolveName implements CEL's Activation.
func (b *Binding) ResolveName(name string) (any, bool) {
	switch name {
	case SourceVariable:
		return b.source, true
	case ReferencesVariable:
		return b.references, true
	case meterVariable:
		return &b.meter, true
	default:
		return nil, false
	}
}

// Parent implements CEL's Activation.
func (b *Binding) Parent() interpreter.Activation { return nil }

// UnknownAttributePatterns implements CEL's PartialActivation: a missing reference is not absent, it is not known.
func (b *Binding) UnknownAttributePatterns() []*interpreter.AttributePattern {
	if b.unknown == nil && len(b.references) < len(b.keys) {
		for _, key := range b.Missing() {
			b.unknown = append(b.unknown, interpreter.NewAttributePattern(ReferencesVariable).QualString(key))
		}
	}
	return b.unknown
}

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

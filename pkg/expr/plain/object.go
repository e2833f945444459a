package plain

import (
	"maps"
	"reflect"
	"slices"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// object is a JSON object as a CEL map; it is a pointer because CEL looks values up in Go maps. A comprehension meets
// its keys in order, so that the same object always gives the same list: a result that changes from one evaluation to
// the next would be written again and again.
type object struct{ fields map[string]any }

var (
	_ traits.Mapper   = (*object)(nil)
	_ traits.Foldable = (*object)(nil)
	_ traits.Zeroer   = (*object)(nil)
)

// cel is the object as CEL's own map, for what is rarely asked.
func (o *object) cel() traits.Mapper { return types.NewStringInterfaceMap(Adapter{}, o.fields) }

// Find implements traits.Mapper.
func (o *object) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return o.cel().Find(key)
	}
	value, ok := o.fields[string(name)]
	if !ok {
		return nil, false
	}
	return Value(value), true
}

// Get implements traits.Indexer.
func (o *object) Get(key ref.Val) ref.Val {
	if value, ok := o.Find(key); ok {
		return value
	}
	return o.cel().Get(key)
}

// Contains implements traits.Container.
func (o *object) Contains(key ref.Val) ref.Val {
	name, ok := key.(types.String)
	if !ok {
		return o.cel().Contains(key)
	}
	_, ok = o.fields[string(name)]
	return types.Bool(ok)
}

// Size implements traits.Sizer.
func (o *object) Size() ref.Val { return types.Int(len(o.fields)) }

// IsZeroValue implements traits.Zeroer.
func (o *object) IsZeroValue() bool { return len(o.fields) == 0 }

// keys are the names of the fields in order.
func (o *object) keys() []string { return slices.Sorted(maps.Keys(o.fields)) }

// Iterator implements traits.Iterable.
func (o *object) Iterator() traits.Iterator {
	keys := make([]any, 0, len(o.fields))
	for _, key := range o.keys() {
		keys = append(keys, key)
	}
	return &iterator{rest: keys}
}

// Fold implements traits.Foldable.
func (o *object) Fold(f traits.Folder) {
	for _, key := range o.keys() {
		if !f.FoldEntry(key, o.fields[key]) {
			return
		}
	}
}

// Equal implements ref.Val.
func (o *object) Equal(other ref.Val) ref.Val { return o.cel().Equal(other) }

// Type implements ref.Val.
func (o *object) Type() ref.Type { return types.MapType }

// Value implements ref.Val.
func (o *object) Value() any { return o.fields }

// ConvertToType implements ref.Val.
func (o *object) ConvertToType(t ref.Type) ref.Val { return o.cel().ConvertToType(t) }

// ConvertToNative implements ref.Val.
func (o *object) ConvertToNative(t reflect.Type) (any, error) { return o.cel().ConvertToNative(t) }

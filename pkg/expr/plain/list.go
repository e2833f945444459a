package plain

import (
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// list is a JSON array as a CEL list; it is a pointer as object is.
type list struct{ items []any }

var (
	_ traits.Lister   = (*list)(nil)
	_ traits.Foldable = (*list)(nil)
	_ traits.Zeroer   = (*list)(nil)
)

// Items returns the items of a CEL value that is a JSON list. They must only be read.
func Items(val ref.Val) (items []any, ok bool) {
	if l, ok := val.(*list); ok {
		return l.items, true
	}
	return nil, false
}

// cel is the list as CEL's own list, for what is rarely asked.
func (l *list) cel() traits.Lister { return types.NewDynamicList(Adapter{}, l.items) }

// Get implements traits.Indexer.
func (l *list) Get(index ref.Val) ref.Val {
	if i, ok := index.(types.Int); ok && i >= 0 && int(i) < len(l.items) {
		return Value(l.items[i])
	}
	return l.cel().Get(index)
}

// Contains implements traits.Container.
func (l *list) Contains(value ref.Val) ref.Val {
	if text, ok := value.(types.String); ok {
		for _, item := range l.items {
			if sameText(item, text) {
				return types.True
			}
		}
		return types.False
	}
	return l.cel().Contains(value)
}

// Size implements traits.Sizer.
func (l *list) Size() ref.Val { return types.Int(len(l.items)) }

// IsZeroValue implements traits.Zeroer.
func (l *list) IsZeroValue() bool { return len(l.items) == 0 }

// Iterator implements traits.Iterable.
func (l *list) Iterator() traits.Iterator { return &iterator{rest: l.items} }

// Fold implements traits.Foldable.
func (l *list) Fold(f traits.Folder) {
	for i, item := range l.items {
		if !f.FoldEntry(i, item) {
			return
		}
	}
}

// Add implements traits.Adder.
func (l *list) Add(other ref.Val) ref.Val { return l.cel().Add(other) }

// Equal implements ref.Val.
func (l *list) Equal(other ref.Val) ref.Val { return l.cel().Equal(other) }

// Type implements ref.Val.
func (l *list) Type() ref.Type { return types.ListType }

// Value implements ref.Val.
func (l *list) Value() any { return l.items }

// ConvertToType implements ref.Val.
func (l *list) ConvertToType(t ref.Type) ref.Val {
	if t == types.ListType {
		return l
	}
	return l.cel().ConvertToType(t)
}

// ConvertToNative implements ref.Val.
func (l *list) ConvertToNative(t reflect.Type) (any, error) { return l.cel().ConvertToNative(t) }

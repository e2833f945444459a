package plain

import (
	"errors"
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// iterator implements traits.Iterator over JSON values.
type iterator struct{ rest []any }

// HasNext implements traits.Iterator.
func (it *iterator) HasNext() ref.Val { return types.Bool(len(it.rest) > 0) }

// Next implements traits.Iterator.
func (it *iterator) Next() ref.Val {
	if len(it.rest) == 0 {
		return nil
	}
	next := it.rest[0]
	it.rest = it.rest[1:]
	return Value(next)
}

// An iterator is a value for CEL only because the interface asks for it: no expression sees one.

// ConvertToNative implements ref.Val.
func (*iterator) ConvertToNative(reflect.Type) (any, error) {
	return nil, errors.New("an iterator has no native value")
}

// ConvertToType implements ref.Val.
func (*iterator) ConvertToType(ref.Type) ref.Val { return types.NoSuchOverloadErr() }

// Equal implements ref.Val.
func (*iterator) Equal(ref.Val) ref.Val { return types.NoSuchOverloadErr() }

// Type implements ref.Val.
func (*iterator) Type() ref.Type { return types.IteratorType }

// Value implements ref.Val.
func (*iterator) Value() any { return nil }

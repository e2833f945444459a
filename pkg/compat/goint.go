package compat

import (
	"reflect"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// goInt is an integer that the template made: a constant, an index, a length. Functions of templates tell it from
// the integers of data, which are int64: trunc takes the one and refuses the other.
type goInt int

var goIntType = types.NewOpaqueType("tpl.int")

// ConvertToNative implements ref.Val.
func (i goInt) ConvertToNative(t reflect.Type) (any, error) { return types.Int(i).ConvertToNative(t) }

// ConvertToType implements ref.Val.
func (i goInt) ConvertToType(t ref.Type) ref.Val { return types.Int(i).ConvertToType(t) }

// Equal implements ref.Val.
func (i goInt) Equal(other ref.Val) ref.Val {
	o, ok := other.(goInt)
	return types.Bool(ok && i == o)
}

// Type implements ref.Val.
func (goInt) Type() ref.Type { return goIntType }

// Value implements ref.Val.
func (i goInt) Value() any { return int(i) }

package sprig

import "math"

var compareFunctions = map[string]spec{
	"eq":        {"aa*", KindBool, equalAny},
	"ne":        {"aa", KindBool, func(a args) (any, error) { return negate(equal(a[0], a[1])) }},
	"lt":        {"aa", KindBool, func(a args) (any, error) { return less(a[0], a[1]) }},
	"le":        {"aa", KindBool, func(a args) (any, error) { return lessOrEqual(a[0], a[1]) }},
	"gt":        {"aa", KindBool, func(a args) (any, error) { return negate(lessOrEqual(a[0], a[1])) }},
	"ge":        {"aa", KindBool, func(a args) (any, error) { return negate(less(a[0], a[1])) }},
	"not":       {"a", KindBool, func(a args) (any, error) { return !Truth(a[0]), nil }},
	"deepEqual": {"aa", KindBool, func(a args) (any, error) { return new(comparison).same(a[0], a[1]) }},
	"kindOf":    {"a", KindString, func(a args) (any, error) { return kindOf(a[0]), nil }},
	"kindIs":    {"sa", KindBool, func(a args) (any, error) { return a.text(0) == kindOf(a[1]), nil }},
}

// Truth is what if, and, or and not make of a value: empty texts, lists and maps, zero, false, null and absent
// are false.
func Truth(v any) bool {
	switch v := v.(type) {
	case nil, Absent:
		return false
	case string:
		return v != ""
	case bool:
		return v
	case int:
		return v != 0
	case int64:
		return v != 0
	case float64:
		return v != 0
	case []any:
		return len(v) > 0
	case map[string]any:
		return len(v) > 0
	}
	return true
}

// kindOf is the name of the Go kind of a value.
func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case bool:
		return "bool"
	case int:
		return "int"
	case int64:
		return "int64"
	case float64:
		return "float64"
	case []any:
		return "slice"
	case map[string]any:
		return "map"
	}
	return "invalid"
}

// integer is the value of an int or an int64.
func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int64:
		return v, true
	}
	return 0, false
}

// isNull reports what eq takes for nil: null, and lists and maps that were never made.
func isNull(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return v == nil
	case map[string]any:
		return v == nil
	}
	return false
}

var errCompare = wrongType("values of these types cannot be compared")

// equalAny stops at the first match, before the types of later arguments matter.
func equalAny(a args) (any, error) {
	if len(a) == 1 {
		return nil, refuse("there is nothing to compare with")
	}
	for _, other := range a[1:] {
		if same, err := equal(a[0], other); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

// equal compares values of one kind. Lists and maps compare with null only.
func equal(a, b any) (bool, error) {
	if x, ok := integer(a); ok {
		if y, ok := integer(b); ok {
			return x == y, nil
		}
	}
	ka, kb := kindOf(a), kindOf(b)
	switch {
	case a == nil || b == nil:
		return isNull(a) && isNull(b), nil
	case ka != kb:
		return false, errCompare
	case isNull(a) || isNull(b):
		return isNull(a) && isNull(b), nil
	case ka == "slice" || ka == "map":
		return false, errCompare
	}
	return a == b, nil
}

func less(a, b any) (bool, error) {
	if x, ok := integer(a); ok {
		if y, ok := integer(b); ok {
			return x < y, nil
		}
	}
	switch a := a.(type) {
	case string:
		if b, ok := b.(string); ok {
			return a < b, nil
		}
	case float64:
		if b, ok := b.(float64); ok {
			return a < b, nil
		}
	}
	return false, errCompare
}

// lessOrEqual is not the negation of a comparison: NaN is neither.
func lessOrEqual(a, b any) (bool, error) {
	if is, err := less(a, b); is || err != nil {
		return is, err
	}
	return equal(a, b)
}

func negate(b bool, err error) (any, error) {
	return !b, err
}

// comparison compares values by what they hold, numbers by value, within a bound of work: a list may hold one list
// many times.
type comparison struct{ work, depth int }

//nolint:cyclop,gocognit // one case for each kind of value
func (c *comparison) same(a, b any) (bool, error) {
	if c.work++; c.work > maxWork {
		return false, errTooMuchWork
	}
	if c.depth > maxDepth {
		return false, errTooDeep
	}
	c.depth++
	defer func() { c.depth-- }()
	switch a := a.(type) {
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false, nil
		}
		for i := range a {
			if same, err := c.same(a[i], b[i]); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false, nil
		}
		for _, key := range sortedKeys(a) {
			other, has := b[key]
			if !has {
				return false, nil
			}
			if same, err := c.same(a[key], other); !same || err != nil {
				return false, err
			}
		}
		return true, nil
	}
	x, ok := scalar(a)
	y, okB := scalar(b)
	return ok && okB && x == y, nil
}

// scalar is a value that == compares by value: equal integers and floats become the same. Lists and maps have none.
func scalar(v any) (key any, ok bool) {
	if n, ok := integer(v); ok {
		return n, true
	}
	switch v := v.(type) {
	case nil, string, bool:
		return v, true
	case float64:
		if whole := math.Trunc(v); whole == v && whole >= math.MinInt64 && whole < -math.MinInt64 {
			return int64(whole), true
		}
		return v, true
	}
	return nil, false
}

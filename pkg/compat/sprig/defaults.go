package sprig

import "slices"

var defaultFunctions = map[string]spec{
	"default":  {"aa*", KindAny, defaultTo},
	"empty":    {"a", KindBool, func(a args) (any, error) { return !Truth(a[0]), nil }},
	"coalesce": {"a*", KindAny, coalesce},
	"all":      {"a*", KindBool, all},
	"any":      {"a*", KindBool, anyOf},
	"ternary":  {"aab", KindAny, ternary},
	"fail":     {"s", KindString, func(args) (any, error) { return nil, refuse("the template gives up here") }},
}

// defaultTo looks at the second argument only.
func defaultTo(a args) (any, error) {
	if len(a) > 1 && Truth(a[1]) {
		return a[1], nil
	}
	return a[0], nil
}

func coalesce(a args) (any, error) {
	for _, v := range a {
		if Truth(v) {
			return v, nil
		}
	}
	return nil, nil //nolint:nilnil // null is a value
}

func all(a args) (any, error) {
	for _, v := range a {
		if !Truth(v) {
			return false, nil
		}
	}
	return true, nil
}

func anyOf(a args) (any, error) {
	return slices.ContainsFunc(a, Truth), nil
}

func ternary(a args) (any, error) {
	if a.flag(2) {
		return a[0], nil
	}
	return a[1], nil
}

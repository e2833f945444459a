package sprig

import (
	"math"
	"slices"
)

var listFunctions = map[string]spec{
	"list":        {"a*", KindList, list},
	"tuple":       {"a*", KindList, list},
	"first":       {"a", KindAny, first},
	"mustFirst":   {"a", KindAny, first},
	"last":        {"a", KindAny, last},
	"mustLast":    {"a", KindAny, last},
	"rest":        {"a", KindList, rest},
	"mustRest":    {"a", KindList, rest},
	"initial":     {"a", KindList, initial},
	"mustInitial": {"a", KindList, initial},
	"append":      {"aa", KindList, appended},
	"mustAppend":  {"aa", KindList, appended},
	"push":        {"aa", KindList, appended},
	"mustPush":    {"aa", KindList, appended},
	"prepend":     {"aa", KindList, prepended},
	"mustPrepend": {"aa", KindList, prepended},
	"concat":      {"a*", KindList, concat},
	"reverse":     {"a", KindList, reverse},
	"mustReverse": {"a", KindList, reverse},
	"compact":     {"a", KindList, compact},
	"mustCompact": {"a", KindList, compact},
	"slice":       {"aa*", KindAny, slice},
	"mustSlice":   {"aa*", KindAny, slice},
	"chunk":       {"ia", KindList, chunk},
	"mustChunk":   {"ia", KindList, chunk},
	"sortAlpha":   {"a", KindList, sortAlpha},
}

// items are those of an argument that must be a list; null is none.
func items(v any) ([]any, error) {
	if list, ok := v.([]any); ok {
		return list, nil
	}
	return nil, wrongType("the argument must be a list, not " + describe(v))
}

// withItems makes a function of a list, its only argument.
func withItems(v any, f func([]any) any) (any, error) {
	list, err := items(v)
	if err != nil {
		return nil, err
	}
	return f(list), nil
}

func list(a args) (any, error) { return slices.Clone([]any(a)), nil }

func first(a args) (any, error) {
	return withItems(a[0], func(list []any) any {
		if len(list) == 0 {
			return nil
		}
		return list[0]
	})
}

func last(a args) (any, error) {
	return withItems(a[0], func(list []any) any {
		if len(list) == 0 {
			return nil
		}
		return list[len(list)-1]
	})
}

// rest and initial of an empty list are no list.
func rest(a args) (any, error) {
	return withItems(a[0], func(list []any) any {
		if len(list) == 0 {
			return []any(nil)
		}
		return list[1:len(list):len(list)]
	})
}

func initial(a args) (any, error) {
	return withItems(a[0], func(list []any) any {
		if len(list) == 0 {
			return []any(nil)
		}
		return list[: len(list)-1 : len(list)-1]
	})
}

func appended(a args) (any, error) {
	return withItems(a[0], func(list []any) any {
		return append(slices.Clip(list), a[1])
	})
}

func prepended(a args) (any, error) {
	return withItems(a[0], func(list []any) any {
		return append([]any{a[1]}, list...)
	})
}

func concat(a args) (any, error) {
	var out []any
	for _, v := range a {
		list, err := items(v)
		if err != nil {
			return nil, err
		}
		if len(out)+len(list) > maxItems {
			return nil, errListTooLong
		}
		out = append(out, list...)
	}
	return out, nil
}

func reverse(a args) (any, error) {
	return withItems(a[0], func(list []any) any {
		out := make([]any, len(list))
		for i, item := range list {
			out[len(list)-1-i] = item
		}
		return out
	})
}

func compact(a args) (any, error) {
	return withItems(a[0], func(list []any) any {
		out := []any{}
		for _, item := range list {
			if Truth(item) {
				out = append(out, item)
			}
		}
		return out
	})
}

// slice takes its bounds from any value as the function int does. A slice of an empty list is null whatever the
// bounds are.
func slice(a args) (any, error) {
	list, err := items(a[0])
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, nil //nolint:nilnil // null is a value
	}
	start, end := 0, len(list)
	if len(a) > 1 {
		start = int(toInt64(a[1]))
	}
	if len(a) > 2 {
		end = int(toInt64(a[2]))
	}
	if start < 0 || start > end || end > len(list) {
		return nil, outOfRange("the range is not within the list")
	}
	return list[start:end:end], nil
}

// chunk cuts a list into lists of the given size. What it makes of sizes below one is what the original's way to
// compute the number of lists makes of them: an error, no list, or for a single item the whole.
func chunk(a args) (any, error) {
	list, err := items(a[1])
	if err != nil {
		return nil, err
	}
	size := a.num(0)
	count := math.Floor(float64(len(list)-1)/float64(size)) + 1
	switch {
	case count == 0:
		return []any{}, nil
	case len(list) == 1 && size < -1:
		size = 1
	case size <= 0:
		return nil, refuse("the size must be positive")
	}
	out := make([]any, 0, int(count))
	for part := range slices.Chunk(list, size) {
		out = append(out, part)
	}
	return out, nil
}

// sortAlpha sorts the texts of the items. A value that is not a list is a list of its own text, null too.
func sortAlpha(a args) (any, error) {
	if _, ok := a[0].([]any); !ok {
		text, err := textOf(a[0])
		return []any{text}, err
	}
	texts, err := textsOf(a[0])
	if err != nil {
		return nil, err
	}
	slices.Sort(texts)
	return listOf(texts), nil
}

package sprig

import (
	"maps"
	"slices"
)

var mapFunctions = map[string]spec{
	"dict":               {"a*", KindMap, dict},
	"get":                {"ms", KindAny, get},
	"hasKey":             {"ms", KindBool, hasKey},
	"pluck":              {"sm*", KindList, pluck},
	"keys":               {"m*", KindList, keys},
	"values":             {"m", KindList, values},
	"pick":               {"ms*", KindMap, pick},
	"omit":               {"ms*", KindMap, omit},
	"dig":                {"a*", KindAny, dig},
	"merge":              {"mm*", KindMap, merger(false)},
	"mustMerge":          {"mm*", KindMap, merger(false)},
	"mergeOverwrite":     {"mm*", KindMap, merger(true)},
	"mustMergeOverwrite": {"mm*", KindMap, merger(true)},
	"deepCopy":           {"a", KindAny, deepCopy},
	"mustDeepCopy":       {"a", KindAny, deepCopy},
}

func sortedKeys(m map[string]any) []string {
	return slices.Sorted(maps.Keys(m))
}

// dict makes a map of keys and values in turn. A key is any value as text, the last value may be missing.
func dict(a args) (any, error) {
	out := make(map[string]any, len(a)/2)
	for i := 0; i < len(a); i += 2 {
		key, err := textOf(a[i])
		if err != nil {
			return nil, err
		}
		out[key] = ""
		if i+1 < len(a) {
			out[key] = a[i+1]
		}
	}
	return out, nil
}

// get gives an empty text for a key that is not there.
func get(a args) (any, error) {
	if v, has := a.dict(0)[a.text(1)]; has {
		return v, nil
	}
	return "", nil
}

func hasKey(a args) (any, error) {
	_, has := a.dict(0)[a.text(1)]
	return has, nil
}

func pluck(a args) (any, error) {
	out := []any{}
	for _, m := range a.dicts(1) {
		if v, has := m[a.text(0)]; has {
			out = append(out, v)
		}
	}
	return out, nil
}

// keys sorts the keys of each map; the original gives them in any order.
func keys(a args) (any, error) {
	out := []any{}
	for _, m := range a.dicts(0) {
		if len(out)+len(m) > maxItems {
			return nil, errListTooLong
		}
		out = append(out, listOf(sortedKeys(m))...)
	}
	return out, nil
}

// values are in the order of the keys.
func values(a args) (any, error) {
	m := a.dict(0)
	out := make([]any, 0, len(m))
	for _, key := range sortedKeys(m) {
		out = append(out, m[key])
	}
	return out, nil
}

func pick(a args) (any, error) {
	out := map[string]any{}
	for i := 1; i < len(a); i++ {
		if v, has := a.dict(0)[a.text(i)]; has {
			out[a.text(i)] = v
		}
	}
	return out, nil
}

func omit(a args) (any, error) {
	out := map[string]any{}
	maps.Copy(out, a.dict(0))
	for i := 1; i < len(a); i++ {
		delete(out, a.text(i))
	}
	return out, nil
}

// dig follows keys through a map, its last argument, and gives the one before that for a key that is not there.
func dig(a args) (any, error) {
	if len(a) < 3 {
		return nil, refuse("needs a key, a default and a map")
	}
	steps, fallback := a[:len(a)-2], a[len(a)-2]
	for _, step := range steps {
		if _, ok := step.(string); !ok {
			return nil, wrongType("keys must be of type string")
		}
	}
	at := a[len(a)-1]
	for _, step := range steps {
		m, ok := at.(map[string]any)
		if !ok {
			return nil, wrongType("there is no map to look into")
		}
		key, _ := step.(string)
		if at, ok = m[key]; !ok {
			return fallback, nil
		}
	}
	return at, nil
}

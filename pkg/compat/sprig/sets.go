package sprig

var setFunctions = map[string]spec{
	"has":         {"aa", KindBool, has},
	"mustHas":     {"aa", KindBool, has},
	"uniq":        {"a", KindList, uniq},
	"mustUniq":    {"a", KindList, uniq},
	"without":     {"aa*", KindList, without},
	"mustWithout": {"aa*", KindList, without},
}

// set holds values that differ: numbers by value, lists and maps by what they hold.
type set struct {
	scalars    map[any]struct{}
	composites []any
	compare    comparison
}

func newSet() *set { return &set{scalars: map[any]struct{}{}} }

func (s *set) has(v any) (bool, error) {
	if key, ok := scalar(v); ok {
		_, has := s.scalars[key]
		return has, nil
	}
	for _, other := range s.composites {
		if same, err := s.compare.same(v, other); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

func (s *set) add(v any) {
	if key, ok := scalar(v); ok {
		s.scalars[key] = struct{}{}
		return
	}
	s.composites = append(s.composites, v)
}

// has finds nothing in null, but does not take any other value for a list.
func has(a args) (any, error) {
	if a[1] == nil {
		return false, nil
	}
	list, err := items(a[1])
	if err != nil {
		return nil, err
	}
	var compare comparison
	for _, item := range list {
		if same, err := compare.same(a[0], item); same || err != nil {
			return same, err
		}
	}
	return false, nil
}

func uniq(a args) (any, error) {
	list, err := items(a[0])
	if err != nil {
		return nil, err
	}
	out, seen := []any{}, newSet()
	for _, item := range list {
		old, err := seen.has(item)
		if err != nil {
			return nil, err
		}
		if !old {
			seen.add(item)
			out = append(out, item)
		}
	}
	return out, nil
}

func without(a args) (any, error) {
	list, err := items(a[0])
	if err != nil {
		return nil, err
	}
	out, omitted := []any{}, newSet()
	for _, v := range a[1:] {
		omitted.add(v)
	}
	for _, item := range list {
		omit, err := omitted.has(item)
		if err != nil {
			return nil, err
		}
		if !omit {
			out = append(out, item)
		}
	}
	return out, nil
}

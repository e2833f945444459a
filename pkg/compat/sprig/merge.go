package sprig

import "maps"

// merger merges maps into a new one; the first map stays. Where two maps have a key, their maps under it are
// merged; otherwise the first value stays unless it is empty, or gives way if overwrite is set.
func merger(overwrite bool) func(args) (any, error) {
	return func(a args) (any, error) {
		out := a.dict(0)
		for _, from := range a.dicts(1) {
			m := merging{overwrite: overwrite}
			var err error
			if out, err = m.merge(out, from, 0); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

type merging struct {
	overwrite bool
	work      int
}

// merge returns into with what from has more. It copies the maps that it changes.
//
//nolint:cyclop // the cases are the rules of merging, one after the other
func (m *merging) merge(into, from map[string]any, depth int) (map[string]any, error) {
	if m.work += len(into) + len(from); m.work > maxMerged || depth > maxDepth {
		return nil, errTooMuchWork
	}
	if from == nil {
		return into, nil
	}
	out := make(map[string]any, len(into)+len(from))
	maps.Copy(out, into)
	for key, v := range from {
		old, has := into[key]
		inner, innerOK := old.(map[string]any)
		fresh, freshOK := v.(map[string]any)
		switch {
		case v == nil && m.overwrite:
			out[key] = nil
		case v == nil:
		case innerOK && freshOK && inner != nil:
			merged, err := m.merge(inner, fresh, depth+1)
			if err != nil {
				return nil, err
			}
			if out[key] = merged; len(merged) == 0 {
				out[key] = v
			}
		case m.overwrite || !has || !Truth(old):
			out[key] = v
		}
	}
	return out, nil
}

// deepCopy is a copy that shares no list and no map. Nothing here changes one, so the value is its own copy.
// There is none of null.
func deepCopy(a args) (any, error) {
	if a[0] == nil {
		return nil, wrongType("null and absent have no copy")
	}
	return a[0], nil
}

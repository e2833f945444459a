package plain

import (
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
)

// Weight is how much there is in a CEL value: one for each value in it and for each ten bytes of text. It stops
// counting soon after most: a few lists that hold each other can have more values than anybody can count.
func Weight(val ref.Val, most int) int {
	w := weigher{most: most}
	w.add(val)
	return w.sum
}

// WeightOfJSON is how much there is in a JSON value, as Weight counts it.
func WeightOfJSON(value any, most int) int {
	w := weigher{most: most, sum: 1}
	w.addJSON(value)
	return w.sum
}

// mapEntry is what finding a key of a map costs that an expression has made.
const mapEntry = 4

type weigher struct{ sum, most int }

func (w *weigher) add(val ref.Val) {
	if w.sum++; w.sum > w.most {
		return
	}
	switch v := val.(type) {
	case types.String:
		w.sum += len(v) / 10
	case types.Bytes:
		w.sum += len(v) / 10
	case *object:
		w.addJSON(v.fields)
	case *list:
		w.addJSON(v.items)
	case *types.Optional:
		if v.HasValue() {
			w.add(v.GetValue())
		}
	case traits.Mapper:
		for it := v.Iterator(); it.HasNext() == types.True && w.sum <= w.most; {
			key := it.Next()
			w.sum += mapEntry
			w.add(key)
			w.add(v.Get(key))
		}
	case traits.Lister:
		for it := v.Iterator(); it.HasNext() == types.True && w.sum <= w.most; {
			w.add(it.Next())
		}
	}
}

// addJSON counts what stands in a JSON value; the value itself is counted.
func (w *weigher) addJSON(value any) {
	switch v := value.(type) {
	case string:
		w.sum += len(v) / 10
	case []any:
		for _, item := range v {
			if w.sum++; w.sum > w.most {
				return
			}
			w.addJSON(item)
		}
	case map[string]any:
		for key, item := range v {
			if w.sum += 1 + len(key)/10; w.sum > w.most {
				return
			}
			w.addJSON(item)
		}
	}
}

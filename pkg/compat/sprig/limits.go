package sprig

import "github.com/clusterimport/clusterimport/pkg/expr"

// The limits of results and of what is done for them.
const (
	maxText   = 1 << 20  // bytes of a text
	maxItems  = 100_000  // items of a list or a map
	maxDepth  = 10_000   // lists and maps inside each other, as encoding/json has it
	maxWork   = 4 << 20  // items that one comparison of lists and maps looks at
	maxMerged = maxItems // items of all the maps that one merge looks at
)

var (
	errTextTooLarge = expr.Failuref(expr.CodeTooExpensive, "the text is larger than a mebibyte")
	errListTooLong  = expr.Failuref(expr.CodeTooExpensive, "the list has more than a hundred thousand items")
	errTooDeep      = expr.Failuref(expr.CodeTooExpensive, "lists and maps are too deep inside each other")
	errTooMuchWork  = expr.Failuref(expr.CodeTooExpensive, "comparing or merging takes too much work")
)

// bounded refuses a result that is too large. It looks at the outside only: the inside is of the arguments.
func bounded(v any) error {
	switch v := v.(type) {
	case string:
		if len(v) > maxText {
			return errTextTooLarge
		}
	case []any:
		if len(v) > maxItems {
			return errListTooLong
		}
	case map[string]any:
		if len(v) > maxItems {
			return errListTooLong
		}
	}
	return nil
}

// weight counts what a value holds: the bytes of its texts and its items, inside each other as often as they
// would be printed. A list that holds one list many times is small in memory and large in print.
type weight struct {
	bytes, items int
	limit        int
}

// weigh returns what values weigh, or an error if that is more than a text may be.
func weigh(values ...any) (weight, error) {
	w := weight{limit: maxText}
	for _, v := range values {
		if err := w.add(v, 0); err != nil {
			return w, err
		}
	}
	return w, nil
}

func (w *weight) add(v any, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	w.items++
	switch v := v.(type) {
	case string:
		w.bytes += len(v)
	case []any:
		for _, item := range v {
			if err := w.add(item, depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, item := range v {
			w.bytes += len(key)
			if err := w.add(item, depth+1); err != nil {
				return err
			}
		}
	}
	if w.bytes+w.items > w.limit {
		return errTextTooLarge
	}
	return nil
}

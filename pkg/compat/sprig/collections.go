package sprig

var collectionFunctions = map[string]spec{
	"index": {"aa*", KindAny, index},
	"len":   {"a", KindInt, length},
	"call":  {"a*", KindAny, func(args) (any, error) { return nil, wrongType("a value is not a function") }},
}

var (
	errNoIndex    = wrongType("null, absent, numbers and bools have no items")
	errIndexRange = outOfRange("the index is out of range")
	errIndexType  = wrongType("a list and a text have items by int, a map by string")
)

// index follows its arguments into lists, maps and texts; a byte of a text is a number. A key that a map does not
// have gives null, which has no items in its turn.
func index(a args) (any, error) {
	item := a[0]
	if item == nil {
		return nil, errNoIndex
	}
	for _, at := range a[1:] {
		var err error
		if item, err = itemAt(item, at); err != nil {
			return nil, err
		}
	}
	return item, nil
}

func itemAt(item, at any) (any, error) {
	switch item := item.(type) {
	case map[string]any:
		key, ok := at.(string)
		if !ok {
			return nil, errIndexType
		}
		return item[key], nil
	case []any:
		i, err := position(at, len(item))
		if err != nil {
			return nil, err
		}
		return item[i], nil
	case string:
		i, err := position(at, len(item))
		if err != nil {
			return nil, err
		}
		return int64(item[i]), nil
	}
	return nil, errNoIndex
}

// position is an index into something of the given size.
func position(at any, size int) (int, error) {
	i, ok := integer(at)
	switch {
	case !ok:
		return 0, errIndexType
	case i < 0 || i >= int64(size):
		return 0, errIndexRange
	}
	return int(i), nil
}

func length(a args) (any, error) {
	switch v := a[0].(type) {
	case string:
		return len(v), nil
	case []any:
		return len(v), nil
	case map[string]any:
		return len(v), nil
	}
	return nil, wrongType("only texts, lists and maps have a length")
}

package sprig

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

var jsonFunctions = map[string]spec{
	"fromJson":         {"s", KindAny, func(a args) (any, error) { return fromJSON(a.text(0), true) }},
	"mustFromJson":     {"s", KindAny, func(a args) (any, error) { return fromJSON(a.text(0), false) }},
	"toJson":           {"a", KindString, lenient(toJSON)},
	"mustToJson":       {"a", KindString, toJSON},
	"toPrettyJson":     {"a", KindString, lenient(toPrettyJSON)},
	"mustToPrettyJson": {"a", KindString, toPrettyJSON},
	"toRawJson":        {"a", KindString, toRawJSON},
	"mustToRawJson":    {"a", KindString, toRawJSON},
}

var (
	errNotJSON   = refuse("the text is not JSON")
	errNoJSON    = refuse("the value has no JSON form")
	errJSONLarge = expr.Failuref(expr.CodeTooExpensive, "the JSON text is larger than a mebibyte")
)

// fromJSON gives null for a text that is not JSON if it is lenient, and null in the place of a number that no
// float64 holds.
func fromJSON(s string, lenient bool) (any, error) {
	if len(s) > maxText {
		return nil, errJSONLarge
	}
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil && !lenient {
		return nil, errNotJSON
	}
	return v, nil
}

// lenient gives an empty text where f finds no JSON form.
func lenient(f func(args) (any, error)) func(args) (any, error) {
	return func(a args) (any, error) {
		out, err := f(a)
		if errors.Is(err, errNoJSON) {
			return "", nil
		}
		return out, err
	}
}

func toJSON(a args) (any, error) {
	b, err := marshal(a[0], true)
	return string(b), err
}

func toRawJSON(a args) (any, error) {
	b, err := marshal(a[0], false)
	return string(b), err
}

// toPrettyJSON estimates the size of the result before it makes it: white space grows with every level.
func toPrettyJSON(a args) (any, error) {
	b, err := marshal(a[0], true)
	if err != nil {
		return nil, err
	}
	if prettySize(b) > 8*maxText {
		return nil, errJSONLarge
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return nil, errNoJSON
	}
	return out.String(), nil
}

func marshal(v any, escapeHTML bool) ([]byte, error) {
	if _, err := weigh(v); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(escapeHTML)
	if err := encoder.Encode(v); err != nil {
		return nil, errNoJSON
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// prettySize is the size of compact JSON with each item on a line of its own, or a little more.
func prettySize(compact []byte) int {
	size, depth, quoted := len(compact), 0, false
	for i := 0; i < len(compact); i++ {
		switch c := compact[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			size += 1 + 2*depth
		case c == '}' || c == ']':
			depth--
			size += 1 + 2*depth
		case c == ',':
			size += 1 + 2*depth
		case c == ':':
			size++
		}
	}
	return size
}

package library

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

const errNotJSON Error = "the text is not one JSON value"

// jsonFunctions declares JSON texts, by the names that kro and Kyverno have for them:
//
//	json.unmarshal(string) -> dyn
//	json.marshal(dyn) -> string
//
// json.unmarshal reads one JSON value. A number is an int where it is written as one and fits, otherwise a double. A
// key that an object has twice is an error. json.marshal writes without spaces, with keys in their order; see
// plain.FromCEL for the values that have a JSON form. A text may have maxJSON bytes, maxValues values and maxDepth levels.
func jsonFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Function("json.unmarshal",
			cel.Overload("json_unmarshal_string", []*cel.Type{cel.StringType}, cel.DynType,
				cel.UnaryBinding(func(arg ref.Val) ref.Val {
					text, ok := arg.(types.String)
					if !ok {
						return types.MaybeNoSuchOverloadErr(arg)
					}
					return valueOrError(readJSON(string(text)))
				}))),
		cel.Function("json.marshal",
			cel.Overload("json_marshal_dyn", []*cel.Type{cel.DynType}, cel.StringType,
				cel.UnaryBinding(func(arg ref.Val) ref.Val { return textOrError(writeJSON(arg)) }))),
	}
}

func readJSON(text string) (any, error) {
	if len(text) > maxJSON {
		return nil, errTooLong
	}
	return decodeJSON(strings.NewReader(text))
}

// fromCEL turns a CEL value into a JSON value within the limits of a document and a length of text.
func fromCEL(val ref.Val, length int) (any, error) {
	value, present, err := plain.FromCEL(val, plain.Limits{Values: maxValues, Bytes: length, Depth: maxDepth})
	if err == nil && !present {
		return nil, errNoJSON
	}
	return value, err
}

func writeJSON(val ref.Val) (string, error) {
	value, err := fromCEL(val, maxJSON)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return "", errNoJSON
	}
	if out.Len() > maxJSON {
		return "", errTooLong
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// decodeJSON reads exactly one JSON value, with int64 and float64 numbers.
func decodeJSON(from io.Reader) (any, error) {
	r := jsonReader{dec: json.NewDecoder(from), values: maxValues}
	r.dec.UseNumber()
	value, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotJSON
	}
	return value, nil
}

// jsonReader builds values token by token, so that it stops at a limit before the memory is used. It counts down the
// values that may still come.
type jsonReader struct {
	dec    *json.Decoder
	values int
}

func (r *jsonReader) value(depth int) (any, error) {
	if r.values--; r.values < 0 {
		return nil, errTooMany
	}
	token, err := r.dec.Token()
	if err != nil {
		return nil, errNotJSON
	}
	switch t := token.(type) {
	case json.Number:
		return number(string(t))
	case json.Delim:
		if depth == maxDepth {
			return nil, errTooDeep
		}
		if t == '{' {
			return r.object(depth + 1)
		}
		return r.list(depth + 1)
	default:
		return token, nil
	}
}

func (r *jsonReader) list(depth int) (any, error) {
	list := []any{}
	for r.dec.More() {
		item, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, item)
	}
	return list, r.end()
}

func (r *jsonReader) object(depth int) (any, error) {
	object := map[string]any{}
	for r.dec.More() {
		token, err := r.dec.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return nil, errNotJSON
		}
		if _, twice := object[key]; twice {
			return nil, errTwice
		}
		if object[key], err = r.value(depth); err != nil {
			return nil, err
		}
	}
	return object, r.end()
}

// end reads the bracket that ends a list or object. The decoder checks which.
func (r *jsonReader) end() error {
	if _, err := r.dec.Token(); err != nil {
		return errNotJSON
	}
	return nil
}

// number reads numbers as the API machinery does: int64 where it can, otherwise float64.
func number(text string) (any, error) {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, errNumber
	}
	return f, nil
}

package render

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// FaultError is a value that its field cannot take. It names the field and the kinds, never the value.
type FaultError struct {
	// Path is the field, such as "spec.syncResources[0].group"; empty for the document itself.
	Path    string
	Message string
}

// Error implements error.
func (f *FaultError) Error() string {
	if f.Path == "" {
		return f.Message
	}
	return f.Path + ": " + f.Message
}

// Conform checks a JSON value against a schema and returns the first fault in order of the fields' names, or
// nil. An explicit null counts as an absent field.
func Conform(schema *expr.Schema, val any) *FaultError { return conform(schema, val, "") }

func conform(schema *expr.Schema, val any, path string) *FaultError {
	if !schema.Known() || val == nil {
		return nil
	}
	kind := kindOf(val)
	if !schema.Takes(kind) {
		return &FaultError{path, "the field needs " + schema.String() + ", not " + kind.String()}
	}
	switch v := val.(type) {
	case map[string]any:
		return conformObject(schema, v, path)
	case []any:
		for i, item := range v {
			if f := conform(schema.Items(), item, path+"["+strconv.Itoa(i)+"]"); f != nil {
				return f
			}
		}
	case string:
		if schema.Base64 {
			if _, err := base64.StdEncoding.DecodeString(v); err != nil {
				return &FaultError{path, "the value is not base64"}
			}
		}
	}
	return nil
}

func conformObject(schema *expr.Schema, object map[string]any, path string) *FaultError {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		field, ok := schema.Field(name)
		if !ok {
			return &FaultError{path, fmt.Sprintf("unknown field %q", name)}
		}
		if f := conform(field, object[name], join(path, name)); f != nil {
			return f
		}
	}
	for _, name := range schema.RequiredFields() {
		if object[name] == nil {
			return &FaultError{path, fmt.Sprintf("the field %q is missing", name)}
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// kindOf is the kind of a JSON value; an object counts as Object also where the schema has a Map.
func kindOf(val any) expr.Kind {
	switch val.(type) {
	case string:
		return expr.String
	case bool:
		return expr.Bool
	case int64:
		return expr.Int
	case float64:
		return expr.Double
	case []any:
		return expr.List
	case map[string]any:
		return expr.Object
	default:
		return expr.Dyn
	}
}

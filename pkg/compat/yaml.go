package compat

import (
	"maps"
	"strconv"
	"strings"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// callScalar is what YAML makes of a plain scalar, as sigs.k8s.io/yaml reads it, in a field that needs no text.
func callScalar(val any) (any, error) {
	text, _ := val.(string)
	text = strings.TrimSpace(text)
	switch text {
	case "", "null", "Null", "NULL", "~":
		return nil, nil //nolint:nilnil // null
	case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", "y", "Y":
		return true, nil
	case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", "n", "N":
		return false, nil
	}
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i, nil
	}
	return text, nil
}

// callValue is a value as toJson and a parser would hand it on: an absent one is null.
func callValue(val any) (any, error) {
	if _, ok := val.(absent); ok {
		return nil, nil //nolint:nilnil // null
	}
	return val, nil
}

func callMerge(parts []any) (any, error) {
	out := map[string]any{}
	for _, part := range parts {
		fields, ok := part.(map[string]any)
		if !ok && part != nil {
			return nil, expr.Failuref(expr.CodeWrongType, "the lines are not fields")
		}
		if len(out)+len(fields) > maxRange {
			return nil, expr.Failuref(expr.CodeTooExpensive, "there are too many fields")
		}
		maps.Copy(out, fields)
	}
	if len(out) == 0 {
		return nil, nil //nolint:nilnil // null
	}
	return out, nil
}

func callConcat(parts []any) (any, error) {
	var out []any
	for _, part := range parts {
		items, ok := part.([]any)
		if !ok && part != nil {
			return nil, expr.Failuref(expr.CodeWrongType, "the lines are not items")
		}
		if len(out)+len(items) > maxRange {
			return nil, expr.Failuref(expr.CodeTooExpensive, "there are too many items")
		}
		out = append(out, items...)
	}
	if out == nil {
		return nil, nil //nolint:nilnil // null
	}
	return out, nil
}

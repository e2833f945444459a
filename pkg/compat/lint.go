package compat

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template/parse"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// What is known of values tells some mistakes before there are values.

func (t *translator) warn(code diag.Code, pos parse.Pos, message, hint string) {
	if !t.warnings.Full(diag.Warning) {
		t.warnings = append(t.warnings, t.source.warning(code, pos, message, hint))
	}
}

func (t *translator) alwaysFailsf(pos parse.Pos, hint, format string, args ...any) {
	t.warn(CodeAlwaysFails, pos, fmt.Sprintf(format, args...)+": this fails whenever it is evaluated", hint)
}

const (
	hintSchema  = "kubectl explain shows which fields and types the kind has"
	hintConvert = "convert one of them: toString makes text, int an integer, float64 a number"
)

// lintFields looks at a selection of fields.
func (t *translator) lintFields(base value, fields []string, pos parse.Pos) {
	schema, open := base.schema, base.open
	if base.kind() == expr.Dyn {
		return
	}
	for _, name := range fields {
		if !schema.Known() || schema.Nullable {
			return
		}
		next, ok := schema.Field(name)
		switch {
		case ok:
		case schema.Kind != expr.Object:
			t.alwaysFailsf(pos, hintSchema, "%s has no field %s", schema.Kind, name)
			return
		case !open:
			t.warn(CodeUnknownField, pos, fmt.Sprintf("there is no field %s: it is always absent", name), similar(name, schema))
			return
		default:
			return
		}
		schema, open = next, false
	}
}

// similar says which field may be meant, or else which there are.
func similar(name string, schema *expr.Schema) string {
	names := slices.Sorted(maps.Keys(schema.Fields))
	if meant := closest(name, names); meant != "" {
		return "did you mean " + meant + "?"
	}
	return "the fields are " + strings.Join(names, ", ")
}

// closest is the name that differs least from another, if it differs in a letter or two; capitals do not count.
func closest(name string, names []string) string {
	best, least := "", 3
	for _, other := range names {
		if d := distance(strings.ToLower(name), strings.ToLower(other)); d < least && d < len(other) {
			best, least = other, d
		}
	}
	return best
}

// distance is how many letters must be added, taken away or changed to make one name of another.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, before+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// lintCall looks at the arguments of a function.
func (t *translator) lintCall(f sprig.Function, args []value, pos parse.Pos) {
	for i, arg := range args {
		if kind := arg.kind(); kind != expr.Dyn && !takes(f.Param(i), arg) {
			hint := hintConvert
			if f.Param(i) == sprig.KindInt && kind == expr.Int {
				hint = "integers of data do not fit here: the function int makes one that does"
			}
			t.alwaysFailsf(pos, hint, "argument %d of %s must be %s, not %s", i+1, f.Name, parameter(f.Param(i)), argument(arg))
			return
		}
	}
	switch f.Name {
	case "eq", "ne", "lt", "le", "gt", "ge":
		t.lintComparison(f.Name, args, pos)
	case "len", "index":
		if k := args[0].kind(); (k == expr.Int || k == expr.Double || k == expr.Bool) && (f.Name == "len" || len(args) > 1) {
			t.alwaysFailsf(pos, hintSchema, "%s has no items, and no length", k)
		}
	}
}

// takes reports whether a parameter may take a value of a known kind.
func takes(want sprig.Kind, v value) bool {
	kind := v.kind()
	switch want {
	case sprig.KindString:
		return kind == expr.String
	case sprig.KindInt:
		return kind == expr.Int && v.goInt
	case sprig.KindFloat:
		return kind == expr.Double
	case sprig.KindBool:
		return kind == expr.Bool
	case sprig.KindMap:
		return kind == expr.Map || kind == expr.Object
	case sprig.KindList:
		return kind == expr.List
	case sprig.KindAny:
	}
	return true
}

func parameter(k sprig.Kind) string {
	return map[sprig.Kind]string{
		sprig.KindString: "text", sprig.KindInt: "an integer of the template", sprig.KindFloat: "a number with a fraction",
		sprig.KindBool: "a bool", sprig.KindMap: "an object", sprig.KindList: "a list",
	}[k]
}

func argument(v value) string {
	if v.kind() == expr.Int && !v.goInt {
		return "an integer of data"
	}
	return v.kind().String()
}

// lintComparison looks at operands: they must be of one kind, and lists, objects and bools have no order.
func (t *translator) lintComparison(name string, args []value, pos parse.Pos) {
	if len(args) < 2 {
		t.alwaysFailsf(pos, "write the value to compare with", "%s needs two values", name)
		return
	}
	order := name != "eq" && name != "ne"
	for _, arg := range args {
		if k := arg.kind(); k != expr.Dyn && zeroOf(k) == nil || k == expr.Bool && order {
			t.alwaysFailsf(pos, "compare a field or an item of it, or ask with if whether it is there", "%s cannot be compared with %s", k, name)
			return
		}
	}
	for _, arg := range args[1:] {
		if a, b := args[0].kind(), arg.kind(); a != expr.Dyn && b != expr.Dyn && a != b {
			t.alwaysFailsf(pos, hintConvert, "%s and %s cannot be compared", a, b)
			return
		}
	}
	t.lintEmpty(name, args, pos)
}

// lintEmpty looks at a comparison with the empty text.
func (t *translator) lintEmpty(name string, args []value, pos parse.Pos) {
	if text, ok := args[1].constantText(); name == "ne" && ok && text == "" && args[0].presence != present {
		t.warn(CodeNeEmptyAbsent, pos, `ne with "" is true for a value that is absent`, "write if with the value alone: it is true for a text that is there and not empty")
	}
}

// lintRange looks at what a range goes through.
func (t *translator) lintRange(v value, pos parse.Pos) {
	if k := v.kind(); k == expr.String || k == expr.Double || k == expr.Bool {
		t.alwaysFailsf(pos, hintSchema, "a range goes through lists, objects and integers, not %s", k)
	}
}

// neverTrue reports whether nodes, whatever the data, do not print "true".
func neverTrue(nodes []parse.Node) bool {
	speaks := false
	for _, n := range nodes {
		if silent(n) {
			continue
		}
		text, isText := n.(*parse.TextNode)
		if isText && !isPartOfTrue(string(text.Text)) {
			return true
		}
		if b := branchOf(n); b == nil || !neverTrue(b.List.Nodes) || !neverTrue(elseNodes(b)) {
			speaks = true
		}
	}
	return !speaks
}

// isPartOfTrue reports whether text may stand in "true", capitals not counting.
func isPartOfTrue(text string) bool {
	part := strings.ToLower(strings.TrimSpace(text))
	for i := range len("true") {
		if strings.HasPrefix("true"[i:], part) {
			return true
		}
	}
	return part == ""
}

package sprig_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/template"
	"text/template/parse"

	original "github.com/Masterminds/sprig/v3"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// outcome is what a template expression comes to.
type outcome struct {
	value   any
	printed string
	err     error
}

func (o outcome) String() string {
	if o.err != nil {
		return fmt.Sprintf("error: %v", o.err)
	}
	return fmt.Sprintf("%T %#v, printed %q", o.value, o.value, o.printed)
}

// same compares outcomes: errors by being there, values by Go type too.
func (o outcome) same(other outcome) bool {
	if o.err != nil || other.err != nil {
		return (o.err != nil) == (other.err != nil)
	}
	return o.printed == other.printed && sameValue(o.value, other.value)
}

func sameValue(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && (a == b && math.Signbit(a) == math.Signbit(b) || math.IsNaN(a) && math.IsNaN(b))
	case []any:
		b, ok := b.([]any)
		return ok && (a == nil) == (b == nil) && slices.EqualFunc(a, b, sameValue)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, sameValue)
	}
	return reflect.DeepEqual(a, b)
}

// executed is what text/template makes of an expression with the functions of the library.
func executed(src string, data map[string]any) outcome {
	data = clone(data).(map[string]any)
	var out outcome
	capture := func(v any) string {
		out.value = plain(v)
		return ""
	}
	parsed, err := template.New("").Funcs(original.TxtFuncMap()).Funcs(template.FuncMap{"capture": capture}).
		Parse("{{ $x := " + src + " }}{{ $x }}{{ capture $x }}")
	if err != nil {
		return outcome{err: err}
	}
	var b strings.Builder
	if err := parsed.Execute(&b, data); err != nil {
		return outcome{err: err}
	}
	out.printed = strings.ReplaceAll(b.String(), "<no value>", "")
	return out
}

// plain turns the Go types that some functions of the library give into those that values have here.
func plain(v any) any {
	switch v := reflect.ValueOf(v); v.Kind() {
	case reflect.Uint8:
		return int64(v.Uint())
	case reflect.Slice:
		if v.IsNil() {
			return []any(nil)
		}
		out := make([]any, v.Len())
		for i := range out {
			out[i] = plain(v.Index(i).Interface())
		}
		return out
	case reflect.Map:
		out := map[string]any{}
		for _, key := range v.MapKeys() {
			out[key.String()] = plain(v.MapIndex(key).Interface())
		}
		return out
	}
	return v
}

// clone copies lists and maps, without spare capacity.
func clone(v any) any {
	switch v := v.(type) {
	case []any:
		if v == nil {
			return v
		}
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = clone(item)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, item := range v {
			out[key] = clone(item)
		}
		return out
	}
	return v
}

// evaluated is what the functions of this package make of an expression.
func evaluated(src string, data map[string]any) outcome {
	tree := parse.New("")
	tree.Mode = parse.SkipFuncCheck
	if _, err := tree.Parse("{{ "+src+" }}", "", "", map[string]*parse.Tree{}); err != nil {
		return outcome{err: err}
	}
	v, err := evaluator{data}.pipe(tree.Root.Nodes[0].(*parse.ActionNode).Pipe)
	if err != nil {
		return outcome{err: err}
	}
	printed, err := sprig.Print(v)
	if _, absent := v.(sprig.Absent); absent {
		v = nil
	}
	return outcome{plain(v), printed, err}
}

// evaluator evaluates the few expressions that tests have: calls of functions with constants and fields.
type evaluator struct{ data map[string]any }

func (e evaluator) pipe(p *parse.PipeNode) (any, error) {
	var piped []any
	for _, command := range p.Cmds {
		v, err := e.command(command, piped)
		if err != nil {
			return nil, err
		}
		if v == nil {
			v = sprig.Absent{} // what went through a pipeline is no null any more
		}
		piped = []any{v}
	}
	return piped[0], nil
}

func (e evaluator) command(c *parse.CommandNode, piped []any) (any, error) {
	name, ok := c.Args[0].(*parse.IdentifierNode)
	if !ok {
		return e.argument(c.Args[0], sprig.KindAny)
	}
	f, known := sprig.Lookup(name.Ident)
	if !known {
		return nil, errors.New("unknown function")
	}
	var args []any
	for i, node := range c.Args[1:] {
		v, err := e.argument(node, f.Param(i))
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	out, err := f.Call(append(args, piped...))
	if failure := new(expr.FailureError); err != nil && !errors.As(err, &failure) {
		return nil, fmt.Errorf("PANIC: an error of type %T", err)
	}
	return out, err
}

func (e evaluator) argument(n parse.Node, kind sprig.Kind) (any, error) {
	switch n := n.(type) {
	case *parse.StringNode:
		return n.Text, nil
	case *parse.BoolNode:
		return n.True, nil
	case *parse.NilNode:
		return sprig.Absent{}, nil
	case *parse.NumberNode:
		switch {
		case kind == sprig.KindFloat && n.IsFloat, kind == sprig.KindAny && strings.ContainsAny(n.Text, ".eE"):
			return n.Float64, nil
		case n.IsInt:
			return int(n.Int64), nil
		}
		return n.Float64, nil
	case *parse.FieldNode:
		v, has := e.data[n.Ident[0]]
		if !has {
			return sprig.Absent{}, nil
		}
		return v, nil
	case *parse.PipeNode:
		return e.pipe(n)
	}
	return nil, fmt.Errorf("the test cannot evaluate %T", n)
}

// data is what the expressions of the tables read.
func data() map[string]any {
	return map[string]any{
		"null": nil, "yes": true, "no": false,
		"zero": int64(0), "one": int64(1), "n": int64(3), "neg": int64(-2), "big": int64(math.MaxInt64),
		"f": 2.5, "fzero": 0.0, "fwhole": 3.0, "fbig": 1e21, "fneg": -1.5,
		"empty": "", "text": "some text", "name": "Edge-Cluster_01", "num": "42", "umlaut": "Größe: ä€😀",
		"bytes": "a\xff\xfe b", "html": `<a href="x">'&'</a>` + "\x00", "lines": "one\ntwo\n\nthree",
		"b64": "aGVsbG8=", "b64plus": "+/+/", "b64bad": "aGVsbG8", "json": `{"b":[1,2.5,null],"a":"<x>"}`,
		"url": "https://user:pw@host.example:6443/a/b%20c?x=1&y=2#frag", "version": "v1.24.3+k3s1",
		"list": []any{"b", "a", "", nil, "a"}, "nums": []any{int64(3), int64(1), 2.5, int64(3)},
		"mixed": []any{int64(1), "1", 1.0, true, nil, []any{"x"}, map[string]any{"k": "v"}},
		"none":  []any{}, "nested": []any{[]any{int64(1)}, []any{int64(1)}, map[string]any{"a": int64(1)}, map[string]any{"a": int64(1)}},
		"map":   map[string]any{"b": "2", "a": int64(1), "null": nil, "m": map[string]any{"x": "y", "l": []any{"i"}}},
		"other": map[string]any{"b": "", "c": []any{"z"}, "a": "over", "m": map[string]any{"x": "", "z": int64(9)}, "null": "set"},
		"nomap": map[string]any{},
		"parts": map[string]any{"scheme": "https", "host": "h:1", "path": "/p q", "query": "a=b", "fragment": "f", "userinfo": "u:p"},
	}
}

func failIfPanicked(t *testing.T, o outcome) {
	t.Helper()
	if o.err != nil && strings.HasPrefix(o.err.Error(), "PANIC") {
		t.Error(o.err)
	}
}

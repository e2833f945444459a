package plain_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/ext"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// TestLikeCEL evaluates expressions over JSON values as this package adapts them and as CEL does.
func TestLikeCEL(t *testing.T) {
	source := map[string]any{
		"text": "a", "n": int64(2), "f": 1.5, "yes": true, "nil": nil,
		"list": []any{"a", "b", int64(1), 2.0, nil, map[string]any{"k": "v"}, []any{"c"}},
		"map":  map[string]any{"k": "v", "n": int64(1), "empty": map[string]any{}}, "empty": []any{},
	}
	env := func(options ...cel.EnvOption) *cel.Env {
		e, err := cel.NewEnv(append(options, cel.Variable("source", cel.DynType), cel.OptionalTypes(), ext.Lists(), ext.TwoVarComprehensions())...)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	ours, theirs := env(cel.CustomTypeAdapter(plain.Adapter{})), env()
	for _, src := range []string{
		`source.text`, `source.n + 1`, `source.f`, `source.yes`, `source.nil == null`, `source.missing`,
		`source.list`, `source.list[0]`, `source.list[9]`, `source.list[-1]`, `source.list["a"]`, `source.list[1.0]`, `source.list[dyn(1u)]`,
		`"b" in source.list`, `"z" in source.list`, `1 in source.list`, `1.0 in source.list`, `2 in source.list`, `null in source.list`,
		`{"k": "v"} in source.list`, `["c"] in source.list`, `dyn(source.map) in source.list`, `source.list[5] in ["a", "b"]`,
		`source.map.k`, `source.map["k"]`, `source.map["z"]`, `source.map[1]`, `source.map[dyn(1.5)]`, `"k" in source.map`, `"z" in source.map`, `1 in source.map`,
		`has(source.map.k)`, `has(source.map.z)`, `source.map.?z.orValue("none")`, `source.?map.?k`, `source.list[?9]`, `source.list[?0]`,
		`size(source.list)`, `size(source.map)`, `size(source.empty)`, `source.list + ["x"]`, `["x"] + source.list`, `source.list + source.empty`, `source.list + 1`,
		`source.map == {"k": "v", "n": 1, "empty": {}}`, `source.map == {"k": "v"}`, `source.map != source.map`, `source.map == source.list`,
		`source.map == {"k": "v", "n": 1.0, "empty": {}}`, `source.empty == []`, `source.list == source.list + []`, `[] == source.empty`, `{} == source.map.empty`,
		`source.list.filter(x, type(x) == string)`, `source.list.map(x, [x])`, `source.list.exists(x, x == "b")`, `source.map.all(k, size(k) > 0)`,
		`source.list.transformList(i, v, i)`, `source.map.transformMap(k, v, v)`, `source.map.exists(k, v, v == "v")`, `source.list.slice(0, 2)`,
		`type(source.map) == map`, `type(source.list) == list`, `type(source) == type({})`, `optional.ofNonZeroValue(source.empty)`, `optional.ofNonZeroValue(source.map.empty)`,
		`optional.ofNonZeroValue(source.map)`, `source.list.flatten()`, `source.list.distinct()`, `string(source.n)`, `source.map.map(k, k).size()`,
	} {
		got, gotErr := evaluate(t, ours, src, source)
		want, wantErr := evaluate(t, theirs, src, source)
		if (gotErr == nil) != (wantErr == nil) {
			t.Errorf("%s: error %v, CEL's %v", src, gotErr, wantErr)
			continue
		}
		if gotErr != nil {
			if got, want := gotErr.Error(), wantErr.Error(); got != want {
				t.Errorf("%s: error %q, CEL's %q", src, got, want)
			}
			continue
		}
		if got.Type() != want.Type() || got.Equal(want) != types.True || want.Equal(got) != types.True {
			t.Errorf("%s: %v, CEL's %v", src, got, want)
		}
	}
}

func evaluate(t *testing.T, env *cel.Env, src string, source any) (ref.Val, error) {
	t.Helper()
	ast, issues := env.Compile(src)
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	program, err := env.Program(ast)
	if err != nil {
		t.Fatal(err)
	}
	val, _, err := program.Eval(map[string]any{"source": source})
	return val, err
}

func TestFromCEL(t *testing.T) {
	deep := any("end")
	for range 5 {
		deep = []any{deep}
	}
	shared := map[string]any{"k": []any{"v"}}
	cases := map[string]struct {
		reason string
		val    ref.Val
		want   any
		absent bool
		err    error
	}{
		"Null":      {reason: "null is nil", val: types.NullValue},
		"Uint":      {reason: "an unsigned integer that fits", val: types.Uint(7), want: int64(7)},
		"BigUint":   {reason: "one that does not", val: types.Uint(math.MaxUint64), err: plain.ErrNumber},
		"NaN":       {reason: "JSON has no NaN", val: types.Double(math.NaN()), err: plain.ErrNoJSON},
		"Bytes":     {reason: "bytes are base64", val: types.Bytes("hi"), want: "aGk="},
		"None":      {reason: "an optional without a value is absent", val: types.OptionalNone, absent: true},
		"Some":      {reason: "one with a value is it", val: types.OptionalOf(types.Int(1)), want: int64(1)},
		"Type":      {reason: "a type has no JSON form", val: types.StringType, err: plain.ErrNoJSON},
		"Object":    {reason: "an object comes back as itself", val: plain.Value(shared), want: shared},
		"Key":       {reason: "keys are strings", val: types.NewRefValMap(plain.Adapter{}, map[ref.Val]ref.Val{types.Int(1): types.True}), err: plain.ErrKey},
		"DropItem":  {reason: "an absent item is left out", val: types.NewRefValList(plain.Adapter{}, []ref.Val{types.OptionalNone, types.True}), want: []any{true}},
		"DropKey":   {reason: "an absent field is left out", val: types.NewRefValMap(plain.Adapter{}, map[ref.Val]ref.Val{types.String("a"): types.OptionalNone}), want: map[string]any{}},
		"TooLong":   {reason: "text is bounded", val: types.String(strings.Repeat("x", 101)), err: plain.ErrTooLong},
		"TooLongIn": {reason: "so is that of a value that comes back", val: plain.Value([]any{strings.Repeat("x", 101)}), err: plain.ErrTooLong},
		"LongKey":   {reason: "and that of its keys", val: plain.Value(map[string]any{strings.Repeat("x", 101): nil}), err: plain.ErrTooLong},
		"TooMany":   {reason: "values are bounded", val: plain.Value(make([]any, 21)), err: plain.ErrTooMany},
		"TooManyIn": {reason: "those that an expression made too", val: types.NewStringList(plain.Adapter{}, make([]string, 21)), err: plain.ErrTooMany},
		"TooDeep":   {reason: "levels are bounded", val: plain.Value(deep), err: plain.ErrTooDeep},
		"DeepIn":    {reason: "over what an expression made too", val: types.NewRefValList(plain.Adapter{}, []ref.Val{plain.Value(deep.([]any)[0])}), err: plain.ErrTooDeep},
		"Deep":      {reason: "as many as are allowed", val: plain.Value(deep.([]any)[0]), want: deep.([]any)[0]},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, present, err := plain.FromCEL(tc.val, plain.Limits{Values: 20, Bytes: 100, Depth: 4})
			if !errors.Is(err, tc.err) {
				t.Fatalf("%s: error %v, want %v", tc.reason, err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || present == (tc.absent || tc.err != nil) {
				t.Errorf("%s: present %v (-want +got)\n%s", tc.reason, present, diff)
			}
		})
	}
}

// TestAlias shows that a value that is passed on is not copied.
func TestAlias(t *testing.T) {
	object := map[string]any{"k": "v"}
	got, _, err := plain.FromCEL(plain.Value(object), plain.Limits{Values: 10, Bytes: 10, Depth: 2})
	if err != nil || reflect.ValueOf(got).Pointer() != reflect.ValueOf(object).Pointer() {
		t.Errorf("got another object, %v", err)
	}
}

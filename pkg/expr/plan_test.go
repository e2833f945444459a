package expr

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

func newTestEnv(tb testing.TB) *Env {
	tb.Helper()
	env, err := NewEnv(Scope{References: []Reference{{Key: "one"}, {Key: "two"}}})
	if err != nil {
		tb.Fatal(err)
	}
	return env
}

// TestLikeCEL evaluates random expressions as they are planned here and as CEL plans them: nothing tells them apart, to
// the text of an error.
func TestLikeCEL(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	g := newGenerator(seed)
	env := newTestEnv(t)
	compared := 0
	for range 4_000 {
		src := g.condition(3)
		if g.IntN(3) == 0 {
			src = g.text(3)
		}
		p, _ := env.Compile(Whole("f", src), cel.DynType)
		if p == nil {
			continue
		}
		plainly := plannedByCEL(t, env, src, p)
		for range 3 {
			compared++
			b := NewBinding(g.object(3), []string{"one", "two"})
			if g.IntN(2) == 0 {
				b.SetReference("one", g.object(2))
			}
			want, wantErr := outcome(t, plainly, b)
			got, gotErr := outcome(t, p, b)
			if diff := cmp.Diff(want, got); diff != "" || message(wantErr) != message(gotErr) {
				t.Fatalf("seed %d: %s on %v gives %v, %q, CEL's plan %v, %q", seed, src, b.source, got, gotErr, want, wantErr)
			}
		}
	}
	if compared < 5_000 {
		t.Errorf("seed %d: only %d evaluations were compared", seed, compared)
	}
}

// message is an error without its place: CEL has none for a call without an overload.
func message(err error) string {
	if failed, ok := errors.AsType[*Error](err); ok {
		return failed.Diagnostic().Message
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func outcome(t *testing.T, p *Program, b *Binding) (any, error) {
	t.Helper()
	value, _, err := p.JSON(t.Context(), b)
	return value, err
}

// plannedByCEL is the program of an expression without any node of ours.
func plannedByCEL(tb testing.TB, env *Env, src string, like *Program) *Program {
	tb.Helper()
	ast, issues := env.check.Compile(src)
	if issues.Err() != nil {
		tb.Fatal(issues.Err())
	}
	program, err := env.exec.Program(ast, cel.EvalOptions(inspect(ast.NativeRep().Expr()).optimizations()))
	if err != nil {
		tb.Fatal(err)
	}
	return &Program{src: like.src, info: like.info, out: like.out, cel: program}
}

// TestMissingInLoop shows that a missing reference is not known within loops and bindings too.
func TestMissingInLoop(t *testing.T) {
	env := newTestEnv(t)
	b := NewBinding(map[string]any{"list": []any{"a"}}, []string{"one", "two"})
	for _, src := range []string{
		`source.list.exists(x, references.two[x] == "b")`, `source.list.exists_one(x, references.two[x] == "b")`,
		`source.list.map(x, references.two[x])`, `cel.bind(x, source.list[0], references.two[x])`,
		`source.list.map(x, cel.bind(y, x, references.two.?a[?y].orValue("")))`, `source.list == [] ? "" : references.?two.?a.orValue("")`,
	} {
		p, list := env.Compile(Whole("f", src), cel.DynType)
		if p == nil {
			t.Fatal(list)
		}
		if _, err := outcome(t, p, b); message(err) != "waits for two" {
			t.Errorf("%s: %v", src, err)
		}
	}
}

// TestCost pins what evaluations cost: a stored policy must not become too expensive by an upgrade.
func TestCost(t *testing.T) {
	list := make([]any, 100)
	for i := range list {
		list[i] = map[string]any{"type": "T", "status": "S"}
	}
	source := map[string]any{"list": list, "text": string(make([]byte, 1000)), "map": map[string]any{"a": "b"}}
	cases := map[string]struct {
		reason, src string
		want        int
	}{
		"Select":   {reason: "a selection costs nothing", src: `has(source.text)`, want: 0},
		"Short":    {reason: "so does a comparison with a short text", src: `source.text == "a" || source.text.startsWith("b")`, want: 0},
		"Loop":     {reason: "each round costs its nodes", src: `source.list.exists(c, c.type == "Ready" && c.status == "True")`, want: 2300},
		"Found":    {reason: "rounds that are not needed cost nothing", src: `source.list.exists(c, c.type == "T")`, want: 12},
		"Contains": {reason: "a search costs a unit for ten bytes", src: `source.text.contains("abc")`, want: 100},
		"Add":      {reason: "so does a text that is made", src: `source.text + source.text + ""`, want: 400},
		"Map":      {reason: "a list that is made costs its items too", src: `source.list.map(c, c.type).size() > 0`, want: 900},
		"Equal":    {reason: "values within values count", src: `source.list == source.list + []`, want: 401},
		"In":       {reason: "a search in a list reads it, in an object it does not", src: `source.text in source.list && source.text in source.map`, want: 301},
		"Set":      {reason: "a literal list is a set", src: `source.text in ["a", "b"]`, want: 0},
		"Matches":  {reason: "a regular expression costs its steps for each byte", src: `source.text.matches("^(a|b)+c$")`, want: 2000},
		"Range":    {reason: "numbers are values", src: `size(lists.range(100)) > 0`, want: 400},
		"Replace":  {reason: "a replacement costs what it could make at most", src: `source.text.replace("a", "bbbb") == ""`, want: 1000},
	}
	env := newTestEnv(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, diagnostics := env.Compile(Whole("f", tc.src), cel.DynType)
			if p == nil {
				t.Fatal(diagnostics)
			}
			b := NewBinding(source, nil)
			if _, err := p.Eval(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if got := costLimit - b.meter.left; got != tc.want {
				t.Errorf("%s: %s costs %d, not %d", tc.reason, tc.src, got, tc.want)
			}
		})
	}
}

// TestContextEnds shows that a loop ends with its context.
func TestContextEnds(t *testing.T) {
	p, list := newTestEnv(t).Compile(Whole("f", `lists.range(10000).all(x, x >= 0)`), cel.BoolType)
	if p == nil {
		t.Fatal(list)
	}
	ctx, cancel := context.WithCancel(t.Context())
	b := NewBinding(nil, nil)
	if ok, err := p.Bool(ctx, b); !ok || err != nil {
		t.Fatal(ok, err)
	}
	cancel()
	_, err := p.Bool(ctx, b)
	if failed, ok := errors.AsType[*Error](err); !ok || failed.Code() != CodeTooExpensive {
		t.Errorf("got %v", err)
	}
}

// TestOrderOfKeys shows that a loop over an object meets its keys in order: a result that changes would be written
// again and again.
func TestOrderOfKeys(t *testing.T) {
	p, list := newTestEnv(t).Compile(Whole("f", `source.map(k, k) + source.transformList(k, v, k)`), cel.DynType)
	if p == nil {
		t.Fatal(list)
	}
	object := map[string]any{"d": 1, "a": 2, "c": 3, "b": 4, "f": 5, "e": 6}
	for range 20 {
		val, err := p.Eval(t.Context(), NewBinding(object, nil))
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := plain.FromCEL(val, resultLimits)
		if diff := cmp.Diff([]any{"a", "b", "c", "d", "e", "f", "a", "b", "c", "d", "e", "f"}, got); err != nil || diff != "" {
			t.Fatalf("%v (-want +got)\n%s", err, diff)
		}
	}
}

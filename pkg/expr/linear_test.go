package expr

import (
	"strings"
	"testing"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/interpreter"
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

func TestLinear(t *testing.T) {
	long := strings.Repeat("x", 300)
	cases := map[string]struct {
		reason, src string
		want        bool
	}{
		"Condition": {
			reason: "the condition of most policies", want: true,
			src: `source.?status.?conditions.orValue([]).exists(c, c.type == "Ready" && c.status == "True")`,
		},
		"Selector": {
			reason: "the selector of most policies", want: true,
			src: `source.metadata.name.startsWith("vc-") && ["config", "key"].all(k, k in source.?data.orValue({}))`,
		},
		"Name":        {reason: "a name of a few parts", src: `source.a + "-" + source.b.lowerAscii()`, want: true},
		"Sequence":    {reason: "loops one after the other", src: `source.a.all(x, x.b == 1) && source.a.exists(y, y.c in ["a", "b"])`, want: true},
		"ItemSearch":  {reason: "each item is read once", src: `source.a.exists(x, x.b.contains(source.c))`, want: true},
		"Has":         {reason: "presence costs nothing", src: `source.a.all(x, has(x.b) && size(x.c) > 1)`, want: true},
		"Nested":      {reason: "a loop in a loop is a product", src: `source.a.all(x, source.a.all(y, x == y))`},
		"NestedRange": {reason: "a loop over a range", src: `lists.range(1000000).all(x, x >= 0)`},
		"Literal":     {reason: "a loop over many literals", src: `[` + strings.Repeat("1,", 40) + `1].all(x, x > 0)`},
		"Map":         {reason: "a list that grows", src: `size(source.a.map(x, source)) > 0`},
		"Filter":      {reason: "a list that grows", src: `source.a.filter(x, true).size() > 0`},
		"ExistsOne":   {reason: "it counts", src: `source.a.exists_one(x, x == 1)`},
		"Bind":        {reason: "texts double", src: `cel.bind(a, source.a, a + a) == "x"`},
		"TwoVar":      {reason: "its range is built", src: `source.a.all(k, v, v == 1)`},
		"Foreign":     {reason: "every round searches something long", src: `source.a.all(x, source.big.contains(x))`},
		"ForeignEq":   {reason: "every round compares something long", src: `source.a.all(x, source.b == source.c)`},
		"ForeignIn":   {reason: "every round searches a list", src: `source.a.all(x, x in source.b)`},
		"ForeignSize": {reason: "every round counts characters", src: `source.a.all(x, size(source.b) > 1)`},
		"LongLiteral": {reason: "every round compares with something long", src: `source.a.all(x, source.b < "` + long + `")`},
		"Concat":      {reason: "every round makes a text", src: `source.a.all(x, x + source.b == "x")`},
		"Concats":     {reason: "texts that add up", src: `source.a + source.a + source.a + source.a + source.a + source.a == "x"`},
		"Scans":       {reason: "too many searches", src: strings.Repeat(`source.a.contains(source.b) && `, 40) + "true"},
		"LoopScans":   {reason: "too many searches in all", src: `["a","b","c","d","e","f","g","h","i"].all(k, k in source.a && k in source.b && k in source.c && k in source.d)`},
		"Nodes":       {reason: "too many steps", src: strings.Repeat(`source.a.b.c.d.e.f || `, 60) + "true"},
		"Regex":       {reason: "a regular expression", src: `source.a.matches("(a*)*b")`},
		"Replace":     {reason: "a text that grows", src: `source.a.replace("", source.b) == "x"`},
		"Split":       {reason: "a list of many texts", src: `size(source.a.split("")) > 0`},
		"Join":        {reason: "a text of a list", src: `source.a.join(source.b) == "x"`},
		"Format":      {reason: "a text that grows", src: `"%s%s".format([source.a, source.a]) == "x"`},
		"JSON":        {reason: "a document", src: `json.unmarshal(source.a).b == 1`},
		"YAML":        {reason: "a document", src: `yaml.marshal(source) == "x"`},
		"Kubeconfig":  {reason: "a document", src: `kubeconfig.server(source.a) == "x"`},
		"Base64":      {reason: "a library that is not known", src: `base64.decode(source.a) == b"x"`},
		"Sort":        {reason: "more than linear", src: `source.a.sort() == source.b`},
		"Sets":        {reason: "a product of two lists", src: `sets.intersects(source.a, source.b)`},
		"Hidden":      {reason: "a loop in the default of a loop's range", src: `source.?a.orValue(source.b.map(x, x)).all(y, y == 1)`},
		"HiddenIndex": {reason: "a loop in the index of a loop's range", src: `source.a[source.b.map(x, x).size()].all(y, y == 1)`},
		"MapLiteral":  {reason: "an object that is made", src: `{"a": source}.a == source`},
	}
	env := newTestEnv(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, list := env.Compile(Whole("f", tc.src), cel.DynType)
			if p == nil {
				t.Fatal(list)
			}
			if got := p.linear != nil; got != tc.want {
				t.Errorf("%s: linear is %v for %s", tc.reason, got, tc.src)
			}
		})
	}
}

// TestLinearLikeCounted evaluates random expressions in both ways: what is proven linear gives what CEL gives, to the
// place of an error, and costs no more than in proportion to what it reads.
func TestLinearLikeCounted(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	g := newGenerator(seed)
	env := newTestEnv(t)
	compared := 0
	for range 4_000 {
		src := g.condition(3)
		p, _ := env.Compile(Whole("f", src), cel.DynType)
		if p == nil || p.linear == nil {
			continue
		}
		counted := *p
		if counted.linear = nil; counted.counted == nil {
			counted.counted = compileCounted(t, env, src)
		}
		for range 3 {
			compared++
			b := NewBinding(g.object(3), []string{"one", "two"})
			if g.IntN(2) == 0 {
				b.SetReference("one", g.object(2))
			}
			want, wantErr := outcome(t, &counted, b)
			got, gotErr := outcome(t, p, b)
			if diff := cmp.Diff(want, got); diff != "" || wantErr != gotErr {
				t.Fatalf("seed %d: %s on %v: uncounted gives %v, %q, counted %v, %q", seed, src, b.source, got, gotErr, want, wantErr)
			}
		}
	}
	if compared < 1_000 {
		t.Errorf("seed %d: only %d evaluations were compared", seed, compared)
	}
}

func outcome(t *testing.T, p *Program, b *Binding) (value any, failure string) {
	t.Helper()
	value, _, err := p.JSON(t.Context(), b)
	if err != nil {
		return nil, err.Error()
	}
	return value, ""
}

func compileCounted(tb testing.TB, env *Env, src string) cel.Program {
	tb.Helper()
	ast, issues := env.check.Compile(src)
	if issues.Err() != nil {
		tb.Fatal(issues.Err())
	}
	p, err := env.exec.Program(ast, inspect(ast.NativeRep().Expr()).countedOptions()...)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// TestLongLoopsAreCounted shows that a list beyond the limit of uncounted loops is evaluated all the same.
func TestLongLoopsAreCounted(t *testing.T) {
	p, list := newTestEnv(t).Compile(Whole("f", `source.a.exists(x, x == "last") && source.a.all(x, x != "")`), cel.BoolType)
	if p == nil || p.linear == nil {
		t.Fatal(list)
	}
	items := make([]any, maxLinearItems+1)
	for i := range items {
		items[i] = "item"
	}
	items[maxLinearItems] = "last"
	b := NewBinding(map[string]any{"a": items}, nil)
	if _, _, err := p.linear.Eval(interpreter.Activation(b)); err == nil {
		t.Error("the uncounted program evaluates a loop beyond its limit")
	}
	if ok, err := p.Bool(t.Context(), b); !ok || err != nil {
		t.Errorf("got %v, %v", ok, err)
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

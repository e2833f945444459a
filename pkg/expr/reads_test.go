package expr

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/go-cmp/cmp"
)

func TestReads(t *testing.T) {
	cases := map[string]struct {
		reason, src string
		source, one []string
	}{
		"Select":     {reason: "a selection reads what it leads to", src: `source.metadata.name`, source: []string{"metadata.name"}},
		"Bracket":    {reason: "so do a literal key and index", src: `source.data["a.b"] + source.items[0].x`, source: []string{"data.a.b", "items[].x"}},
		"Presence":   {reason: "a test for presence reads nothing below", src: `has(source.spec.paused)`, source: []string{"spec.paused"}},
		"Optional":   {reason: "optionals hand on what they hold", src: `source.?a.?b.orValue(source.c).d`, source: []string{"a.b.d", "c.d"}},
		"Dynamic":    {reason: "a computed key may be any", src: `source.labels[source.name]`, source: []string{"labels", "name"}},
		"Whole":      {reason: "what a function takes is read wholly", src: `json.marshal(source.spec)`, source: []string{"spec"}},
		"Everything": {reason: "so is the variable itself", src: `source`, source: []string{""}},
		"Exists": {
			reason: "a loop reads parts of the items", src: `source.status.conditions.exists(c, c.type == "Ready" && c.status == "True")`,
			source: []string{"status.conditions.*", "status.conditions[].status", "status.conditions[].type"},
		},
		"Filter": {
			reason: "an item that a loop hands on is read wholly", src: `source.items.filter(i, i.ok)[0].name`,
			source: []string{"items.*", "items[]"},
		},
		"Bind":    {reason: "a name for a part is that part", src: `cel.bind(m, source.metadata, m.name + m.namespace)`, source: []string{"metadata.name", "metadata.namespace"}},
		"Shadow":  {reason: "a loop variable hides a variable's name", src: `[{"a": 1}].all(source, source.a == 1)`},
		"Ternary": {reason: "either may be the value", src: `(source.flag ? source.a : source.b).name`, source: []string{"a.name", "b.name", "flag"}},
		"In":      {reason: "a search for a name reads that name, or a list", src: `"k" in source.data`, source: []string{"data.k", "data[]"}},
		"Words": {
			reason: "the variable of a loop over literals is one of them", src: `["a", "b.c"].all(k, k in source.data && source.?labels[?k].hasValue())`,
			source: []string{"data.a", "data.b.c", "data[]", "labels.a", "labels.b.c"},
		},
		"NoWords": {
			reason: "one of them that is computed may be any", src: `["a", source.name].all(k, k in source.data)`,
			source: []string{"data", "name"},
		},
		"OtherWords": {
			reason: "a variable of the same name is another", src: `["a"].all(k, source.items.all(k, k in source.data)) && ["b"].all(k, cel.bind(k, source.name, k in source.labels))`,
			source: []string{"data", "items.*", "items[]", "labels", "name"},
		},
		"Reference":  {reason: "references are told apart", src: `references.one.data.token + source.name`, source: []string{"name"}, one: []string{"data.token"}},
		"References": {reason: "all at once are read wholly", src: `json.marshal(references)`, one: []string{""}},
		"Unused":     {reason: "what is not reached is counted too", src: `true || source.a == 1`, source: []string{"a"}},
		"TwoVars":    {reason: "the second variable is a value", src: `source.labels.all(k, v, v.x == k)`, source: []string{"labels.*", "labels[].x"}},
		"Transform":  {reason: "what goes into a list is read wholly", src: `[source.a][0].b`, source: []string{"a"}},
		"Literal":    {reason: "a literal reads nothing", src: `1 + 2`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, list := newTestEnv(t).Compile(Whole("f", tc.src), cel.DynType)
			if p == nil {
				t.Fatal(list)
			}
			if diff := cmp.Diff(tc.source, p.Inputs().Source.Paths()); diff != "" {
				t.Errorf("%s: source (-want +got)\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.one, p.Inputs().Reference("one").Paths()); diff != "" {
				t.Errorf("%s: reference one (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

// TestProjection evaluates random expressions on random objects and on their projections: nothing tells them apart. And
// an object that is Same stays so.
func TestProjection(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	g := newGenerator(seed)
	env := newTestEnv(t)
	compared, smaller := 0, 0
	for range 2_000 {
		src := g.condition(3)
		if g.IntN(2) == 0 {
			src = g.text(3)
		}
		p, _ := env.Compile(Whole("f", src), cel.DynType)
		if p == nil {
			continue
		}
		for range 2 {
			compared++
			source, one := g.object(3), g.object(2)
			projected, _ := p.Inputs().Source.Project(source).(map[string]any)
			projectedOne, _ := p.Inputs().Reference("one").Project(one).(map[string]any)
			if !p.Inputs().Source.Same(source, projected) {
				t.Fatalf("seed %d: %s: %v is not the same as its projection %v", seed, src, source, projected)
			}
			if !cmp.Equal(source, projected) {
				smaller++
			}
			want, wantErr := outcome(t, p, bind(source, one))
			got, gotErr := outcome(t, p, bind(projected, projectedOne))
			if diff := cmp.Diff(want, got); diff != "" || fmt.Sprint(wantErr) != fmt.Sprint(gotErr) {
				t.Fatalf("seed %d: %s gives %v, %q on %v and %v, and %v, %q on the projections %v and %v",
					seed, src, want, wantErr, source, one, got, gotErr, projected, projectedOne)
			}
		}
	}
	if compared < 1_000 || smaller < compared/2 {
		t.Errorf("seed %d: %d evaluations were compared, %d on less than the object", seed, compared, smaller)
	}
}

// TestCovers projects objects to what two expressions read, and then to what one of them does: nothing is missing. What
// does not cover the other is told by an object.
func TestCovers(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	g := newGenerator(seed)
	env := newTestEnv(t)
	reads := func() *Reads {
		for {
			if p, _ := env.Compile(Whole("f", g.condition(3)), cel.DynType); p != nil {
				return &p.Inputs().Source
			}
		}
	}
	covering := 0
	for range 2_000 {
		a, b := reads(), reads()
		both := &Reads{}
		both.Merge(a)
		both.Merge(b)
		if !both.Covers(a) || !both.Covers(b) || !a.Covers(nil) {
			t.Fatalf("seed %d: %v do not cover %v and %v", seed, both.Paths(), a.Paths(), b.Paths())
		}
		if !a.Covers(b) {
			continue
		}
		covering++
		for range 4 {
			object := g.object(3)
			if diff := cmp.Diff(b.Project(object), b.Project(a.Project(object))); diff != "" {
				t.Fatalf("seed %d: %v are said to cover %v (-whole +projected)\n%s", seed, a.Paths(), b.Paths(), diff)
			}
		}
	}
	if covering < 20 || covering > 1_900 {
		t.Errorf("seed %d: %d of 2,000 cover the other", seed, covering)
	}
}

func TestCoversNot(t *testing.T) {
	field := func(name string, below *Reads) *Reads { return &Reads{Fields: map[string]*Reads{name: below}} }
	whole, keys := &Reads{Whole: true}, &Reads{Keys: true}
	cases := map[string]struct {
		reason   string
		r, other *Reads
		want     bool
	}{
		"Whole":       {reason: "all of a value is more than a field", r: field("a", whole), other: whole},
		"Below":       {reason: "all of a field is more than a part of it", r: field("a", field("b", whole)), other: field("a", whole)},
		"Other":       {reason: "another field", r: field("a", whole), other: field("b", nil)},
		"Keys":        {reason: "all names are more than one", r: field("a", whole), other: keys},
		"Items":       {reason: "all of the items", r: &Reads{Items: field("a", whole)}, other: &Reads{Items: whole}},
		"NoItems":     {reason: "nothing of the items", r: field("a", whole), other: &Reads{Items: field("a", nil)}},
		"Nothing":     {reason: "nothing is less than a field", r: nil, other: field("a", nil)},
		"Presence":    {reason: "that a field is there", r: field("a", whole), other: field("a", nil), want: true},
		"ItemsOfKeys": {reason: "of every field the same", r: &Reads{Keys: true, Items: whole}, other: field("a", field("b", whole)), want: true},
		"FieldOfKeys": {reason: "of every field the name", r: keys, other: field("a", field("b", whole))},
		"Empty":       {reason: "items of which nothing is read", r: nil, other: &Reads{Items: &Reads{}}, want: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.r.Covers(tc.other); got != tc.want {
				t.Errorf("%s: %v cover %v is %v", tc.reason, tc.r.Paths(), tc.other.Paths(), got)
			}
		})
	}
}

func bind(source, one map[string]any) *Binding {
	b := NewBinding(source, []string{"one", "two"})
	b.SetReference("one", one)
	return b
}

func TestSame(t *testing.T) {
	p, list := newTestEnv(t).Compile(Whole("f", `source.items.exists(i, i.a == 1) && has(source.spec.x) && source.labels.all(k, k != "")`), cel.DynType)
	if p == nil {
		t.Fatal(list)
	}
	object := func(change func(o map[string]any)) map[string]any {
		o := map[string]any{
			"items": []any{map[string]any{"a": int64(1), "time": "1"}}, "spec": map[string]any{"x": map[string]any{"deep": 1}},
			"labels": map[string]any{"k": "v"}, "status": "s",
		}
		change(o)
		return o
	}
	cases := map[string]struct {
		reason string
		change func(o map[string]any)
		want   bool
	}{
		"Nothing":    {reason: "the same object", change: func(map[string]any) {}, want: true},
		"Unread":     {reason: "a field that is not read", change: func(o map[string]any) { o["status"] = "t" }, want: true},
		"UnreadItem": {reason: "a field of an item that is not read", change: func(o map[string]any) { o["items"].([]any)[0].(map[string]any)["time"] = "2" }, want: true},
		"Below":      {reason: "what is below a field that must only be there", change: func(o map[string]any) { o["spec"].(map[string]any)["x"].(map[string]any)["deep"] = 2 }, want: true},
		"Read":       {reason: "a field that is read", change: func(o map[string]any) { o["items"].([]any)[0].(map[string]any)["a"] = int64(2) }},
		"Added":      {reason: "another item", change: func(o map[string]any) { o["items"] = append(o["items"].([]any), nil) }},
		"Gone":       {reason: "a field that is gone", change: func(o map[string]any) { delete(o["spec"].(map[string]any), "x") }},
		"Kind":       {reason: "another kind of value", change: func(o map[string]any) { o["spec"].(map[string]any)["x"] = "text" }},
		"Key":        {reason: "another key", change: func(o map[string]any) { o["labels"].(map[string]any)["l"] = "" }},
		"Value":      {reason: "the value of a key that is read only", change: func(o map[string]any) { o["labels"].(map[string]any)["k"] = "w" }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before, after := object(func(map[string]any) {}), object(tc.change)
			if got := p.Inputs().Source.Same(before, after); got != tc.want {
				t.Errorf("%s: same is %v", tc.reason, got)
			}
		})
	}
}

// TestReadsAreBounded shows that no expression makes the analysis large: what goes beyond is read wholly.
func TestReadsAreBounded(t *testing.T) {
	doubling := "source"
	for range 40 {
		doubling = "cel.bind(v, " + doubling + ", source.f ? v.a : v.b)"
	}
	for name, src := range map[string]string{
		"Doubling": doubling,
		"Many":     "[" + strings.Repeat("source.a.b.c.d.e.f.g.h,", 2_000) + "source.x]",
		"Wide":     "source." + strings.Repeat("a.", 10_000) + "b",
	} {
		t.Run(name, func(t *testing.T) {
			p, list := newTestEnv(t).Compile(Whole("f", src), cel.DynType)
			if p == nil {
				t.Skip(list)
			}
			if n := count(&p.Inputs().Source); n > maxParts+1 {
				t.Errorf("%d parts are told apart", n)
			}
		})
	}
}

func count(r *Reads) int {
	n := 1
	for _, field := range r.Fields {
		n += count(field)
	}
	if r.Items != nil {
		n += count(r.Items)
	}
	return n
}

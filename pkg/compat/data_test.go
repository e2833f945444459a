package compat_test

import "github.com/clusterimport/clusterimport/pkg/expr"

// data is the root of random data: an object as an API server serves it, whose metadata is always well-formed, and a
// Secret. What its platform says, spec and status, is there or not, null, or of another kind than expected.
func (g *generator) data() map[string]any {
	metadata := map[string]any{"name": choose(g, []string{"prod", "c-1", "a"}), "namespace": choose(g, []string{"fleet", "prod"}), "uid": "6f1e-a"}
	if !g.one(3) {
		metadata["labels"] = g.texts()
	}
	if g.one(2) {
		metadata["annotations"] = g.texts()
	}
	if !g.one(3) {
		metadata["generation"] = int64(g.IntN(4))
	}
	if g.one(3) {
		metadata["finalizers"] = []any{"a/b", "prod"}
	}
	source := map[string]any{"apiVersion": "x.io/v1", "kind": "Cluster", "metadata": metadata, "spec": g.spec()}
	if !g.one(8) {
		source["status"] = g.status()
	}
	secret := map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "prod", "namespace": "fleet"},
		"data": map[string]any{"token": choose(g, []string{"dG9rZW4=", "+/+/", ""}), "env": "cHJvZA=="},
	}
	if g.one(6) {
		delete(secret, "data")
	}
	return root(source, map[string]any{"secret": secret})
}

// texts are labels or annotations.
func (g *generator) texts() map[string]any {
	out := map[string]any{}
	for _, key := range []string{"env", "a", "b/c"} {
		if g.one(2) {
			out[key] = choose(g, []string{"prod", "", "True", "x+y", "a"})
		}
	}
	return out
}

func (g *generator) spec() map[string]any {
	out := map[string]any{}
	for _, f := range []scoped{
		{"text", kindText}, {"other", kindText}, {"count", kindInt}, {"zero", kindInt}, {"yes", kindBool}, {"no", kindBool}, {"ratio", kindFloat}, {"whole", kindFloat},
		{"names", kindList}, {"numbers", kindList}, {"none", kindList}, {"nested", kindMap}, {"any", kindAny},
	} {
		if !g.one(7) {
			out[f.name] = g.field(f.name, f.kind)
		}
	}
	if g.one(2) && !g.conforming {
		out["null"] = nil
	}
	return out
}

func (g *generator) field(name string, k kind) any {
	switch {
	case g.conforming:
	case g.one(16):
		return nil
	case g.one(12):
		return g.value(2)
	}
	switch name {
	case "zero":
		return int64(0)
	case "no":
		return false
	case "none":
		return []any{}
	case "whole":
		if g.one(3) {
			return int64(3) // a number without a fraction is an integer in JSON
		}
		return 3.0
	case "names":
		return choose(g, [][]any{{"a", "b", "prod"}, {"Ready"}, {}, {"a", "a", ""}})
	case "numbers":
		return []any{int64(1), int64(2), int64(g.IntN(3))}
	case "nested":
		if g.conforming {
			return choose(g, []any{map[string]any{"env": "prod", "deep": map[string]any{"er": "x"}}, map[string]any{"deep": map[string]any{}}, map[string]any{}})
		}
		return map[string]any{"env": "prod", "deep": choose(g, []any{map[string]any{"er": "x"}, nil, "flat", map[string]any{}})}
	}
	return g.of(k)
}

func (g *generator) of(k kind) any {
	switch k {
	case kindText:
		return choose(g, []string{
			"prod", "", "a", "True", "true", "Ready", "a,b,c", " padded ", "https://h:1/p?a=1&b=2", "1.2.3", "42", `say "hi"`, "one\ntwo", "aGVsbG8=", `{"env":"prod","a":[1,null]}`, "Größe", "false", "<b>",
		})
	case kindInt:
		return choose(g, []int64{0, 1, 2, 3, 42, -7, 3})
	case kindBool:
		return g.one(2)
	case kindFloat:
		return choose(g, []float64{0, 1.5, 3, -0.5, 1e21})
	}
	return g.value(2)
}

// value is anything.
func (g *generator) value(depth int) any {
	if depth > 0 && g.one(3) {
		if g.one(2) {
			return []any{g.value(depth - 1), g.value(depth - 1)}
		}
		return map[string]any{"x": g.value(depth - 1), "env": g.value(depth - 1)}
	}
	if g.one(8) {
		return nil
	}
	return g.of(choose(g, []kind{kindText, kindText, kindInt, kindBool, kindFloat}))
}

func (g *generator) status() any {
	status := map[string]any{}
	if g.one(2) {
		status["phase"] = choose(g, []string{"Running", "", "prod"})
	}
	conditions := []any{}
	for range g.IntN(4) {
		condition := map[string]any{"type": choose(g, []string{"Ready", "Ready", "a", "Progressing"})}
		switch n := g.IntN(10); {
		case n == 0 && !g.conforming:
			condition["status"] = g.value(1)
		case n > 1:
			condition["status"] = choose(g, []string{"True", "False", "True"})
		}
		conditions = append(conditions, condition)
	}
	if g.one(12) && !g.conforming {
		conditions = append(conditions, g.value(1))
	}
	if !g.one(6) {
		status["conditions"] = conditions
	}
	return status
}

// sourceSchema is the shape of the conforming data. Of spec.any nothing is known; spec.null may be null.
func sourceSchema() *expr.Schema {
	object := func(fields map[string]*expr.Schema) *expr.Schema {
		return &expr.Schema{Kind: expr.Object, Fields: fields}
	}
	list := func(item *expr.Schema) *expr.Schema { return &expr.Schema{Kind: expr.List, Elem: item} }
	text, integer, number, flag := &expr.Schema{Kind: expr.String}, &expr.Schema{Kind: expr.Int}, &expr.Schema{Kind: expr.Double}, &expr.Schema{Kind: expr.Bool}
	return object(map[string]*expr.Schema{
		"apiVersion": text, "kind": text, "metadata": expr.ObjectMeta(),
		"spec": object(map[string]*expr.Schema{
			"text": text, "other": text, "count": integer, "zero": integer, "yes": flag, "no": flag, "ratio": number, "whole": number,
			"names": list(text), "numbers": list(integer), "none": list(nil), "any": nil, "null": {Kind: expr.String, Nullable: true}, "missing": text,
			"nested": object(map[string]*expr.Schema{"env": text, "deep": object(map[string]*expr.Schema{"er": text})}),
		}),
		"status": object(map[string]*expr.Schema{
			"phase": text, "conditions": list(object(map[string]*expr.Schema{"type": text, "status": text})),
		}),
	})
}

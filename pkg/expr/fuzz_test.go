package expr_test

import (
	"errors"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/json"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// result evaluates within what any expression may take.
func result(t *testing.T, program *expr.Program, b *expr.Binding) (value any, failure string) {
	t.Helper()
	value, _, err := program.JSON(t.Context(), b)
	if failed, ok := errors.AsType[*expr.Error](err); ok && failed.Code() == expr.CodeInternal {
		t.Fatalf("internal error: %v", err)
	}
	if err != nil {
		failure = err.Error()
	}
	return value, failure
}

// FuzzCompile compiles and evaluates any text: nothing panics, and the same gives the same.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		"source.spec.name", "references.a.data.k", "[1, {'a': 2}].map(x, x)", "source.?x.orValue('y')", "cel.bind(a, 1, a + a)", "'", "{", "a.`b`",
	} {
		f.Add(seed)
	}
	e := fuzzEnv(f)
	f.Fuzz(func(t *testing.T, src string) {
		program, list := e.Compile(expr.Whole("f", src), cel.DynType)
		if (program == nil) != list.HasErrors() {
			t.Fatalf("program %v with diagnostics %s", program, list)
		}
		if program == nil {
			return
		}
		b := expr.NewBinding(map[string]any{"spec": map[string]any{"name": "n"}}, []string{"a"})
		first, firstErr := result(t, program, b)
		again, againErr := result(t, program, b)
		if diff := cmp.Diff(first, again); diff != "" || firstErr != againErr {
			t.Errorf("%q then %q: two evaluations differ\n%s", firstErr, againErr, diff)
		}
	})
}

// FuzzEvaluate evaluates any text on any objects: nothing panics or changes them, and what is said to be read is all
// that counts.
func FuzzEvaluate(f *testing.F) {
	for _, seed := range []struct{ src, source, reference string }{
		{"source.status.conditions.exists(c, c.type == 'Ready' && c.status == 'True')", `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`, `{}`},
		{"source.metadata.?labels[?'a'].orValue(references.a.data.k)", `{"metadata":{"name":"n"}}`, `{"data":{"k":"dg=="}}`},
		{"b64dec(references.a.data.k).split(',').map(x, dns.label(x))", `{}`, `{"data":{"k":"YSxi"}}`},
		{"kubeconfig.server(references.a.data.k)", `{}`, `{"data":{"k":"Y2x1c3RlcnM6IFtd"}}`},
		{"{'a': source.a, 'b': [source.b, 1.5, null]}", `{"a":{"b":[1,2.5,null,true]}}`, `null`},
		{"source.a.transformMap(k, v, v + 1)", `{"a":{"x":1,"y":9223372036854775807}}`, `{}`},
	} {
		f.Add(seed.src, seed.source, seed.reference)
	}
	e := fuzzEnv(f)
	f.Fuzz(func(t *testing.T, src, sourceJSON, referenceJSON string) {
		source, ok := object(sourceJSON)
		program, _ := e.Compile(expr.Whole("f", src), cel.DynType)
		if program == nil || !ok {
			return
		}
		reference, found := object(referenceJSON)
		bind := func(project bool) *expr.Binding {
			from, to := source, reference
			if project {
				from, _ = program.Inputs().Source.Project(source).(map[string]any)
				to, _ = program.Inputs().Reference("a").Project(reference).(map[string]any)
			}
			b := expr.NewBinding(from, []string{"a"})
			if found {
				b.SetReference("a", to)
			}
			return b
		}
		whole, wholeErr := result(t, program, bind(false))
		part, partErr := result(t, program, bind(true))
		if diff := cmp.Diff(whole, part); diff != "" || wholeErr != partErr {
			t.Errorf("%q then %q: the projection gives something else\n%s", wholeErr, partErr, diff)
		}
		if again, _ := object(sourceJSON); !cmp.Equal(again, source) {
			t.Errorf("the source was changed\n%s", cmp.Diff(again, source))
		}
	})
}

func fuzzEnv(f *testing.F) *expr.Env {
	f.Helper()
	e, err := expr.NewEnv(expr.Scope{References: []expr.Reference{{Key: "a"}}})
	if err != nil {
		f.Fatal(err)
	}
	return e
}

// object decodes a JSON object as the API machinery does.
func object(text string) (map[string]any, bool) {
	var decoded map[string]any
	return decoded, json.Unmarshal([]byte(text), &decoded) == nil && decoded != nil
}

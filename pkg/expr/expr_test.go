package expr_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// schema is a small CRD: a string, an int-or-string, a free-form field and a list of objects.
func schema() *expr.Schema {
	yes := true
	text := apiextensionsv1.JSONSchemaProps{Type: "string"}
	return expr.SchemaOf(&apiextensionsv1.JSONSchemaProps{Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{
		"metadata": {Type: "object"},
		"spec": {Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{
			"name": text, "port": {XIntOrString: true}, "free": {Type: "object", XPreserveUnknownFields: &yes},
			"conditions": {Type: "array", Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &apiextensionsv1.JSONSchemaProps{
				Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{"type": text, "status": text},
			}}},
			"labels": {Type: "object", AdditionalProperties: &apiextensionsv1.JSONSchemaPropsOrBool{Schema: &text}},
			"note":   {Type: "string", Nullable: true},
		}},
	}}, nil)
}

func env(t *testing.T, source *expr.Schema) *expr.Env {
	t.Helper()
	e, err := expr.NewEnv(expr.Scope{Source: source, References: []expr.Reference{{Key: "a"}, {Key: "b"}}})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestDiagnostics(t *testing.T) {
	cases := map[string]struct {
		reason, src string
		want        *cel.Type
		diagnostic  string
	}{
		"Syntax": {
			reason: "a syntax error points at its place", src: "source.spec.name ==",
			diagnostic: "error: f:1:20: the expression ends too early",
		},
		"Field": {
			reason: "a typo in a field is found by the schema", src: "source.spec.nmae == 'x'",
			diagnostic: "error: f:1:13: undefined field 'nmae' [CEL-TYPE]\n  | source.spec.nmae == 'x'\n  |             ^",
		},
		"Metadata": {
			reason: "every object's metadata is known", src: "source.metadata.nam",
			diagnostic: "error: f:1:17: undefined field 'nam' [CEL-TYPE]",
		},
		"Overload": {
			reason: "operands that do not fit are found", src: "true &&\n  source.spec.name + 1 == 'x'",
			diagnostic: "error: f:2:20: found no matching overload for '_+_' applied to '(string, int)' [CEL-TYPE]\n  |   source.spec.name + 1 == 'x'\n  |                    ^",
		},
		"Reference": {
			reason: "an undeclared reference is found", src: "references.c.data.x == 'x'",
			diagnostic: "error: f:1:12: undefined field 'c' [CEL-TYPE]",
		},
		"Result": {
			reason: "a condition must be a bool", src: "source.spec.name", want: cel.BoolType,
			diagnostic: "error: f:1:1: the field needs bool, the expression is string [CEL-RESULT]",
		},
		"Depth": {
			reason: "deep nesting is refused", src: strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000),
			diagnostic: "recursion limit exceeded",
		},
		"Size": {
			reason: "a very long expression is refused", src: "'" + strings.Repeat("x", 70_000) + "'", diagnostic: "exceeds limit",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			want := tc.want
			if want == nil {
				want = cel.DynType
			}
			program, list := env(t, schema()).Compile(expr.Whole("f", tc.src), want)
			if program != nil {
				t.Fatalf("%s: it compiles", tc.reason)
			}
			if got := list.String(); !strings.Contains(got, tc.diagnostic) {
				t.Errorf("%s: got\n%s\nwant\n%s", tc.reason, got, tc.diagnostic)
			}
		})
	}
}

func TestEval(t *testing.T) {
	source := map[string]any{
		"metadata": map[string]any{"name": "n"},
		"spec": map[string]any{
			"name": "prod", "port": int64(6443), "labels": map[string]any{"a": "b"}, "note": nil,
			"conditions": []any{map[string]any{"type": "Ready", "status": "True"}},
		},
	}
	cases := map[string]struct {
		reason, src string
		want        any
		absent      bool
		// code and pending are of the error.
		code    diag.Code
		pending []string
	}{
		"Select":     {reason: "a plain selection", src: "source.spec.name", want: "prod"},
		"Int":        {reason: "numbers are int64", src: "source.spec.port", want: int64(6443)},
		"List":       {reason: "lists and maps are JSON", src: "[1, 'a', {'k': source.spec.name}]", want: []any{int64(1), "a", map[string]any{"k": "prod"}}},
		"Exists":     {reason: "the usual condition", src: "source.spec.conditions.exists(c, c.type == 'Ready' && c.status == 'True')", want: true},
		"Optional":   {reason: "an optional without a value is absent", src: "source.spec.?missing", absent: true},
		"OptionalIn": {reason: "an optional item is left out", src: "[1, source.spec.?missing]", want: []any{int64(1)}},
		"Null":       {reason: "a null is a null", src: "source.spec.note", want: nil},
		"Bytes":      {reason: "bytes are base64", src: "b'hi'", want: "aGk="},
		"NoKey":      {reason: "a missing field has a code", src: "source.spec.missing", code: expr.CodeNoSuchKey},
		"NoKeyCEL":   {reason: "the same inside CEL", src: "'x' + source.spec.missing", code: expr.CodeNoSuchKey},
		"Scalar":     {reason: "a field of a scalar is missing, as in CEL", src: "source.spec.name.x.y", code: expr.CodeNoSuchKey},
		"ListField":  {reason: "a list has no fields", src: "source.spec.conditions.type", code: expr.CodeWrongType},
		"Overflow":   {reason: "an overflow has a code", src: "source.spec.port + 9223372036854775807", code: expr.CodeArithmetic},
		"Present":    {reason: "a reference that is there", src: "references.a.data.k", want: "v"},
		"Pending":    {reason: "a missing reference is not known, and named", src: "references.b.data.k", pending: []string{"b"}},
		"PendingHas": {reason: "whether it has a field is not known either", src: "has(references.b.data)", pending: []string{"b"}},
		"Decided":    {reason: "what does not depend on it is known", src: "true || references.b.data.k == 'x'", want: true},
		"Whole":      {reason: "all references at once wait for all", src: "dyn(references)", pending: []string{"b"}},
		"Costly": {
			reason: "nested loops are stopped", code: expr.CodeTooExpensive,
			src: "lists.range(200).all(x, lists.range(200).all(y, lists.range(200).all(z, x + y + z >= 0)))",
		},
		"Doubling": {
			reason: "a string cannot double for ever", code: expr.CodeTooExpensive,
			src: "cel.bind(a, 'xxxxxxxxxxxxxxxx', cel.bind(b, " + doubled("a") + ", cel.bind(c, " + doubled("b") + ", cel.bind(d, " +
				doubled("c") + ", cel.bind(e, " + doubled("d") + ", " + doubled("e") + ".size())))))",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			// Untyped, so that what goes wrong does so when it is evaluated.
			program, list := env(t, nil).Compile(expr.Whole("f", tc.src), cel.DynType)
			if program == nil {
				t.Fatalf("%s:\n%s", tc.reason, list)
			}
			b := expr.NewBinding(source, []string{"a", "b"})
			b.SetReference("a", map[string]any{"data": map[string]any{"k": "v"}})
			got, present, err := program.JSON(context.Background(), b)
			if pending, ok := errors.AsType[*expr.PendingError](err); ok || tc.pending != nil {
				if !ok || !cmp.Equal(tc.pending, pending.References) {
					t.Fatalf("%s: got %v, want pending on %v", tc.reason, err, tc.pending)
				}
				return
			}
			if failed, ok := errors.AsType[*expr.Error](err); ok || tc.code != "" {
				if !ok || failed.Code() != tc.code {
					t.Fatalf("%s: got %v, want %s", tc.reason, err, tc.code)
				}
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || present == tc.absent {
				t.Errorf("%s: present %v (-want +got)\n%s", tc.reason, present, diff)
			}
		})
	}
}

func doubled(name string) string {
	return "(" + strings.Join(strings.Split(strings.Repeat(name, 32), ""), "+") + ")"
}

// TestErrorsHoldNoValues evaluates functions that quote their argument in their errors.
func TestErrorsHoldNoValues(t *testing.T) {
	const canary = "c4n4ry[\x01%zz"
	for _, src := range []string{
		"url(source.secret)", "ip(source.secret)", "cidr(source.secret)", "quantity(source.secret)", "semver(source.secret)",
		"'x'.matches(source.secret)", "int(source.secret)", "duration(source.secret)", "timestamp(source.secret)",
		"base64.decode(source.secret)", "source.map[source.secret]", "source.secret.find(source.secret)", "'%d'.format([source.secret])",
		"source.list[source.secret]", "{'a': 1}[source.secret]", "double(source.secret)", "source.secret.x", "bool(source.secret)",
	} {
		program, list := env(t, nil).Compile(expr.Whole("f", src), cel.DynType)
		if program == nil {
			t.Fatalf("%s: %s", src, list)
		}
		b := expr.NewBinding(map[string]any{"secret": canary, "map": map[string]any{}, "list": []any{}}, nil)
		_, _, err := program.JSON(context.Background(), b)
		if err == nil {
			t.Errorf("%s gives no error", src)
			continue
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			if strings.Contains(e.Error(), "c4n4ry") {
				t.Errorf("%s: the error shows the value: %v", src, e)
			}
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	program, list := env(t, schema()).Compile(expr.Whole("f", "source.spec.conditions.map(c, c.type + references.a.x)"), cel.DynType)
	if program == nil {
		t.Fatal(list)
	}
	source := map[string]any{"spec": map[string]any{"conditions": []any{map[string]any{"type": "Ready"}}}}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				b := expr.NewBinding(source, []string{"a", "b"})
				b.SetReference("a", map[string]any{"x": "!"})
				got, _, err := program.JSON(context.Background(), b)
				if diff := cmp.Diff([]any{"Ready!"}, got); err != nil || diff != "" {
					t.Errorf("%v (-want +got)\n%s", err, diff)
				}
			}
		})
	}
	wg.Wait()
}

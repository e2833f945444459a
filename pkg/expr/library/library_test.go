package library_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"
	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/pkg/expr/library"
)

// canary stands in every value of the tests that nothing may show.
const canary = "c4n4ryVALUE"

// testCase is one evaluation. An expression that fails has the text of its error in wantErr.
type testCase struct {
	reason  string
	expr    string
	vars    map[string]any
	want    any
	wantErr library.Error
}

func run(t *testing.T, cases map[string]testCase) {
	t.Helper()
	env := newEnv(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := evaluate(t, env, tc.expr, tc.vars)
			failure, _ := errors.AsType[library.Error](err)
			if failure != tc.wantErr || (err != nil) != (tc.wantErr != "") {
				t.Fatalf("%s\n%s: error %v, want %q", tc.reason, tc.expr, err, tc.wantErr)
			}
			if diff := cmp.Diff(tc.want, native(got)); diff != "" {
				t.Errorf("%s\n%s (-want +got):\n%s", tc.reason, tc.expr, diff)
			}
		})
	}
}

func newEnv(t testing.TB, more ...cel.EnvOption) *cel.Env {
	t.Helper()
	env, err := cel.NewEnv(slices.Concat(library.Options(), []cel.EnvOption{
		cel.Variable("source", cel.DynType),
		cel.Variable("references", cel.DynType),
		cel.OptionalTypes(),
		cel.CrossTypeNumericComparisons(true),
	}, more)...)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

func compile(t testing.TB, env *cel.Env, expr string) cel.Program {
	t.Helper()
	ast, issues := env.Compile(expr)
	if err := issues.Err(); err != nil {
		t.Fatalf("%s does not compile: %v", expr, err)
	}
	program, err := env.Program(ast)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

func evaluate(t testing.TB, env *cel.Env, expr string, vars map[string]any) (ref.Val, error) {
	t.Helper()
	in := map[string]any{"source": nil, "references": map[string]any{}}
	maps.Copy(in, vars)
	out, _, err := compile(t, env, expr).Eval(in)
	return out, err
}

// evalText evaluates a program that makes a text of the text source.
func evalText(program cel.Program, text string) (string, error) {
	out, _, err := program.Eval(source(text))
	if err != nil {
		return "", err
	}
	return string(out.(types.String)), nil
}

// native turns a value into Go types, so that a test sees whether a number is an int or a double.
func native(val ref.Val) any {
	switch v := val.(type) {
	case nil, *types.Err, types.Null:
		return nil
	case traits.Mapper:
		out := map[string]any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			out[key.Value().(string)] = native(v.Get(key))
		}
		return out
	case traits.Lister:
		out := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			out = append(out, native(it.Next()))
		}
		return out
	default:
		return v.Value()
	}
}

func b64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

func source(value any) map[string]any { return map[string]any{"source": value} }

func TestOptions(t *testing.T) {
	env := newEnv(t)
	if !env.HasLibrary(library.Name) {
		t.Errorf("the environment does not know the library %q", library.Name)
	}
	again, err := env.Extend(library.Options()...)
	if err != nil {
		t.Fatalf("declaring the functions a second time must change nothing: %v", err)
	}
	if _, err := evaluate(t, again, `dns.label("a")`, nil); err != nil {
		t.Error(err)
	}
}

// TestNamesArePinned holds the declarations: stored policies use them.
func TestNamesArePinned(t *testing.T) {
	base, err := cel.NewEnv()
	if err != nil {
		t.Fatal(err)
	}
	env, err := cel.NewEnv(library.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name, f := range env.Functions() {
		if _, standard := base.Functions()[name]; standard {
			continue
		}
		for _, o := range f.OverloadDecls() {
			got = append(got, fmt.Sprintf("%s: %s%v -> %v", o.ID(), name, o.ArgTypes(), o.ResultType()))
		}
	}
	slices.Sort(got)
	want := []string{
		"b64dec_string: b64dec[string] -> string",
		"b64enc_string: b64enc[string] -> string",
		"dns_label_string: dns.label[string] -> string",
		"dns_subdomain_string: dns.subdomain[string] -> string",
		"json_marshal_dyn: json.marshal[dyn] -> string",
		"json_unmarshal_string: json.unmarshal[string] -> dyn",
		"kubeconfig_fromtoken_string_string_string: kubeconfig.fromToken[string string string] -> string",
		"kubeconfig_server_string: kubeconfig.server[string] -> string",
		"kubeconfig_withserver_string_string: kubeconfig.withServer[string string] -> string",
		"string_b64dec: b64dec[string] -> string",
		"string_b64enc: b64enc[string] -> string",
		"yaml_marshal_dyn: yaml.marshal[dyn] -> string",
		"yaml_unmarshal_string: yaml.unmarshal[string] -> dyn",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
}

// calls is one call of each function, of a value that does not suit it.
var calls = map[string]string{
	"b64dec":                `b64dec(source)`,
	"b64dec member":         `source.b64dec()`,
	"b64enc":                `b64enc(source)`,
	"dns.label":             `dns.label(source)`,
	"dns.subdomain":         `dns.subdomain(source)`,
	"json.marshal":          `json.marshal(source)`,
	"json.unmarshal":        `json.unmarshal(source)`,
	"yaml.marshal":          `yaml.marshal(source)`,
	"yaml.unmarshal":        `yaml.unmarshal(source)`,
	"kubeconfig.server":     `kubeconfig.server(source)`,
	"kubeconfig.withServer": `kubeconfig.withServer(source, "https://a")`,
	"kubeconfig.url":        `kubeconfig.withServer("a:", source)`,
	"kubeconfig.fromServer": `kubeconfig.fromToken(source, "", "YQ==")`,
	"kubeconfig.fromCA":     `kubeconfig.fromToken("https://a", source, "YQ==")`,
	"kubeconfig.fromToken":  `kubeconfig.fromToken("https://a", "", source)`,
}

// hostile is values that functions refuse, each with the canary in it.
var hostile = map[string]any{
	"text":          canary,
	"line":          canary + "\n",
	"json":          `{"a": "` + canary + `"`,
	"number":        `{"` + canary + `": 1e999}`,
	"twice":         `{"` + canary + `": 1, "` + canary + `": 1}`,
	"yaml":          canary + ": {",
	"yaml tab":      canary + ":\n\t" + canary,
	"yaml tag":      "a: !!int " + canary,
	"yaml float":    "a: !!float " + canary,
	"yaml time":     "a: !!timestamp " + canary,
	"yaml binary":   "a: !!binary " + canary + "!",
	"alias":         "a: &a " + canary + "\nb: *" + canary,
	"merge":         "a: &a " + canary + "\nb: {<<: *a}",
	"directive":     "%" + canary + "\n---\na: b",
	"document":      canary + ": a\n--- " + canary,
	"bytes":         []byte(canary),
	"list":          []any{canary},
	"map":           map[string]any{canary: canary},
	"key":           map[int]any{1: canary},
	"url":           "https://" + canary + "%zz",
	"scheme":        canary + "://a",
	"binary":        base64.StdEncoding.EncodeToString([]byte(canary + "\xff")),
	"base64":        b64(canary + ": a"),
	"context":       "current-context: " + canary + "\nclusters: [{name: a}]",
	"context cut":   "current-context: " + canary + "\nclusters: [{name: a}]\ncontexts: [{name: " + canary + ", context: {cluster: " + canary + "}}]",
	"same cluster":  "current-context: a\nclusters: [{name: " + canary + "}, {name: " + canary + "}]\ncontexts: [{name: a, context: {cluster: " + canary + "}}]",
	"wrong server":  "clusters: [{name: " + canary + ", cluster: {server: [" + canary + "]}}]",
	"symbols":       strings.Repeat("日", 10),
	"control":       canary + ": \"\\x7f\"",
	"invalid utf-8": canary + "\xff",
	"struct":        []any{struct{ A string }{canary}},
}

// TestErrorsHoldNoValue gives each function what it refuses and looks for it in what it says.
func TestErrorsHoldNoValue(t *testing.T) {
	env := newEnv(t)
	refused := map[string]bool{}
	for function, expr := range calls {
		program := compile(t, env, expr)
		for name, value := range hostile {
			_, _, err := program.Eval(source(value))
			if err == nil {
				continue
			}
			refused[function] = true
			for _, form := range []string{canary, b64(canary)[:12], strings.ToLower(canary)} {
				if strings.Contains(err.Error(), form) {
					t.Errorf("%s of %s shows the value: %v", function, name, err)
				}
			}
		}
	}
	for function := range calls {
		if !refused[function] {
			t.Errorf("%s refuses none of the values: the test does not see its errors", function)
		}
	}
}

// TestConcurrentUse shares programs and values between goroutines; the race detector sees what is wrong.
func TestConcurrentUse(t *testing.T) {
	env := newEnv(t)
	doc := map[string]any{"text": twoClusters, "list": []any{int64(1), "a"}}
	program := compile(t, env, `[kubeconfig.withServer(source.text, "https://a"), dns.label(source.text),
		json.marshal(source), yaml.marshal(yaml.unmarshal(source.text)), source.text.b64enc().b64dec()]`)
	first, _, err := program.Eval(source(doc))
	if err != nil {
		t.Fatal(err)
	}
	want := native(first)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				got, _, err := program.Eval(source(doc))
				if err != nil || !reflect.DeepEqual(want, native(got)) {
					t.Errorf("an evaluation differs: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

// TestBoundedMemory gives each function texts that are as large and as full as they may be, or larger.
func TestBoundedMemory(t *testing.T) {
	const limit = 32 << 20
	texts := map[string]string{
		"one text":      "a: " + strings.Repeat("A", 500<<10),
		"words":         "a: " + strings.Repeat("A B ", 125<<10),
		"lines":         "a: |\n" + strings.Repeat("  AAAA AAAA\n", 40<<10),
		"list":          "[" + strings.Repeat("a,", 19_000) + "a]",
		"long list":     "[" + strings.Repeat("[],", 340<<10) + "[]]",
		"objects":       "[" + strings.Repeat("{},", 9_000) + "{}]",
		"numbers":       "[" + strings.Repeat("1,", 500<<10) + "1]",
		"deep":          strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000),
		"deeper":        strings.Repeat("[", 500<<10),
		"block":         strings.Repeat("- ", 9_000),
		"keys":          strings.Repeat("? ", 9_000),
		"aliases":       "a: &a [" + strings.Repeat("a,", 9_000) + "]\nb: [" + strings.Repeat("*a,", 9_000) + "]",
		"documents":     strings.Repeat("---\n", 100<<10),
		"marked words":  "--- &a * \na: " + strings.Repeat("A B ", 125<<10),
		"escapes":       `{"a": "` + strings.Repeat(`\u0001`, 170<<10) + `"}`,
		"megabytes":     strings.Repeat("a", 4<<20),
		"megabytes b64": b64("a: " + strings.Repeat("A", 4<<20)),
		"kubeconfig":    "clusters: [{name: a, cluster: {server: a}}]\nextra: " + strings.Repeat("A B ", 30<<10),
	}
	env := newEnv(t)
	for function, expr := range calls {
		if function == "b64enc" || function == "b64dec" || function == "b64dec member" {
			continue // these write about what they read
		}
		program := compile(t, env, expr)
		for name, text := range texts {
			if allocated := allocates(func() { _, _, _ = program.Eval(source(text)) }); allocated > limit {
				t.Errorf("%s of %s allocates %d KiB", function, name, allocated>>10)
			}
		}
	}
}

func allocates(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

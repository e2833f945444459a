package policy_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

func spec(change func(*v1alpha1.ClusterImportPolicySpec)) *v1alpha1.ClusterImportPolicySpec {
	s := &v1alpha1.ClusterImportPolicySpec{
		Source: v1alpha1.SourceType{Resource: "clusters"},
		References: []v1alpha1.ReferenceResourceTemplate{
			{Key: "config", Resource: "configmaps", NameTemplate: "${source.metadata.name}"},
			{Key: "secret", Resource: "secrets", NamespaceTemplate: "ns", NameTemplate: "${references.config.data.secret}"},
		},
		NameTemplate:      "${source.metadata.name}",
		Template:          "metadata: {labels: {from: '${source.metadata.name}'}}\nspec:\n  kubeconfig: ${references.secret.data.value}\n  syncResources: []\n",
		CreationCondition: "True",
	}
	if change != nil {
		change(s)
	}
	return s
}

func TestCompileDiagnostics(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*v1alpha1.ClusterImportPolicySpec)
		want   []string
	}{
		"Complete": {
			reason: "every field's mistake is reported, not the first only",
			change: func(s *v1alpha1.ClusterImportPolicySpec) {
				s.Source.SelectorTemplate, s.NameTemplate, s.CreationCondition = "1 +", "${", "'text'"
			},
			want: []string{"spec.source.selectorTemplate:1:", "spec.nameTemplate:1:1: the ${ has no }", "spec.creationCondition:1:1: the field needs bool"},
		},
		"LaterReference": {
			reason: "a reference may use the ones before it only",
			change: func(s *v1alpha1.ClusterImportPolicySpec) {
				s.References[0].NameTemplate = "${references.secret.data.x}"
			},
			want: []string{"spec.references[0].nameTemplate:1:14: undefined field 'secret'"},
		},
		"NameSeesSource": {
			reason: "the name sees no references", change: func(s *v1alpha1.ClusterImportPolicySpec) { s.NameTemplate = "${references.config.x}" },
			want: []string{"spec.nameTemplate:1:14: undefined field 'config'"},
		},
		"DuplicateKey": {
			reason: "a key stands once", change: func(s *v1alpha1.ClusterImportPolicySpec) { s.References[1].Key = "config" },
			want: []string{`spec.references[1].key: the key "config" stands twice`},
		},
		"UnknownField": {
			reason: "a field that a PediaCluster does not have is found",
			change: func(s *v1alpha1.ClusterImportPolicySpec) { s.Template = "spec: {kubconfig: x, syncResources: []}" },
			want:   []string{`spec.template:1:8: unknown field "kubconfig"`},
		},
		"GoTemplate": {
			reason: "a Go template's mistake is reported the same way",
			change: func(s *v1alpha1.ClusterImportPolicySpec) { s.CreationCondition = "{{ if }}true{{ end }}" },
			want:   []string{"spec.creationCondition:1:1: missing value for if [CT-PARSE]"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			compiled, list := policy.Compile(spec(tc.change), policy.Types{})
			if compiled != nil {
				t.Fatalf("%s: it compiles", tc.reason)
			}
			for _, want := range tc.want {
				if !strings.Contains(list.String(), want) {
					t.Errorf("%s: got\n%s\nwant %q", tc.reason, list, want)
				}
			}
		})
	}
}

// TestClusterIsBounded renders a field of the source many times, which costs nothing, into one PediaCluster.
func TestClusterIsBounded(t *testing.T) {
	repeated := "metadata:\n  annotations:\n" + strings.Repeat("    a: ${source.metadata.name}\n", 400) + "spec: {syncResources: []}\n"
	for i := range 400 {
		repeated = strings.Replace(repeated, " a: ", fmt.Sprintf(" a%d: ", i), 1)
	}
	compiled, list := policy.Compile(spec(func(s *v1alpha1.ClusterImportPolicySpec) { s.Template = repeated }), policy.Types{})
	if compiled == nil {
		t.Fatal(list)
	}
	for size, fits := range map[int]bool{2_000: true, 10_000: false} {
		source := map[string]any{"metadata": map[string]any{"name": strings.Repeat("x", size)}}
		_, err := compiled.Render(t.Context(), compiled.Bind(source), "one")
		if invalid, ok := errors.AsType[*policy.InvalidError](err); ok == fits || ok && !strings.Contains(invalid.Message, "too large") {
			t.Errorf("%d bytes 400 times: %v", size, err)
		}
	}
}

func TestReferencesInTurn(t *testing.T) {
	ctx := context.Background()
	compiled, list := policy.Compile(spec(nil), policy.Types{})
	if compiled == nil {
		t.Fatal(list)
	}
	b := compiled.Bind(map[string]any{"metadata": map[string]any{"name": "one"}})
	first, err := compiled.Reference(ctx, 0, b)
	if diff := cmp.Diff(policy.ReferenceName{Key: "config", Name: "one"}, first); err != nil || diff != "" {
		t.Fatalf("%v (-want +got)\n%s", err, diff)
	}
	if _, err := compiled.Reference(ctx, 1, b); !isPending(err, "config") {
		t.Errorf("the second reference needs the first: %v", err)
	}
	b.SetReference("config", map[string]any{"data": map[string]any{"secret": "s"}})
	second, err := compiled.Reference(ctx, 1, b)
	if diff := cmp.Diff(policy.ReferenceName{Key: "secret", Namespace: "ns", Name: "s"}, second); err != nil || diff != "" {
		t.Fatalf("%v (-want +got)\n%s", err, diff)
	}
	if _, err := compiled.Render(ctx, b, "one"); !isPending(err, "secret") {
		t.Errorf("the template needs the second: %v", err)
	}
	b.SetReference("secret", map[string]any{"data": map[string]any{"value": "aGk="}})
	rendered, err := compiled.Render(ctx, b, "one")
	if err != nil {
		t.Fatal(err)
	}
	if got := rendered.Cluster; got.Name != "one" || got.Labels["from"] != "one" || string(got.Spec.Kubeconfig) != "hi" || rendered.Blank != nil {
		t.Errorf("got %+v", rendered)
	}
}

func TestInputs(t *testing.T) {
	compiled, list := policy.Compile(spec(func(s *v1alpha1.ClusterImportPolicySpec) {
		s.Source.SelectorTemplate = "has(source.spec.paused)"
		s.CreationCondition = `{{ if eq .source.status.phase "Ready" }}true{{ end }}`
	}), policy.Types{})
	if compiled == nil {
		t.Fatal(list)
	}
	got := map[string][]string{"source": compiled.Inputs().Source.Paths()}
	for _, key := range []string{"config", "secret"} {
		got[key] = compiled.Inputs().Reference(key).Paths()
	}
	want := map[string][]string{
		"source": {"metadata.name", "spec.paused", "status.phase"}, "config": {"data.secret"}, "secret": {"data.value"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("every field's expressions count, in both languages (-want +got)\n%s", diff)
	}
}

func isPending(err error, key string) bool {
	pending, ok := errors.AsType[*expr.PendingError](err)
	return ok && cmp.Equal([]string{key}, pending.References)
}

func TestNames(t *testing.T) {
	cases := map[string]struct{ reason, name, want, err string }{
		"Valid":   {reason: "a name is trimmed", name: " a-b.c\n", want: "a-b.c"},
		"Empty":   {reason: "an empty name is refused", name: " \n", err: "the rendered name is empty"},
		"Invalid": {reason: "a name is a DNS subdomain", name: "A_b", err: `the rendered name "A_b" is not valid`},
		"Long":    {reason: "a long name is refused and shortened in the message", name: strings.Repeat("a", 300), err: "…"},
	}
	compiled, list := policy.Compile(spec(nil), policy.Types{})
	if compiled == nil {
		t.Fatal(list)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := compiled.Name(context.Background(), compiled.Bind(map[string]any{"metadata": map[string]any{"name": tc.name}}))
			if got != tc.want || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: got %q, %v", tc.reason, got, err)
			}
		})
	}
}

// TestClusterpediaPolicies compiles the policies that Clusterpedia ships, where a copy of them is at hand.
func TestClusterpediaPolicies(t *testing.T) {
	folder := os.Getenv("CLUSTERPEDIA_POLICIES")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared", "upstream-policies")
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Skipf("no policies of Clusterpedia in %s; CLUSTERPEDIA_POLICIES names another folder", folder)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var p v1alpha1.ClusterImportPolicy
			if err := yaml.UnmarshalStrict(data, &p); err != nil {
				t.Fatal(err)
			}
			if compiled, list := policy.Compile(&p.Spec, policy.Types{}); compiled == nil {
				t.Error(list)
			}
		})
	}
}

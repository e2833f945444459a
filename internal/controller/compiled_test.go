package controller

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// TestSchemasComeLater shows what a schema that finds a mistake does to a policy.
func TestSchemasComeLater(t *testing.T) {
	text := &expr.Schema{Kind: expr.String}
	without := policy.Types{Source: &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{
		"metadata": {Kind: expr.Object, Fields: map[string]*expr.Schema{"name": text}},
	}}}
	spec := v1alpha1.ClusterImportPolicySpec{
		Source: v1alpha1.SourceType{Resource: "clusters"}, NameTemplate: "${source.metadata.name}",
		Template: "spec: {syncResources: []}", CreationCondition: "source.spec.ready",
	}
	atWork := v1alpha1.ClusterImportPolicyStatus{
		Source:     &v1alpha1.ResolvedResource{Resource: "clusters", Version: "v1"},
		Conditions: []metav1.Condition{{Type: v1alpha1.ConditionValidated, Status: metav1.ConditionTrue, ObservedGeneration: 1}},
	}
	cases := map[string]struct {
		reason string
		status v1alpha1.ClusterImportPolicyStatus
		// first is what was known when the policy came, if that was something else than types.
		first    *policy.Types
		types    policy.Types
		compiles bool
		severity diag.Severity
	}{
		"Unknown": {reason: "without a schema nothing is refused", compiles: true},
		"New":     {reason: "a new policy with a mistake is refused", types: without, severity: diag.Error},
		"AtWork": {
			reason: "one that was at work stays so: somebody else changed the schema",
			status: atWork, types: without, compiles: true, severity: diag.Warning,
		},
		"LateKind": {
			reason: "one that was accepted because its kind was not known yet is refused", severity: diag.Error,
			status: atWork, first: &policy.Types{Untyped: diag.List{{Severity: diag.Info}}}, types: without,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := &v1alpha1.ClusterImportPolicy{ObjectMeta: metav1.ObjectMeta{Name: "p", Generation: 1}, Spec: spec, Status: tc.status}
			compiled := newCompiledPolicies(policy.Compile, unobserved{})
			if tc.first != nil {
				compiled.compile(p, *tc.first)
			}
			got, list := compiled.compile(p, tc.types)
			if (got != nil) != tc.compiles {
				t.Fatalf("%s: compiled %v\n%s", tc.reason, got != nil, list)
			}
			var severity diag.Severity
			for _, d := range list {
				severity = d.Severity
			}
			if severity != tc.severity {
				t.Errorf("%s: severity %q\n%s", tc.reason, severity, list)
			}
			if tc.first != nil {
				return
			}
			if again, _ := compiled.compile(p, tc.types); again != got {
				t.Errorf("%s: the same policy is compiled twice", tc.reason)
			}
		})
	}
}

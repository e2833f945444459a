package policy_test

import (
	"testing"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

func TestDialectOf(t *testing.T) {
	cases := map[string]struct {
		reason string
		spec   v1alpha1.ClusterImportPolicySpec
		want   policy.Dialect
	}{
		"CEL":      {"all is CEL", v1alpha1.ClusterImportPolicySpec{NameTemplate: "${source.metadata.name}", CreationCondition: "source.ready"}, policy.DialectCEL},
		"Template": {"all is Go templates", v1alpha1.ClusterImportPolicySpec{NameTemplate: "{{ .source.metadata.name }}", CreationCondition: "{{ .source.ready }}"}, policy.DialectTemplate},
		"Word":     {"a plain word is of either language", v1alpha1.ClusterImportPolicySpec{NameTemplate: "{{ .source.metadata.name }}", CreationCondition: " True "}, policy.DialectTemplate},
		"Text":     {"so is a text without expressions", v1alpha1.ClusterImportPolicySpec{NameTemplate: "fixed", CreationCondition: "{{ .source.ready }}"}, policy.DialectTemplate},
		"Hybrid":   {"one field is enough", v1alpha1.ClusterImportPolicySpec{NameTemplate: "{{ .source.metadata.name }}", CreationCondition: "source.ready"}, policy.DialectHybrid},
		"Reference": {"references count", v1alpha1.ClusterImportPolicySpec{
			NameTemplate: "${source.metadata.name}", References: []v1alpha1.ReferenceResourceTemplate{{NameTemplate: "{{ .source.metadata.name }}"}},
		}, policy.DialectHybrid},
		"Nothing": {"without expressions there is nothing to translate", v1alpha1.ClusterImportPolicySpec{}, policy.DialectCEL},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := policy.DialectOf(&tc.spec); got != tc.want {
				t.Errorf("%s: got %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

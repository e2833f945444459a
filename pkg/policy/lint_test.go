package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

func TestLint(t *testing.T) {
	secrets := v1alpha1.SourceType{Resource: "secrets"}
	selected := secrets
	selected.SelectorTemplate = `source.metadata.name.startsWith("vc-")`
	always := secrets
	always.SelectorTemplate = " True "
	const everything = `warning: spec.source: every object of secrets in the cluster is a source [POLICY-EVERY-SOURCE]
  hint: select some with selectorTemplate, such as source.metadata.?labels[?"app"] == optional.of("vcluster")`
	cases := map[string]struct {
		reason string
		spec   v1alpha1.ClusterImportPolicySpec
		want   string
	}{
		"Secrets":  {"a policy without a selector takes every Secret for a cluster", v1alpha1.ClusterImportPolicySpec{Source: secrets}, everything},
		"Always":   {"a selector that selects all is none", v1alpha1.ClusterImportPolicySpec{Source: always}, everything},
		"Selected": {"a selector is an answer", v1alpha1.ClusterImportPolicySpec{Source: selected}, ""},
		"Clusters": {"all objects of a kind of clusters are clusters", v1alpha1.ClusterImportPolicySpec{Source: v1alpha1.SourceType{Group: "x.io", Resource: "clusters"}}, ""},
		"Insecure": {
			"whoever lets API servers go unverified should know",
			v1alpha1.ClusterImportPolicySpec{Source: selected, AllowInsecure: true},
			"warning: spec.allowInsecure: clusters without a CA are imported, and their API servers are not verified [POLICY-INSECURE]",
		},
		"Namespace": {
			"a Secret is in a namespace; another kind may be in none",
			v1alpha1.ClusterImportPolicySpec{Source: selected, References: []v1alpha1.ReferenceResourceTemplate{
				{Resource: "secrets", NamespaceTemplate: "a"}, {Resource: "secrets", NamespaceTemplate: " "}, {Group: "x.io", Resource: "credentials"},
			}},
			"warning: spec.references[1].namespaceTemplate: secrets are in namespaces, and none is given: the object will not be found [POLICY-NAMESPACE]\n" +
				"  hint: write ${source.metadata.namespace}",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, policy.Lint(&tc.spec).String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

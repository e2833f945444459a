package policy

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/diag"
)

// Codes of warnings about what is valid and may not be meant.
const (
	// CodeEverySource is a source kind that holds far more than clusters, without a selector.
	CodeEverySource diag.Code = "POLICY-EVERY-SOURCE"
	// CodeInsecure is a policy that lets API servers go unverified.
	CodeInsecure diag.Code = "POLICY-INSECURE"
	// CodeNamespace is a reference to a namespaced object without its namespace.
	CodeNamespace diag.Code = "POLICY-NAMESPACE"
)

// credentials are the kinds of the core group that hold them. They are namespaced, and few of them describe a cluster.
var credentials = []schema.GroupResource{{Resource: "secrets"}, {Resource: "configmaps"}}

// Lint warns of what is valid and is seldom meant. It looks at the spec alone; whether it compiles is Compile's to say.
func Lint(spec *v1alpha1.ClusterImportPolicySpec) diag.List {
	var list diag.List
	warn := func(code diag.Code, field, message, hint string) {
		list = append(list, diag.Diagnostic{Severity: diag.Warning, Code: code, Field: field, Message: message, Hint: hint})
	}
	source := schema.GroupResource{Group: spec.Source.Group, Resource: spec.Source.Resource}
	selector := strings.TrimSpace(spec.Source.SelectorTemplate)
	if slices.Contains(credentials, source) && (selector == "" || strings.EqualFold(selector, "true")) {
		warn(CodeEverySource, "spec.source", fmt.Sprintf("every object of %s in the cluster is a source", source),
			`select some with selectorTemplate, such as source.metadata.?labels[?"app"] == optional.of("vcluster")`)
	}
	if spec.AllowInsecure {
		warn(CodeInsecure, "spec.allowInsecure", "clusters without a CA are imported, and their API servers are not verified", "")
	}
	for i, r := range spec.References {
		kind := schema.GroupResource{Group: r.Group, Resource: r.Resource}
		if slices.Contains(credentials, kind) && strings.TrimSpace(r.NamespaceTemplate) == "" {
			warn(CodeNamespace, fmt.Sprintf("spec.references[%d].namespaceTemplate", i),
				fmt.Sprintf("%s are in namespaces, and none is given: the object will not be found", kind),
				"write ${source.metadata.namespace}")
		}
	}
	return list
}

package policy

import (
	"strings"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/compat"
)

// Dialect is what a spec is written in.
type Dialect string

// The dialects.
const (
	DialectCEL      Dialect = "cel"
	DialectTemplate Dialect = "template"
	// DialectHybrid has fields of both languages.
	DialectHybrid Dialect = "hybrid"
)

// DialectOf returns what a spec is written in. Fields without an expression are of either language; a spec without any
// is CEL.
func DialectOf(spec *v1alpha1.ClusterImportPolicySpec) Dialect {
	texts := []string{spec.NameTemplate, spec.Template}
	for _, r := range spec.References {
		texts = append(texts, r.NamespaceTemplate, r.NameTemplate)
	}
	conditions := []string{spec.Source.SelectorTemplate, spec.CreationCondition, spec.DeletionCondition}
	var cel, template bool
	for _, src := range texts {
		template = template || compat.IsTemplate(src)
		cel = cel || !compat.IsTemplate(src) && strings.Contains(src, "${")
	}
	for _, src := range conditions {
		_, isConstant := constantOf(src)
		template = template || compat.IsTemplate(src)
		cel = cel || !compat.IsTemplate(src) && !isConstant && strings.TrimSpace(src) != ""
	}
	switch {
	case cel && template:
		return DialectHybrid
	case template:
		return DialectTemplate
	default:
		return DialectCEL
	}
}

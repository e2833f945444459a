package policy

import (
	"fmt"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// FieldConversion is what becomes of one expression field when a policy is converted to CEL.
type FieldConversion struct {
	// Field is the field's path, such as "spec.references[0].nameTemplate"; Text is its text before.
	Field, Text string
	// Converted is the field in CEL; nil leaves the field as it is.
	Converted *compat.Conversion
	// Stays says why a Go template is left as it is. It is empty for fields that are none.
	Stays diag.List
}

// Convert converts the Go templates of a spec to the CEL that a person would have written, field by field in the order
// of evaluation. The spec must compile. Fields without a text are left out.
func Convert(spec *v1alpha1.ClusterImportPolicySpec, types Types) ([]FieldConversion, diag.List) {
	c := newCompiler(spec, types)
	v := &conversion{compiler: c}
	v.add(0, "spec.source.selectorTemplate", spec.Source.SelectorTemplate, compat.ConvertCondition)
	v.add(0, "spec.nameTemplate", spec.NameTemplate, compat.ConvertText)
	for i, r := range spec.References {
		field := fmt.Sprintf("spec.references[%d]", i)
		v.add(i, field+".namespaceTemplate", r.NamespaceTemplate, compat.ConvertText)
		v.add(i, field+".nameTemplate", r.NameTemplate, compat.ConvertText)
	}
	all := len(spec.References)
	v.add(all, "spec.template", spec.Template, convertDocument)
	v.add(all, "spec.creationCondition", spec.CreationCondition, compat.ConvertCondition)
	v.add(all, "spec.deletionCondition", spec.DeletionCondition, compat.ConvertCondition)
	if c.list.HasErrors() {
		return nil, c.list
	}
	return v.fields, nil
}

type conversion struct {
	*compiler

	fields []FieldConversion
}

// add converts a field that may use the first n references.
func (v *conversion) add(
	n int, field, text string, convert func(env *expr.Env, field, src string) (*compat.Conversion, diag.List),
) {
	if text == "" {
		return
	}
	out := FieldConversion{Field: field, Text: text}
	if env := v.env(n); env != nil && compat.IsTemplate(text) {
		out.Converted, out.Stays = convert(env, field, text)
	}
	v.fields = append(v.fields, out)
}

func convertDocument(env *expr.Env, field, src string) (*compat.Conversion, diag.List) {
	schema, err := clusterSchema()
	if err != nil {
		return nil, diag.List{{Severity: diag.Error, Code: expr.CodeInternal, Field: field, Message: err.Error()}}
	}
	return compat.ConvertDocument(env, field, src, schema)
}

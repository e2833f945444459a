package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	schemacel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/crds"
	"github.com/clusterimport/clusterimport/pkg/diag"
)

// Codes of diagnostics that an API server would give by the CustomResourceDefinition.
const (
	// codeSchema is a value that the schema of policies does not allow, or one that is missing.
	codeSchema diag.Code = "LINT-SCHEMA"
	// codeUnknownField is a field that policies do not have.
	codeUnknownField diag.Code = "LINT-UNKNOWN-FIELD"
	// codeVersion is a version of the API that this release does not have.
	codeVersion diag.Code = "LINT-VERSION"
)

// rules are what the CustomResourceDefinition of policies demands of them.
type rules struct {
	structural *structural.Structural
	schema     validation.SchemaValidator
	cel        *schemacel.Validator
}

// policyRules are the rules of the built-in definition.
var policyRules = sync.OnceValues(func() (*rules, error) {
	definition, err := crds.Builtin(v1alpha1.ClusterImportPolicyResource.GroupResource().String())
	if err != nil {
		return nil, err
	}
	var internal apiextensions.JSONSchemaProps
	schema := definition.Spec.Versions[0].Schema.OpenAPIV3Schema
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(schema, &internal, nil); err != nil {
		return nil, fmt.Errorf("cannot convert the schema of policies: %w", err)
	}
	r := &rules{}
	if r.structural, err = structural.NewStructural(&internal); err != nil {
		return nil, fmt.Errorf("cannot use the schema of policies: %w", err)
	}
	if r.schema, _, err = validation.NewSchemaValidator(&internal); err != nil {
		return nil, fmt.Errorf("cannot use the schema of policies: %w", err)
	}
	r.cel = schemacel.NewValidator(r.structural, true, celconfig.PerCallLimit)
	return r, nil
})

// check says what an API server would refuse of a policy before any webhook is asked.
func (r *rules) check(ctx context.Context, object map[string]any) diag.List {
	if version := object["apiVersion"]; version != v1alpha1.GroupVersion.String() {
		return diag.List{{
			Severity: diag.Error, Code: codeVersion, Field: "apiVersion",
			Message: fmt.Sprintf("there is no version %v", version), Hint: "write " + v1alpha1.GroupVersion.String(),
		}}
	}
	var list diag.List
	pruned := runtime.DeepCopyJSON(numbers(object))
	unknown := pruning.PruneWithOptions(pruned, r.structural, true, structural.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	for _, path := range unknown {
		list = append(list, diag.Diagnostic{Severity: diag.Error, Code: codeUnknownField, Field: path, Message: "policies have no such field"})
	}
	errs := validation.ValidateCustomResource(nil, pruned, r.schema)
	if len(errs) == 0 && r.cel != nil {
		errs, _ = r.cel.Validate(ctx, nil, r.structural, pruned, nil, math.MaxInt64)
	}
	for _, err := range errs {
		list = append(list, diag.Diagnostic{Severity: diag.Error, Code: codeSchema, Field: err.Field, Message: detail(err)})
	}
	return list
}

// detail is what is wrong with a field, without its value.
func detail(err *field.Error) string {
	if err.Detail == "" {
		return err.Type.String()
	}
	return err.Type.String() + ": " + err.Detail
}

// numbers is an object in which whole numbers are int64, as the API machinery has them.
func numbers(object map[string]any) map[string]any {
	text, err := json.Marshal(object)
	if err != nil {
		return object // it was JSON before
	}
	var out map[string]any
	if err := utiljson.Unmarshal(text, &out); err != nil {
		return object
	}
	return out
}

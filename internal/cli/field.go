package cli

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// The fields that eval knows.
const (
	fieldName       = "nameTemplate"
	fieldNamespace  = "namespaceTemplate"
	fieldRefName    = "refNameTemplate"
	fieldSelector   = "selectorTemplate"
	fieldCondition  = "creationCondition"
	fieldTemplate   = "template"
	fieldExpression = ""
)

var fieldNames = []string{fieldName, fieldNamespace, fieldRefName, fieldSelector, fieldCondition, fieldTemplate}

// evalData are the objects that an expression sees.
type evalData struct {
	Source     map[string]any            `json:"source"`
	References map[string]map[string]any `json:"references"`
}

// The results of evaluating a field.
const (
	statusOK       = "ok"
	statusRejected = "rejected"
	statusError    = "error"
)

// evalResult is the outcome of one field; of Text, Truth, PediaCluster and Value one is set when it is ok.
type evalResult struct {
	Name         string            `json:"name"`
	Status       string            `json:"status"`
	Engine       string            `json:"engine"`
	Text         *string           `json:"text,omitempty"`
	Truth        *bool             `json:"truth,omitempty"`
	PediaCluster map[string]any    `json:"pediaCluster,omitempty"`
	Value        any               `json:"value,omitempty"`
	Diagnostics  []diag.Diagnostic `json:"diagnostics"`

	list diag.List
}

// evaluate compiles and evaluates one field.
func evaluate(ctx context.Context, field, text string, data evalData) *evalResult {
	r := &evalResult{Engine: engineOf(field, text), Diagnostics: []diag.Diagnostic{}}
	keys := declaredKeys(field, text, data)
	scope := expr.Scope{}
	for _, key := range keys {
		scope.References = append(scope.References, expr.Reference{Key: key})
	}
	env, err := expr.NewEnv(scope)
	if err != nil {
		return r.reject(diag.List{{Severity: diag.Error, Code: expr.CodeInternal, Message: err.Error()}})
	}
	binding := expr.NewBinding(data.Source, keys)
	for _, key := range keys {
		if object := data.References[key]; object != nil {
			binding.SetReference(key, object)
		}
	}
	return r.compileAndRun(ctx, env, field, text, binding)
}

func (r *evalResult) compileAndRun(ctx context.Context, env *expr.Env, field, text string, b *expr.Binding) *evalResult {
	switch field {
	case fieldName, fieldNamespace, fieldRefName:
		compiled, list := policy.CompileText(env, field, text)
		if compiled == nil {
			return r.reject(list)
		}
		value, err := compiled.Text(ctx, b)
		r.Text = &value
		return r.finish(list, err)
	case fieldSelector, fieldCondition:
		compiled, list := policy.CompileCondition(env, field, text)
		if compiled == nil {
			return r.reject(list)
		}
		value, err := compiled.Bool(ctx, b)
		r.Truth = &value
		return r.finish(list, err)
	case fieldTemplate:
		return r.template(ctx, env, text, b)
	default:
		return r.expression(ctx, env, text, b)
	}
}

func (r *evalResult) template(ctx context.Context, env *expr.Env, text string, b *expr.Binding) *evalResult {
	compiled, list := policy.CompileDocument(env, fieldTemplate, text)
	if compiled == nil {
		return r.reject(list)
	}
	object, err := compiled.Render(ctx, b)
	if err == nil {
		r.PediaCluster, err = policy.ClusterJSON(object)
	}
	return r.finish(list, err)
}

// expression evaluates CEL of any type, or a Go template as text.
func (r *evalResult) expression(ctx context.Context, env *expr.Env, text string, b *expr.Binding) *evalResult {
	if compat.IsTemplate(text) {
		return r.compileAndRun(ctx, env, fieldRefName, text, b)
	}
	compiled, list := env.Compile(expr.Whole("expression", text), cel.DynType)
	if compiled == nil {
		return r.reject(list)
	}
	value, _, err := compiled.JSON(ctx, b)
	r.Value = value
	return r.finish(list, err)
}

func (r *evalResult) reject(list diag.List) *evalResult {
	r.Status, r.list = statusRejected, list
	r.Diagnostics = append(r.Diagnostics, list...)
	return r
}

func (r *evalResult) finish(list diag.List, err error) *evalResult {
	r.Status, r.list = statusOK, list
	if err != nil {
		r.Status, r.Text, r.Truth, r.PediaCluster, r.Value = statusError, nil, nil, nil, nil
		r.list = append(r.list, diagnosticOf(err))
	}
	r.Diagnostics = append(r.Diagnostics, r.list...)
	return r
}

// Codes of diagnostics that only eval gives.
const (
	codePending diag.Code = "EVAL-PENDING"
	codeInvalid diag.Code = "EVAL-INVALID"
	codeInput   diag.Code = "EVAL-INPUT"
	codeTimeout diag.Code = "EVAL-TIMEOUT"
)

func diagnosticOf(err error) diag.Diagnostic {
	if failed, ok := errors.AsType[*expr.Error](err); ok {
		return failed.Diagnostic()
	}
	code := codeInvalid
	if _, ok := errors.AsType[*expr.PendingError](err); ok {
		code = codePending
	}
	return diag.Diagnostic{Severity: diag.Error, Code: code, Message: err.Error()}
}

// engineOf says what evaluates a text.
func engineOf(field, text string) string {
	word := strings.ToLower(strings.TrimSpace(text))
	switch {
	case compat.IsTemplate(text):
		return "translated"
	case field == fieldExpression:
		return "cel"
	case field == fieldSelector || field == fieldCondition:
		if word == "true" || word == "false" {
			return "literal"
		}
		return "cel"
	case strings.Contains(strings.ReplaceAll(text, "$${", ""), "${"):
		return "cel"
	default:
		return "literal"
	}
}

var mentionedReference = regexp.MustCompile(`\breferences(?:\s+"([^"]+)"|\s*\.\s*\??([A-Za-z_][A-Za-z0-9_]*)|\.` + "`([^`]+)`)")

// declaredKeys are the references that an expression may use. Names and selectors see the source only. The
// keys of the data are the declared references; data without any declares those that the text mentions, which
// are then missing.
func declaredKeys(field, text string, data evalData) []string {
	if field == fieldName || field == fieldSelector {
		return nil
	}
	var keys []string
	if len(data.References) > 0 {
		for key := range data.References {
			keys = append(keys, key)
		}
	} else {
		for _, m := range mentionedReference.FindAllStringSubmatch(text, -1) {
			keys = append(keys, m[1]+m[2]+m[3])
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func checkField(field string) error {
	if slices.Contains(fieldNames, field) {
		return nil
	}
	return fmt.Errorf("unknown field %q; the fields are %s", field, strings.Join(fieldNames, ", "))
}

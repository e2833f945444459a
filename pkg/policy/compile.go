package policy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/cel"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/render"
)

// Codes of diagnostics about a spec as a whole.
const (
	// CodeReferenceKey is a reference key that stands twice.
	CodeReferenceKey diag.Code = "POLICY-REFERENCE-KEY"
	// CodeName is a name that no object can have.
	CodeName diag.Code = "POLICY-NAME"
	// CodeUntyped is a kind whose fields are not known, so that mistakes in them are found when they are read.
	CodeUntyped diag.Code = "POLICY-UNTYPED"
)

// condition, text and document are what the two languages compile to.
type (
	condition interface {
		Bool(ctx context.Context, b *expr.Binding) (bool, error)
	}
	text interface {
		Text(ctx context.Context, b *expr.Binding) (string, error)
	}
	document interface {
		Render(ctx context.Context, b *expr.Binding) (map[string]any, error)
	}
)

// Policy is a compiled spec. It is immutable and safe for concurrent use.
type Policy struct {
	keys       []string
	selector   condition
	name       text
	references []reference
	ready      condition
	obsolete   condition // nil is never
	template   document
	inputs     *expr.Inputs
	warnings   diag.List
	observer   Observer
}

// reference gives the name of one referenced object; namespace is nil for cluster-scoped objects.
type reference struct {
	key             string
	namespace, name text
}

// Warnings are the diagnostics of the compiled policy that do not refuse it.
func (p *Policy) Warnings() diag.List { return p.warnings }

// Inputs are the parts of the source and of the references that the policy's expressions read; they must only be read.
// An update of an object that changes none of them changes no result.
func (p *Policy) Inputs() *expr.Inputs { return p.inputs }

// Compile compiles every expression of spec. The policy is nil when the list has errors; the list is complete.
func Compile(spec *v1alpha1.ClusterImportPolicySpec, types Types) (*Policy, diag.List) {
	c := newCompiler(spec, types)
	if c.list.HasErrors() {
		return nil, c.list
	}
	p := &Policy{keys: c.keys, inputs: &c.inputs}
	names := c.env(0)
	if selector := spec.Source.SelectorTemplate; strings.TrimSpace(selector) != "" {
		p.selector = c.condition(names, "spec.source.selectorTemplate", selector)
	}
	p.name = c.text(names, "spec.nameTemplate", spec.NameTemplate)
	for i, r := range spec.References {
		p.references = append(p.references, c.reference(i, r))
	}
	all := c.env(len(spec.References))
	p.template = c.document(all, "spec.template", spec.Template)
	p.ready = c.condition(all, "spec.creationCondition", spec.CreationCondition)
	if deletion := spec.DeletionCondition; strings.TrimSpace(deletion) != "" {
		p.obsolete = c.condition(all, "spec.deletionCondition", deletion)
	}
	if c.list.HasErrors() {
		return nil, c.list
	}
	p.warnings = c.list
	return p, c.list
}

// compiler collects the diagnostics of one spec.
type compiler struct {
	scope  expr.Scope
	keys   []string
	inputs expr.Inputs
	list   diag.List
}

func newCompiler(spec *v1alpha1.ClusterImportPolicySpec, types Types) *compiler {
	source := types.Source
	if source == nil {
		source = wellKnown(spec.Source.Group, spec.Source.Resource)
	}
	c := &compiler{scope: expr.Scope{Source: source}, list: slices.Clone(types.Untyped)}
	for i, r := range spec.References {
		if slices.Contains(c.keys, r.Key) {
			c.report(CodeReferenceKey, fmt.Sprintf("spec.references[%d].key", i), fmt.Sprintf("the key %q stands twice", r.Key))
		}
		c.keys = append(c.keys, r.Key)
		schema := types.References[r.Key]
		if schema == nil {
			schema = wellKnown(r.Group, r.Resource)
		}
		c.scope.References = append(c.scope.References, expr.Reference{Key: r.Key, Schema: schema})
	}
	return c
}

func (c *compiler) report(code diag.Code, field, message string) {
	c.list = append(c.list, diag.Diagnostic{Severity: diag.Error, Code: code, Field: field, Message: message})
}

// env is the environment of expressions that may use the first n references.
func (c *compiler) env(n int) *expr.Env {
	env, err := expr.NewEnv(expr.Scope{Source: c.scope.Source, References: c.scope.References[:n]})
	if err != nil {
		c.report(expr.CodeInternal, "spec", err.Error())
		return nil
	}
	return env.Recording(&c.inputs)
}

func (c *compiler) reference(i int, r v1alpha1.ReferenceResourceTemplate) reference {
	field := fmt.Sprintf("spec.references[%d]", i)
	env := c.env(i)
	out := reference{key: r.Key, name: c.text(env, field+".nameTemplate", r.NameTemplate)}
	if r.NamespaceTemplate != "" {
		out.namespace = c.text(env, field+".namespaceTemplate", r.NamespaceTemplate)
	}
	return out
}

func (c *compiler) condition(env *expr.Env, field, src string) condition {
	if env == nil {
		return nil
	}
	cond, list := CompileCondition(env, field, src)
	c.list = append(c.list, list...)
	return cond
}

func (c *compiler) text(env *expr.Env, field, src string) text {
	if env == nil {
		return nil
	}
	if strings.TrimSpace(src) == "" {
		c.report(CodeName, field, "the name is empty")
		return nil
	}
	t, list := CompileText(env, field, src)
	c.list = append(c.list, list...)
	return t
}

func (c *compiler) document(env *expr.Env, field, src string) document {
	if env == nil {
		return nil
	}
	doc, list := CompileDocument(env, field, src)
	c.list = append(c.list, list...)
	return doc
}

// Condition is a compiled condition; see expr.Program.Bool.
type Condition = condition

// CompileCondition compiles a selector or creation condition in either language.
func CompileCondition(env *expr.Env, field, src string) (Condition, diag.List) {
	if compat.IsTemplate(src) {
		return programOrNil(compat.Condition(env, field, src))
	}
	if word, ok := constantOf(src); ok {
		return word, nil
	}
	return programOrNil(env.Compile(expr.Whole(field, src), cel.BoolType))
}

// constant is a condition that is a plain word.
type constant bool

func constantOf(src string) (word constant, ok bool) {
	text := strings.TrimSpace(src)
	word = constant(strings.EqualFold(text, "true"))
	return word, bool(word) || strings.EqualFold(text, "false")
}

// Bool implements Condition.
func (c constant) Bool(context.Context, *expr.Binding) (bool, error) { return bool(c), nil }

// programOrNil keeps a nil program from becoming a condition that is not nil.
func programOrNil(p *expr.Program, list diag.List) (Condition, diag.List) {
	if p == nil {
		return nil, list
	}
	return p, list
}

// Text is a compiled name or namespace; see render.Text.Text.
type Text = text

// CompileText compiles a name or namespace in either language.
func CompileText(env *expr.Env, field, src string) (Text, diag.List) {
	if compat.IsTemplate(src) {
		p, list := compat.Text(env, field, src)
		if p == nil {
			return nil, list
		}
		return p, list
	}
	t, list := render.ParseText(env, field, src)
	if t == nil {
		return nil, list
	}
	return t, list
}

// Document is a compiled template; see render.Document.Render.
type Document = document

// CompileDocument compiles the template of a PediaCluster in either language.
func CompileDocument(env *expr.Env, field, src string) (Document, diag.List) {
	schema, err := clusterSchema()
	if err != nil {
		return nil, diag.List{{Severity: diag.Error, Code: expr.CodeInternal, Field: field, Message: err.Error()}}
	}
	if compat.IsTemplate(src) {
		d, list := compat.Document(env, field, src, schema)
		if d == nil {
			return nil, list
		}
		return d, list
	}
	d, list := render.ParseDocument(env, field, src, schema)
	if d == nil {
		return nil, list
	}
	return d, list
}

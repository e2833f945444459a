package policy

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// Stage is the step of an import that an expression serves.
type Stage string

// The stages, in the order in which they happen.
const (
	StageSelect    Stage = "select"
	StageName      Stage = "name"
	StageReference Stage = "reference"
	StageObsolete  Stage = "obsolete"
	StageReady     Stage = "ready"
	StageRender    Stage = "render"
)

// InvalidError says that an expression gave a value that cannot be used. It holds names that were rendered
// from the source's metadata at most, and no value of a referenced object.
type InvalidError struct {
	Stage   Stage
	Message string
}

// Error implements error.
func (e *InvalidError) Error() string { return e.Message }

// Bind makes the variables for one source object, with all references missing. The object is only read.
func (p *Policy) Bind(source map[string]any) *expr.Binding { return expr.NewBinding(source, p.keys) }

// Select reports whether the policy keeps the source.
func (p *Policy) Select(ctx context.Context, b *expr.Binding) (bool, error) {
	if p.selector == nil {
		return true, nil
	}
	e := p.begin(StageSelect, b)
	keep, err := p.selector.Bool(ctx, b)
	e.end(truth(keep), err)
	return keep, err
}

// Name returns the name of the lifecycle and of the PediaCluster. The error is an *InvalidError when the text
// is no name.
func (p *Policy) Name(ctx context.Context, b *expr.Binding) (string, error) {
	e := p.begin(StageName, b)
	name, err := p.lifecycleName(ctx, b)
	e.end(ResultSuccess, err)
	return name, err
}

func (p *Policy) lifecycleName(ctx context.Context, b *expr.Binding) (string, error) {
	text, err := p.name.Text(ctx, b)
	if err != nil {
		return "", err
	}
	name := strings.TrimSpace(text)
	if name == "" {
		return "", &InvalidError{StageName, "the rendered name is empty"}
	}
	if !isSubdomain(name) {
		fault := validation.IsDNS1123Subdomain(name)[0]
		return "", &InvalidError{StageName, fmt.Sprintf("the rendered name %q is not valid: %s", shorten(name), fault)}
	}
	return name, nil
}

// isSubdomain reports what validation.IsDNS1123Subdomain does, without its regular expression, which costs more than
// rendering the name.
func isSubdomain(name string) bool {
	label := true // at the begin of a label
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
			label = false
		case label || i+1 == len(name):
			return false
		case c == '-':
		case c == '.':
			if name[i-1] == '-' {
				return false
			}
			label = true
		default:
			return false
		}
	}
	return name != "" && !label && len(name) <= validation.DNS1123SubdomainMaxLength
}

// shorten keeps messages readable: a rendered name may have any length.
func shorten(name string) string {
	const most = 80
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return name
}

// ReferenceCount is how many references the policy has.
func (p *Policy) ReferenceCount() int { return len(p.references) }

// ReferenceName is where one referenced object is.
type ReferenceName struct {
	Key             string
	Namespace, Name string
}

// Reference returns the name of reference i. It may need the objects of the references before it: then the
// error is an *expr.PendingError.
func (p *Policy) Reference(ctx context.Context, i int, b *expr.Binding) (ReferenceName, error) {
	e := p.begin(StageReference, b)
	name, err := p.references[i].locate(ctx, b)
	e.end(ResultSuccess, err)
	return name, err
}

// locate renders and checks the name.
func (r reference) locate(ctx context.Context, b *expr.Binding) (ReferenceName, error) {
	out := ReferenceName{Key: r.key}
	name, err := r.name.Text(ctx, b)
	if err != nil {
		return out, err
	}
	if out.Name = strings.TrimSpace(name); out.Name == "" {
		return out, &InvalidError{StageReference, fmt.Sprintf("the name of reference %q is empty", r.key)}
	}
	if !isSubdomain(out.Name) {
		fault := validation.IsDNS1123Subdomain(out.Name)[0]
		return out, &InvalidError{StageReference, fmt.Sprintf("the name of reference %q is not valid: %s", r.key, fault)}
	}
	if r.namespace == nil {
		return out, nil
	}
	namespace, err := r.namespace.Text(ctx, b)
	if err != nil {
		return out, err
	}
	if out.Namespace = strings.TrimSpace(namespace); out.Namespace == "" {
		return out, nil
	}
	if faults := validation.IsDNS1123Label(out.Namespace); len(faults) > 0 {
		return out, &InvalidError{StageReference, fmt.Sprintf("the namespace of reference %q is not valid: %s", r.key, faults[0])}
	}
	return out, nil
}

// Ready reports whether the PediaCluster may be created.
func (p *Policy) Ready(ctx context.Context, b *expr.Binding) (bool, error) {
	e := p.begin(StageReady, b)
	ready, err := p.ready.Bool(ctx, b)
	e.end(truth(ready), err)
	return ready, err
}

// Obsolete reports whether the PediaCluster has to go, and may not be created, though its source is there.
func (p *Policy) Obsolete(ctx context.Context, b *expr.Binding) (bool, error) {
	if p.obsolete == nil {
		return false, nil
	}
	e := p.begin(StageObsolete, b)
	obsolete, err := p.obsolete.Bool(ctx, b)
	e.end(truth(obsolete), err)
	return obsolete, err
}

// Render returns the PediaCluster of that name. The error is an *InvalidError when the document is none.
func (p *Policy) Render(ctx context.Context, b *expr.Binding, name string) (*Rendered, error) {
	e := p.begin(StageRender, b)
	rendered, err := p.rendered(ctx, b, name)
	e.end(ResultSuccess, err)
	return rendered, err
}

func (p *Policy) rendered(ctx context.Context, b *expr.Binding, name string) (*Rendered, error) {
	object, err := p.template.Render(ctx, b)
	if err != nil {
		return nil, err
	}
	return decode(object, name)
}

package crds

import (
	"context"
	"fmt"
	"strings"
	"time"

	client "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/typed/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/clusterimport/clusterimport/api/crd"
)

// checkEvery is how often the cluster's definitions are compared with the built-in ones. They are changed by hand or by
// an installer, and what they lack is no emergency.
const checkEvery = time.Minute

// Watch compares the cluster's definitions with the built-in ones until the context ends. tell is told of each, every
// time: mismatch is a sentence, or empty when the definition has all that this release can use.
func Watch(ctx context.Context, c client.CustomResourceDefinitionInterface, tell func(name, mismatch string)) error {
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		for _, name := range crd.Names {
			if mismatch, err := compare(ctx, c, name); err == nil {
				tell(name, mismatch)
			}
		}
	}, checkEvery)
	return nil
}

// compare says what a definition lacks. The error is that it cannot be told now.
func compare(ctx context.Context, c client.CustomResourceDefinitionInterface, name string) (mismatch string, err error) {
	builtin, err := Builtin(name)
	if err != nil {
		return "", err
	}
	live, err := c.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "the CustomResourceDefinition " + name + " does not exist", nil
	}
	if err != nil {
		return "", err
	}
	plan, err := NewPlan(live, builtin)
	if err != nil {
		return "", err
	}
	return plan.mismatch(name), nil
}

// mismatch is what a plan has to say of a definition that is not brought up to date. Values, rules and limits that it
// lacks are no mismatch: the controller checks them itself.
func (p *Plan) mismatch(name string) string {
	const shown = 5
	switch missing := p.Missing; {
	case p.Incompatible != "":
		return fmt.Sprintf("the CustomResourceDefinition %s cannot serve this release: %s", name, p.Incompatible)
	case len(missing) > shown:
		return fmt.Sprintf("the CustomResourceDefinition %s lacks %s and %d more: the API server drops these fields",
			name, strings.Join(missing[:shown], ", "), len(missing)-shown)
	case len(missing) > 0:
		return fmt.Sprintf("the CustomResourceDefinition %s lacks %s: the API server drops these fields", name, strings.Join(missing, ", "))
	default:
		return ""
	}
}

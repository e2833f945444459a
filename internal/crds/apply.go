package crds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	client "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/typed/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/api/crd"
)

// Outcome is what Apply did with a definition.
type Outcome string

// The outcomes.
const (
	// Created: the cluster had none.
	Created Outcome = "created"
	// Configured: what the cluster's lacked was added.
	Configured Outcome = "configured"
	// Unchanged: the cluster's has all that the built-in one has.
	Unchanged Outcome = "unchanged"
	// Refused: the cluster's cannot serve this release, and was left as it is.
	Refused Outcome = "refused"
)

// Result is the outcome for one definition. Plan is nil when it was created.
type Result struct {
	Name    string
	Outcome Outcome
	Plan    *Plan
}

// Builtin returns the built-in definition of that name.
func Builtin(name string) (*apiextensionsv1.CustomResourceDefinition, error) {
	document, err := crd.YAML(name)
	if err != nil {
		return nil, err
	}
	definition := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(document, definition); err != nil {
		return nil, fmt.Errorf("cannot read the built-in CustomResourceDefinition %s: %w", name, err)
	}
	return definition, nil
}

// Apply brings a definition into the cluster and waits, unless it is a dry run, until its kind is served. The context
// bounds the wait.
func Apply(ctx context.Context, c client.CustomResourceDefinitionInterface, builtin *apiextensionsv1.CustomResourceDefinition, dryRun bool) (Result, error) {
	var result Result
	err := retry.RetryOnConflict(retry.DefaultBackoff, func() (err error) {
		result, err = applyOnce(ctx, c, builtin, dryRun)
		return err
	})
	if err != nil {
		return result, fmt.Errorf("cannot apply the CustomResourceDefinition %s: %w", builtin.Name, err)
	}
	if dryRun || result.Outcome == Refused {
		return result, nil
	}
	return result, awaitEstablished(ctx, c, builtin.Name)
}

// applyOnce reads the definition and writes what it should be. The error is a conflict when it has changed in between.
func applyOnce(ctx context.Context, c client.CustomResourceDefinitionInterface, builtin *apiextensionsv1.CustomResourceDefinition, dryRun bool) (Result, error) {
	result := Result{Name: builtin.Name, Outcome: Created}
	live, err := c.Get(ctx, builtin.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		value, err := digest(builtin.Spec.Versions)
		if err != nil {
			return result, err
		}
		// Not by force: if somebody else has just created it, that is a conflict.
		return result, write(ctx, c, builtin, metav1.ObjectMeta{Annotations: map[string]string{digestAnnotation: value}}, false, dryRun)
	}
	if err != nil {
		return result, err
	}
	if result.Plan, err = NewPlan(live, builtin); err != nil {
		return result, err
	}
	switch {
	case result.Plan.Incompatible != "":
		result.Outcome = Refused
		return result, nil
	case !result.Plan.Changed:
		result.Outcome = Unchanged
		return result, nil
	}
	result.Outcome = Configured
	meta := metav1.ObjectMeta{ResourceVersion: live.ResourceVersion}
	if result.Plan.adopt {
		value, err := digest(result.Plan.Versions)
		if err != nil {
			return result, err
		}
		meta.Annotations = map[string]string{digestAnnotation: value}
	}
	desired := live.DeepCopy()
	desired.Spec.Versions = result.Plan.Versions
	return result, write(ctx, c, desired, meta, true, dryRun)
}

// write applies the parts of a definition that Apply decides on; its labels, its conversion and the like are others'.
func write(
	ctx context.Context, c client.CustomResourceDefinitionInterface, desired *apiextensionsv1.CustomResourceDefinition,
	meta metav1.ObjectMeta, force, dryRun bool,
) error {
	metadata := map[string]any{"name": desired.Name}
	if meta.ResourceVersion != "" {
		metadata["resourceVersion"] = meta.ResourceVersion
	}
	if meta.Annotations != nil {
		metadata["annotations"] = meta.Annotations
	}
	document, err := json.Marshal(map[string]any{
		"apiVersion": apiextensionsv1.SchemeGroupVersion.String(), "kind": "CustomResourceDefinition", "metadata": metadata,
		"spec": map[string]any{
			"group": desired.Spec.Group, "names": desired.Spec.Names, "scope": desired.Spec.Scope, "versions": desired.Spec.Versions,
		},
	})
	if err != nil {
		return err
	}
	options := metav1.PatchOptions{FieldManager: FieldManager, Force: &force, FieldValidation: metav1.FieldValidationStrict}
	if dryRun {
		options.DryRun = []string{metav1.DryRunAll}
	}
	_, err = c.Patch(ctx, desired.Name, types.ApplyPatchType, document, options)
	return err
}

// awaitEstablished waits until the kind of a definition is served.
func awaitEstablished(ctx context.Context, c client.CustomResourceDefinitionInterface, name string) error {
	state := "there is no answer"
	err := wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		live, err := c.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		state = "it is not established yet"
		for _, condition := range live.Status.Conditions {
			switch {
			case condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionTrue:
				return true, nil
			case condition.Type == apiextensionsv1.NamesAccepted && condition.Status == apiextensionsv1.ConditionFalse:
				state = condition.Message
			}
		}
		return false, nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the CustomResourceDefinition %s is not served: %s", name, state)
	}
	if err != nil {
		return fmt.Errorf("cannot wait for the CustomResourceDefinition %s: %w", name, err)
	}
	return nil
}

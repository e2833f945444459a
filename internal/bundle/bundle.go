// Package bundle brings the policies of a release into a cluster, and takes them away again.
//
// A policy that goes takes the clusters that it imported with it. So policies belong to no release manager, which
// deletes what it owns: the package changes and deletes those that carry its labels, and only when it is told to. A
// policy that somebody else made stays as it is.
package bundle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// FieldManager is who the API server says wrote what Apply writes.
const FieldManager = "clusterimport-bundle"

// labelInstance has the name of the release, as Helm's charts write it.
const labelInstance = "app.kubernetes.io/instance"

// Outcome is what was done with a policy.
type Outcome string

// The outcomes.
const (
	// Applied: it is as the release has it.
	Applied Outcome = "applied"
	// Foreign: somebody else made it, and it was left as it is.
	Foreign Outcome = "foreign"
	// Kept: the release does not have it any more, and it was left as it is.
	Kept Outcome = "kept"
	// Deleted: it is gone, or going.
	Deleted Outcome = "deleted"
)

// Result is the outcome for one policy.
type Result struct {
	Name    string
	Outcome Outcome
}

// Bundle is the policies of one release in one cluster.
type Bundle struct {
	// Client reads and writes ClusterImportPolicies.
	Client dynamic.ResourceInterface
	// Release is the name of the release.
	Release string
}

// ApplyOptions say how far Apply may go.
type ApplyOptions struct {
	// Adopt takes over policies that somebody else made.
	Adopt bool
	// Prune deletes the release's policies that are not given any more.
	Prune bool
	// DryRun lets the API server check everything and changes nothing.
	DryRun bool
}

func (o ApplyOptions) dryRun() []string {
	if o.DryRun {
		return []string{metav1.DryRunAll}
	}
	return nil
}

// Apply makes the cluster have these policies, by server-side apply. The results are in the order of the policies,
// then those that are not given any more by name.
func (b *Bundle) Apply(ctx context.Context, policies []*unstructured.Unstructured, o ApplyOptions) ([]Result, error) {
	var results []Result
	for _, p := range policies {
		outcome, err := b.applyOne(ctx, p, o)
		if err != nil {
			return results, fmt.Errorf("cannot apply the policy %q: %w", p.GetName(), err)
		}
		results = append(results, Result{p.GetName(), outcome})
	}
	have, err := b.list(ctx)
	if err != nil {
		return results, err
	}
	for _, name := range have {
		if slices.ContainsFunc(policies, func(p *unstructured.Unstructured) bool { return p.GetName() == name }) {
			continue
		}
		outcome := Kept
		if o.Prune {
			outcome = Deleted
			if err := b.remove(ctx, name, metav1.DeleteOptions{DryRun: o.dryRun()}); err != nil {
				return results, err
			}
		}
		results = append(results, Result{name, outcome})
	}
	return results, nil
}

func (b *Bundle) applyOne(ctx context.Context, p *unstructured.Unstructured, o ApplyOptions) (Outcome, error) {
	live, err := b.Client.Get(ctx, p.GetName(), metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return "", err
	}
	if err == nil && !b.owns(live) && !o.Adopt {
		return Foreign, nil
	}
	desired := p.DeepCopy()
	marked := desired.GetLabels()
	if marked == nil {
		marked = map[string]string{}
	}
	marked[v1alpha1.LabelBundled], marked[labelInstance] = "true", b.Release
	desired.SetLabels(marked)
	_, err = b.Client.Apply(ctx, desired.GetName(), desired, metav1.ApplyOptions{
		FieldManager: FieldManager, Force: true, DryRun: o.dryRun(),
	})
	return Applied, err
}

// owns reports whether the release made a policy.
func (b *Bundle) owns(p *unstructured.Unstructured) bool {
	return b.selector().Matches(labels.Set(p.GetLabels()))
}

func (b *Bundle) selector() labels.Selector {
	return labels.SelectorFromSet(labels.Set{v1alpha1.LabelBundled: "true", labelInstance: b.Release})
}

// list returns the names of the release's policies, in order.
func (b *Bundle) list(ctx context.Context) ([]string, error) {
	list, err := b.Client.List(ctx, metav1.ListOptions{LabelSelector: b.selector().String()})
	if err != nil {
		return nil, fmt.Errorf("cannot list policies: %w", err)
	}
	names := make([]string, len(list.Items))
	for i := range list.Items {
		names[i] = list.Items[i].GetName()
	}
	slices.Sort(names)
	return names, nil
}

func (b *Bundle) remove(ctx context.Context, name string, o metav1.DeleteOptions) error {
	if err := b.Client.Delete(ctx, name, o); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("cannot delete the policy %q: %w", name, err)
	}
	return nil
}

// goneEvery is how often Delete looks whether policies are gone.
const goneEvery = 200 * time.Millisecond

// Delete deletes the release's policies, and waits until they and the lifecycles that they own are gone. The context
// bounds the wait.
func (b *Bundle) Delete(ctx context.Context) ([]Result, error) {
	names, err := b.list(ctx)
	if apierrors.IsNotFound(err) { // there is not even their kind
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	// In the foreground: a policy is gone only after its lifecycles are.
	foreground := metav1.DeletePropagationForeground
	results := make([]Result, len(names))
	for i, name := range names {
		if err := b.remove(ctx, name, metav1.DeleteOptions{PropagationPolicy: &foreground}); err != nil {
			return nil, err
		}
		results[i] = Result{name, Deleted}
	}
	var left []string
	err = wait.PollUntilContextCancel(ctx, goneEvery, true, func(ctx context.Context) (bool, error) {
		left, err = b.list(ctx)
		return len(left) == 0, err
	})
	if err != nil {
		return results, fmt.Errorf("the policies %s are not gone: %w", strings.Join(left, ", "), err)
	}
	return results, nil
}

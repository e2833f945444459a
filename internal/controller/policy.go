package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// unavailableRetry is how often a kind that is not served is looked for: kinds of aggregated API servers come
// without an event.
const unavailableRetry = 5 * time.Second

// untypedRetry is how often the schema of a kind is asked for that is served without one.
const untypedRetry = time.Minute

// reconcilePolicy compiles a policy, watches its kinds, publishes it and writes its status.
func (r *Reconcilers) reconcilePolicy(ctx context.Context, name string) (time.Duration, error) {
	p := r.Caches.policy(name)
	// A policy of the same name that came later is another: what the first has made goes with it.
	if before := r.registry.get(name); p == nil || p.DeletionTimestamp != nil || before != nil && before.Policy.UID != p.UID {
		r.retire(name)
	}
	if p == nil {
		return 0, nil
	}
	state := lifecycle.PolicyState{Now: r.Now(), Policy: p}
	var again time.Duration
	if p.DeletionTimestamp == nil {
		var err error
		if again, err = r.activate(ctx, &state); err != nil {
			return 0, err
		}
		if r.tally.look(p) {
			r.enqueueFleet(name)
			r.enqueueLifecycles(p.UID) // also when nothing of the policy is at work
		}
	}
	r.gatherOutcomes(&state)
	plan := lifecycle.PlanPolicy(state)
	return soonest(again, plan.Again), r.act(ctx, p, plan)
}

// gatherOutcomes adds what became of a policy's sources.
func (r *Reconcilers) gatherOutcomes(state *lifecycle.PolicyState) {
	name := state.Policy.Name
	state.Counts, state.Failures = r.tally.outcomes(name)
	state.Deletions = r.deletions(name, state.Policy.UID)
	state.Due, state.Present = r.tally.dueFor(name), r.present
	if active := r.registry.get(name); active != nil {
		state.Settled = r.tally.settled(name, gvrOf(active.Source))
	}
}

// soonest is the shorter of two delays; 0 is none.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// retire takes a policy off. What it imported is left to the garbage collector.
func (r *Reconcilers) retire(name string) {
	before := r.registry.get(name)
	r.registry.publish(name, nil, nil)
	r.Watches.Set(name, nil)
	r.compiled.forget(name)
	r.tally.forget(name)
	r.claims.forget(name)
	r.Observer.Forgotten(name)
	if before != nil {
		r.pruned.set(before.Policy.UID, nil)
		r.enqueueLifecycles(before.Policy.UID)
	}
}

func (r *Reconcilers) enqueueLifecycles(policy types.UID) {
	for _, l := range r.Caches.lifecyclesOf(policy) {
		r.Queues.Lifecycles.Add(l.Name)
	}
}

// activate puts a policy to work as far as it can be. A policy that does not compile leaves the one that did
// at work, so that what it imported is still followed.
func (r *Reconcilers) activate(ctx context.Context, state *lifecycle.PolicyState) (time.Duration, error) {
	p := state.Policy
	active, err := r.negotiate(ctx, p)
	if missing, ok := errors.AsType[*unavailableError](err); ok {
		// Without its kinds a policy can be checked as far as its own text goes.
		_, state.Diagnostics = r.compiled.compile(p, policy.Types{})
		state.Unavailable = &lifecycle.Unavailable{Reason: missing.reason, Message: missing.message}
		r.Kinds.Invalidate()
		return unavailableRetry, nil
	}
	if err != nil {
		return 0, err
	}
	known := policy.TypesOf(ctx, r.Schemas, resourcesOf(active))
	again := r.Schemas.Settles()
	if again == 0 && len(known.Untyped) > 0 {
		again = untypedRetry
	}
	if active.Compiled, state.Diagnostics = r.compiled.compile(p, known); active.Compiled == nil {
		return again, nil
	}
	r.publish(active)
	state.Source = &active.Source
	for _, gvr := range kindsOf(active) {
		state.Watches = append(state.Watches, r.watchState(gvr))
	}
	return again, nil
}

// publish puts a compiled policy to work, and plans its fleet when it is another policy than before. Other schemas
// find other mistakes; they change no result.
func (r *Reconcilers) publish(active *lifecycle.ActivePolicy) {
	p, reads := active.Policy, active.Reads()
	before := r.registry.get(p.Name)
	// The caches keep what the policy reads before anything is evaluated.
	r.Watches.Set(p.Name, reads)
	r.registry.publish(p.Name, active, reads)
	if before == nil || before.Policy.UID != p.UID || before.Policy.Generation != p.Generation || before.Source != active.Source ||
		!slices.Equal(before.References, active.References) {
		r.enqueueFleet(p.Name)
	}
}

// unavailableError says which kind is not served.
type unavailableError struct{ reason, message string }

func (e *unavailableError) Error() string { return e.message }

// negotiate chooses the versions of the policy's kinds. A choice stays while it is served and the spec is the
// same: a new version may mean something else to the expressions.
func (r *Reconcilers) negotiate(ctx context.Context, p *v1alpha1.ClusterImportPolicy) (*lifecycle.ActivePolicy, error) {
	var current *v1alpha1.ResolvedResource
	if p.Status.ObservedGeneration == p.Generation {
		current = p.Status.Source
	}
	active := &lifecycle.ActivePolicy{Policy: p}
	var err error
	active.Source, err = r.Kinds.Negotiate(ctx, p.Spec.Source.Group, p.Spec.Source.Resource, p.Spec.Source.Versions, current)
	if err != nil {
		return nil, unavailable(err, v1alpha1.ReasonFailedNegotiateSource)
	}
	before := r.registry.byUID(p.Name, p.UID)
	for i, ref := range p.Spec.References {
		if before != nil && i < len(before.References) {
			b := before.References[i]
			current = &v1alpha1.ResolvedResource{Group: b.Group, Version: b.Version, Resource: b.Resource}
		} else {
			current = nil
		}
		chosen, err := r.Kinds.Negotiate(ctx, ref.Group, ref.Resource, ref.Versions, current)
		if err != nil {
			return nil, unavailable(fmt.Errorf("reference %q: %w", ref.Key, err), v1alpha1.ReasonFailedNegotiateReference)
		}
		active.References = append(active.References, v1alpha1.ReferenceResource{
			Key: ref.Key, Group: ref.Group, Version: chosen.Version, Resource: ref.Resource,
			NamespaceTemplate: ref.NamespaceTemplate, NameTemplate: ref.NameTemplate,
		})
	}
	return active, nil
}

// unavailable tells a kind that is not served from a question that was not answered.
func unavailable(err error, reason string) error {
	if _, ok := errors.AsType[*kube.NotServedError](err); ok {
		return &unavailableError{reason, err.Error()}
	}
	return err
}

// resourcesOf are the resources of a policy in the versions that were chosen.
func resourcesOf(active *lifecycle.ActivePolicy) policy.Resources {
	out := policy.Resources{Source: gvrOf(active.Source)}
	for _, r := range active.References {
		gvr := schema.GroupVersionResource{Group: r.Group, Version: r.Version, Resource: r.Resource}
		out.References = append(out.References, policy.ReferenceResource{Key: r.Key, GroupVersionResource: gvr})
	}
	return out
}

// kindsOf are the same, each once.
func kindsOf(active *lifecycle.ActivePolicy) []schema.GroupVersionResource {
	resources := resourcesOf(active)
	kinds := []schema.GroupVersionResource{resources.Source}
	for _, r := range resources.References {
		if !slices.Contains(kinds, r.GroupVersionResource) {
			kinds = append(kinds, r.GroupVersionResource)
		}
	}
	return kinds
}

// watchState says how the watch of a kind does, and what to grant when it may not be watched.
func (r *Reconcilers) watchState(gvr schema.GroupVersionResource) lifecycle.Watch {
	w := lifecycle.Watch{Resource: v1alpha1.ResolvedResource{Group: gvr.Group, Version: gvr.Version, Resource: gvr.Resource}}
	var err error
	w.Synced, err = r.Watches.Status(gvr)
	switch {
	case err == nil:
	case apierrors.IsForbidden(err):
		w.Reason = v1alpha1.ReasonForbidden
		w.Message = kube.Forbidden(gvr.GroupResource())
	case apierrors.IsResourceExpired(err), apierrors.IsGone(err):
		// the watch starts again from a list
	default:
		w.Reason = v1alpha1.ReasonWatchFailed
		w.Message = fmt.Sprintf("cannot watch %s: %s", gvr.GroupResource(), kube.Explain(err))
	}
	return w
}

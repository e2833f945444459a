package controller

import (
	"context"
	"errors"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

// reconcileLifecycle decides about the PediaCluster of one lifecycle.
func (r *Reconcilers) reconcileLifecycle(ctx context.Context, name string) (time.Duration, error) {
	seen := r.lifecycleEvents.take(name)
	l := r.Caches.lifecycle(name)
	if l == nil {
		r.references.set(name, nil)
		r.countDue(name, "", nil)
		return 0, nil
	}
	state := r.gatherLifecycle(l)
	// The source is watched before it is read: a change in between is then an event.
	r.references.set(name, append([]v1alpha1.DependentResource{l.Spec.Source}, l.Status.References...))
	plan := lifecycle.PlanCluster(ctx, state)
	r.references.set(name, plan.Watch)
	if plan.Removes() {
		if err := r.confirmLifecycle(ctx, &state, plan.Watch); err != nil {
			r.lifecycleEvents.see(name, seen)
			return 0, err
		}
		plan = lifecycle.PlanCluster(ctx, state)
	}
	policy := ""
	if owner := metav1.GetControllerOf(l); owner != nil {
		policy = owner.Name
	}
	r.countDue(name, policy, plan.Due)
	r.tally.freeze(state.Owner)
	err := r.actOnCluster(ctx, state, plan.Plan)
	switch {
	case wrote(plan.Plan, err) && !seen.IsZero():
		r.Observer.Imported(r.Now().Sub(seen))
	case err != nil:
		r.lifecycleEvents.see(name, seen)
	}
	return again(plan.Plan), err
}

// wrote reports whether a plan's PediaCluster was written. It comes first in the plan: what failed after it is tried
// again without it.
func wrote(plan lifecycle.Plan, err error) bool {
	writes := func(a lifecycle.Action) bool { return operationOf(a) != "" }
	if failed, ok := errors.AsType[*actionError](err); ok && writes(failed.action) {
		return false
	}
	return slices.ContainsFunc(plan.Actions, writes)
}

// confirmLifecycle replaces what caches know of a lifecycle's objects by what the API server says, before a removal.
func (r *Reconcilers) confirmLifecycle(ctx context.Context, state *lifecycle.ClusterState, objects []v1alpha1.DependentResource) error {
	known := map[v1alpha1.DependentResource]lifecycle.Lookup{}
	for _, o := range objects {
		object, err := r.Watches.Fetch(ctx, o.GroupVersionResource(), types.NamespacedName{Namespace: o.Namespace, Name: o.Name})
		if err != nil {
			return err
		}
		known[o] = lifecycle.Lookup{Object: object}
	}
	state.Read = func(o v1alpha1.DependentResource) lifecycle.Lookup {
		if found, ok := known[o]; ok {
			return found
		}
		return lifecycle.NotKnown("it was not asked for")
	}
	owner := metav1.GetControllerOf(state.Lifecycle)
	if owner == nil {
		state.Owner = nil
		return nil
	}
	var err error
	if state.Owner, err = r.fetchPolicy(ctx, owner.Name, owner.UID); err != nil {
		return err
	}
	state.Cluster, err = r.fetchCluster(ctx, state.Lifecycle.Name)
	return err
}

func (r *Reconcilers) gatherLifecycle(l *v1alpha1.PediaClusterLifecycle) lifecycle.ClusterState {
	state := lifecycle.ClusterState{Now: r.Now(), Lifecycle: l, Cluster: r.Caches.cluster(l.Name)}
	state.Definition = r.definitionOf(l.Spec.Source.GroupVersionResource().GroupResource())
	if owner := metav1.GetControllerOf(l); owner != nil {
		state.Owner = sameObject(r.Caches.policy(owner.Name), owner.UID)
		state.Policy = r.registry.byUID(owner.Name, owner.UID)
		state.Starting = state.Owner != nil && !r.tally.seen(owner.Name)
		state.Deletions = r.deletions(owner.Name, owner.UID)
	}
	if state.Policy == nil {
		state.Read = func(v1alpha1.DependentResource) lifecycle.Lookup {
			return lifecycle.NotKnown("the policy is not active")
		}
		return state
	}
	kinds := kindsOf(state.Policy)
	state.Read = func(o v1alpha1.DependentResource) lifecycle.Lookup {
		if source := state.Policy.Source; o == l.Spec.Source && o.Group == source.Group && o.Resource == source.Resource {
			o.Version = source.Version // the one that the policy's expressions are for now
		}
		return r.read(kinds, o)
	}
	return state
}

// read answers from the cache of a kind. What only another policy watches is not known: it may end at any time.
func (r *Reconcilers) read(watched []schema.GroupVersionResource, o v1alpha1.DependentResource) lifecycle.Lookup {
	kind := o.GroupVersionResource()
	if !slices.Contains(watched, kind) {
		return lifecycle.NotKnown("the policy does not watch its kind")
	}
	object, unknown := r.Watches.Get(kind, types.NamespacedName{Namespace: o.Namespace, Name: o.Name})
	lookup := lifecycle.Lookup{Object: object, Unknown: unknown}
	if unknown != "" {
		synced, err := r.Watches.Status(kind)
		lookup.Starting = !synced && err == nil
	}
	return lookup
}

// actOnCluster carries out a plan; when the PediaCluster cannot be written, the status says so before the next
// try.
func (r *Reconcilers) actOnCluster(ctx context.Context, state lifecycle.ClusterState, plan lifecycle.Plan) error {
	err := r.act(ctx, state.Lifecycle, plan)
	failed, ok := errors.AsType[*actionError](err)
	if !ok || isRace(err) || ctx.Err() != nil {
		return err
	}
	var status lifecycle.SetLifecycleStatus
	switch failed.action.(type) {
	case lifecycle.CreateCluster:
		status = lifecycle.CreationFailed(state, kube.Explain(failed.err))
	case lifecycle.PatchCluster, lifecycle.MarkCluster:
		status = lifecycle.PatchFailed(state, kube.Explain(failed.err))
	default:
		return err
	}
	if equality.Semantic.DeepEqual(status.Status, state.Lifecycle.Status) {
		return err
	}
	return errors.Join(err, r.setLifecycleStatus(ctx, status))
}

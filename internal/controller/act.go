package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

// fieldManager names this controller in the managed fields of what it writes.
const fieldManager = "clusterimport"

// act carries out a plan about an object, up to the first action that fails.
func (r *Reconcilers) act(ctx context.Context, about runtime.Object, plan lifecycle.Plan) error {
	for _, action := range plan.Actions {
		err := r.do(ctx, about, action)
		r.acted(about, action, err)
		if err != nil {
			return &actionError{action, err}
		}
		klog.FromContext(ctx).V(levelOf(action)).Info("Done", append(keysOf(about, action), "action", action.String())...)
	}
	return nil
}

// keysOf name the policy and the lifecycle that an action is about, for logs.
func keysOf(about runtime.Object, action lifecycle.Action) []any {
	var keys []any
	switch o := about.(type) {
	case *v1alpha1.ClusterImportPolicy:
		keys = append(keys, "policy", o.Name)
	case *v1alpha1.PediaClusterLifecycle:
		if owner := metav1.GetControllerOf(o); owner != nil {
			keys = append(keys, "policy", owner.Name)
		}
		return append(keys, "lifecycle", o.Name)
	}
	switch a := action.(type) {
	case lifecycle.CreateLifecycle:
		return append(keys, "lifecycle", a.Lifecycle.Name)
	case lifecycle.UpdateLifecycle:
		return append(keys, "lifecycle", a.Lifecycle.Name)
	case lifecycle.DeleteLifecycle:
		return append(keys, "lifecycle", a.Name)
	case lifecycle.MarkCluster:
		return append(keys, "lifecycle", a.Name)
	default:
		return keys
	}
}

// actionError is a write that failed.
type actionError struct {
	action lifecycle.Action
	err    error
}

// Error says what failed and why, without the object: an error of the API server may quote it.
func (e *actionError) Error() string { return "cannot " + verb(e.action) + ": " + kube.Explain(e.err) }

func (e *actionError) Unwrap() error { return e.err }

// levelOf keeps the log readable: what changes a fleet is always logged, and so is what becomes of a policy; what was
// decided about one cluster is with -v=2, and bookkeeping with -v=3.
func levelOf(action lifecycle.Action) int {
	switch a := action.(type) {
	case lifecycle.SetPolicyStatus:
		if reasonOf(a.Status.Conditions, v1alpha1.ConditionReady) != reasonOf(a.Policy.Status.Conditions, v1alpha1.ConditionReady) {
			return 0
		}
		return 3
	case lifecycle.SetLifecycleStatus:
		if reasonOf(a.Status.Conditions, v1alpha1.ConditionReady) != reasonOf(a.Lifecycle.Status.Conditions, v1alpha1.ConditionReady) {
			return 2
		}
		return 3
	case lifecycle.UpdateLifecycle, lifecycle.Emit:
		return 3
	default:
		return 0
	}
}

// verb names an action without its details, for errors.
func verb(action lifecycle.Action) string {
	switch action.(type) {
	case lifecycle.SetPolicyStatus:
		return "write the policy's status"
	case lifecycle.SetLifecycleStatus:
		return "write the lifecycle's status"
	default:
		return action.String()
	}
}

func (r *Reconcilers) do(ctx context.Context, about runtime.Object, action lifecycle.Action) error {
	switch a := action.(type) {
	case lifecycle.CreateLifecycle:
		return r.claim(ctx, a.Lifecycle)
	case lifecycle.UpdateLifecycle:
		_, err := r.Lifecycles.Update(ctx, a.Lifecycle, metav1.UpdateOptions{FieldManager: fieldManager})
		return err
	case lifecycle.DeleteLifecycle:
		return r.Lifecycles.Delete(ctx, a.Name, onlyIf(&a.UID, &a.ResourceVersion))
	case lifecycle.DeleteCluster:
		return r.Clusters.Delete(ctx, a.Name, onlyIf(&a.UID, &a.ResourceVersion))
	case lifecycle.CreateCluster:
		_, err := r.Clusters.Create(ctx, a.Cluster, metav1.CreateOptions{FieldManager: fieldManager})
		return err
	case lifecycle.PatchCluster:
		return r.patchCluster(ctx, a)
	case lifecycle.MarkCluster:
		return r.markCluster(ctx, a)
	case lifecycle.SetPolicyStatus:
		return r.setPolicyStatus(ctx, a)
	case lifecycle.SetLifecycleStatus:
		return r.setLifecycleStatus(ctx, a)
	case lifecycle.DropFinalizer:
		return r.dropFinalizer(ctx, a)
	case lifecycle.Emit:
		r.emit(about, a)
		return nil
	default:
		return fmt.Errorf("unknown action %T", action)
	}
}

// onlyIf keeps a deletion to the object that the plan was made for, as it was then.
func onlyIf(uid *types.UID, resourceVersion *string) metav1.DeleteOptions {
	return metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: uid, ResourceVersion: resourceVersion}}
}

func (r *Reconcilers) emit(about runtime.Object, e lifecycle.Emit) {
	eventType := corev1.EventTypeNormal
	if e.Warning {
		eventType = corev1.EventTypeWarning
	}
	r.Recorder.Eventf(about, nil, eventType, e.Reason, "Import", "%s", e.Message)
}

// patchCluster changes the named fields only, and only of the object that the plan was made for.
func (r *Reconcilers) patchCluster(ctx context.Context, a lifecycle.PatchCluster) error {
	metadata := map[string]any{"uid": a.UID, "resourceVersion": a.ResourceVersion}
	if len(a.Labels) > 0 {
		metadata["labels"] = a.Labels
	}
	if len(a.Annotations) > 0 {
		metadata["annotations"] = a.Annotations
	}
	return r.mergeCluster(ctx, a.Name, map[string]any{"metadata": metadata, "spec": a.Spec})
}

// markCluster changes whose a PediaCluster is, and only of the object that the plan was made for.
func (r *Reconcilers) markCluster(ctx context.Context, a lifecycle.MarkCluster) error {
	var mark any // null removes it
	if a.LifecycleUID != "" {
		mark = a.LifecycleUID
	}
	return r.mergeCluster(ctx, a.Name, map[string]any{"metadata": map[string]any{
		"uid": a.UID, "resourceVersion": a.ResourceVersion, "ownerReferences": a.Owners,
		"annotations": map[string]any{v1alpha1.AnnotationLifecycleUID: mark},
	}})
}

func (r *Reconcilers) mergeCluster(ctx context.Context, name string, patch map[string]any) error {
	data, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	_, err = r.Clusters.Patch(ctx, name, types.MergePatchType, data, metav1.PatchOptions{FieldManager: fieldManager})
	return err
}

func (r *Reconcilers) setPolicyStatus(ctx context.Context, a lifecycle.SetPolicyStatus) error {
	// On top of what was read: two leaders must not both admit the last removal of a window.
	patch, err := statusPatch(v1alpha1.ClusterImportPolicyKind.Kind, a.Policy, a.Policy.ResourceVersion, a.Status)
	if err != nil {
		return err
	}
	written, err := r.Policies.Patch(ctx, a.Policy.Name, types.ApplyPatchType, patch, applyOptions(), "status")
	if err == nil && a.Status.Deletions != nil && written.Status.Deletions == nil {
		r.pruned.set(a.Policy.UID, a.Status.Deletions)
		r.enqueueRemovals(a.Policy.Name, a.Status.Deletions)
	}
	return err
}

func (r *Reconcilers) setLifecycleStatus(ctx context.Context, a lifecycle.SetLifecycleStatus) error {
	patch, err := statusPatch(v1alpha1.PediaClusterLifecycleKind.Kind, a.Lifecycle, "", a.Status)
	if err != nil {
		return err
	}
	_, err = r.Lifecycles.Patch(ctx, a.Lifecycle.Name, types.ApplyPatchType, patch, applyOptions(), "status")
	return err
}

// statusPatch is the apply configuration of a status. The UID keeps it from an object of the same name that
// came later, a resourceVersion from one that has changed.
func statusPatch(kind string, object metav1.Object, resourceVersion string, status any) ([]byte, error) {
	metadata := map[string]any{"name": object.GetName(), "uid": object.GetUID()}
	if resourceVersion != "" {
		metadata["resourceVersion"] = resourceVersion
	}
	return json.Marshal(map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": kind, "metadata": metadata, "status": status,
	})
}

// applyOptions force the apply: the status has one writer, and what another wrote before is taken over.
func applyOptions() metav1.PatchOptions {
	force := true
	return metav1.PatchOptions{FieldManager: fieldManager, Force: &force}
}

func (r *Reconcilers) dropFinalizer(ctx context.Context, a lifecycle.DropFinalizer) error {
	kept := slices.DeleteFunc(slices.Clone(a.Object.GetFinalizers()), func(f string) bool { return f == a.Finalizer })
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"uid": a.Object.GetUID(), "resourceVersion": a.Object.GetResourceVersion(), "finalizers": kept,
	}})
	if err != nil {
		return err
	}
	options := metav1.PatchOptions{FieldManager: fieldManager}
	if _, ok := a.Object.(*v1alpha1.ClusterImportPolicy); ok {
		_, err = r.Policies.Patch(ctx, a.Object.GetName(), types.MergePatchType, patch, options)
		return err
	}
	_, err = r.Lifecycles.Patch(ctx, a.Object.GetName(), types.MergePatchType, patch, options)
	return err
}

package simulation

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// wishes are the annotations by which users opt out or ask for something. An empty one takes all of them off.
var wishes = []struct {
	what       string
	kind       schema.GroupResource
	annotation string
}{
	{"a policy is paused", policyKind, v1alpha1.AnnotationPaused},
	{"a policy goes on", policyKind, ""},
	{"a policy goes on", policyKind, ""},
	{"a lifecycle is paused", lifecycleKind, v1alpha1.AnnotationPaused},
	{"a lifecycle goes on", lifecycleKind, ""},
	{"a source is paused", sourceKind, v1alpha1.AnnotationPaused},
	{"a source is to be skipped", sourceKind, v1alpha1.AnnotationSkip},
	{"a source goes on", sourceKind, ""},
	{"a lifecycle is to be renamed", lifecycleKind, v1alpha1.AnnotationRename},
	{"a lifecycle is to be renamed", lifecycleKind, v1alpha1.AnnotationRename},
}

// wish annotates an object for a user.
func (w *world) wish(a, b int) {
	wish := wishes[b%len(wishes)]
	k := w.server.kind(wish.kind)
	keys := k.keys()
	if len(keys) == 0 || w.server.down {
		return
	}
	before := k.objects[keys[a%len(keys)]]
	after, _ := before.DeepCopyObject().(object)
	annotations := maps.Clone(after.GetAnnotations())
	if annotations == nil {
		annotations = map[string]string{}
	}
	if wish.annotation != "" {
		annotations[wish.annotation] = "true"
	} else {
		for _, other := range wishes {
			delete(annotations, other.annotation)
		}
	}
	after.SetAnnotations(annotations)
	if !maps.Equal(annotations, before.GetAnnotations()) {
		w.server.replace(k, before, after, false)
	}
}

func wants(o metav1.Object, annotation string) bool { return o.GetAnnotations()[annotation] == "true" }

func paused(o metav1.Object) bool { return wants(o, v1alpha1.AnnotationPaused) }

// sourceOf is the stored source of a lifecycle, or nil: the object of its name, whichever it was made for.
func (w *world) sourceOf(l *v1alpha1.PediaClusterLifecycle) *unstructured.Unstructured {
	key := keyOf(&metav1.ObjectMeta{Namespace: l.Spec.Source.Namespace, Name: l.Spec.Source.Name})
	stored, _ := w.server.kind(sourceKind).objects[key].(*unstructured.Unstructured)
	return stored
}

// frozen reports whether a user has frozen a lifecycle, by itself, its source or its policy.
func (w *world) frozen(l *v1alpha1.PediaClusterLifecycle) bool {
	p, s := w.policyOf(l), w.sourceOf(l)
	return paused(l) || p != nil && paused(p) || s != nil && paused(s)
}

// knowsFrozen reports whether the controller knows that, in each of its caches.
func (p *process) knowsFrozen(l *v1alpha1.PediaClusterLifecycle) bool {
	policy := p.policyOf(l)
	return policy != nil && paused(policy) || paused(l) || p.knowsPaused(l)
}

// knowsPaused reports whether the controller knows that the source of a lifecycle is paused. What a policy asks for in
// two versions is in two caches.
func (p *process) knowsPaused(l *v1alpha1.PediaClusterLifecycle) bool {
	key := keyOf(&metav1.ObjectMeta{Namespace: l.Spec.Source.Namespace, Name: l.Spec.Source.Name})
	known := false
	for gvr, watch := range p.watches.watches {
		if s := watch.known[key]; gvr.GroupResource() == sourceKind && s != nil {
			if !paused(s) {
				return false
			}
			known = true
		}
	}
	return known
}

// checkFrozen: nothing is written of what is frozen, as far as the controller knows and it is still so. Whose a
// PediaCluster is depends on no source, and is written without one.
func (w *world) checkFrozen(l *v1alpha1.PediaClusterLifecycle, before, after *clusterv1alpha2.PediaCluster) {
	p := w.process.policyOf(l)
	marked := before != nil && before.Generation == after.Generation
	switch stored := w.policyOf(l); {
	case p != nil && paused(p) && (stored == nil || paused(stored)), paused(l), !marked && w.process.knowsPaused(l):
		w.brokenf("PediaCluster %s is written, and is frozen", after.Name)
	}
}

// renames reports whether a user asks for another name of a lifecycle, which one of the policy's specs gives.
func renames(l *v1alpha1.PediaClusterLifecycle, s source, specs []v1alpha1.ClusterImportPolicySpec) bool {
	return wants(l, v1alpha1.AnnotationRename) && slices.ContainsFunc(specs, func(spec v1alpha1.ClusterImportPolicySpec) bool {
		name := meaningOf(spec).named(s)
		return name != "" && name != l.Name
	})
}

// checkRenamed: what is to be renamed waits for nothing but its name and the budget.
func (w *world) checkRenamed(p *v1alpha1.ClusterImportPolicy, l *v1alpha1.PediaClusterLifecycle, s source, held *int32) (waits bool) {
	if !renames(l, s, []v1alpha1.ClusterImportPolicySpec{p.Spec}) || w.server.kind(lifecycleKind).objects[meaningOf(p.Spec).named(s)] != nil {
		return false
	}
	if w.stays(p, l) {
		return true
	}
	if *held--; *held < 0 {
		w.brokenf("lifecycle %s is not renamed to %s", l.Name, meaningOf(p.Spec).named(s))
	}
	return true
}

package simulation

import (
	"slices"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// checkWrite holds every write of the controller to what it may write.
func (w *world) checkWrite(write write) {
	switch write.kind {
	case clusterKind:
		w.checkClusterWrite(write)
	case lifecycleKind:
		w.checkLifecycleWrite(write)
	case policyKind:
		before, _ := write.before.(*v1alpha1.ClusterImportPolicy)
		if after, ok := write.after.(*v1alpha1.ClusterImportPolicy); !ok || before == nil || !equality.Semantic.DeepEqual(before.Spec, after.Spec) {
			if before == nil || before.DeletionTimestamp == nil {
				w.brokenf("the controller may write a policy's status only, not %s it", write.verb)
			}
		} else {
			w.checkAdmitted(after.Name, before.Status.Deletions, after.Status.Deletions)
		}
	}
}

// checkClusterWrite: what is not ours is not written, a credential does not go blank, and all else is the user's.
func (w *world) checkClusterWrite(write write) {
	after, _ := write.after.(*clusterv1alpha2.PediaCluster)
	if after == nil {
		if before, ok := write.before.(*clusterv1alpha2.PediaCluster); ok {
			w.checkEnd(before)
		}
		return
	}
	l := w.process.lifecycle(after.Name)
	if !belongs(after, l) {
		w.brokenf("PediaCluster %s is written without being owned by its lifecycle", after.Name)
		return
	}
	p := w.process.policyOf(l)
	stored := w.policyOf(l) // who removes a lifecycle has asked for it
	if p == nil || dryRun(p) && (stored == nil || dryRun(stored)) {
		w.brokenf("PediaCluster %s is written under DryRun, or without a policy", after.Name)
		return
	}
	before, _ := write.before.(*clusterv1alpha2.PediaCluster)
	w.checkFrozen(l, before, after)
	marked := func(p *v1alpha1.ClusterImportPolicy) bool { return p != nil && refersTo(after, l) != orphans(p) }
	if !marked(p) && !marked(stored) && (before == nil || !belongs(before, l) || refersTo(before, l) != refersTo(after, l)) {
		w.brokenf("PediaCluster %s is marked for another deletionPolicy than %q", after.Name, p.Spec.DeletionPolicy)
	}
	switch {
	case before == nil && (after.Spec.APIServer == "" || len(after.Spec.TokenData) == 0):
		w.brokenf("PediaCluster %s is created without endpoint or credentials", after.Name)
	case before == nil:
	case belongs(before, l):
		w.checkUpdate(p, l, before, after)
	case p.Spec.ConflictPolicy != v1alpha1.ConflictAdopt || !adoptable(before):
		w.brokenf("the foreign PediaCluster %s is written", before.Name)
	case !equality.Semantic.DeepEqual(before.Spec, after.Spec):
		w.brokenf("PediaCluster %s is changed before it is taken over", before.Name)
	}
}

// checkUpdate: of a PediaCluster that is ours, its connection and its marks change, and more only under All.
func (w *world) checkUpdate(p *v1alpha1.ClusterImportPolicy, l *v1alpha1.PediaClusterLifecycle, before, after *clusterv1alpha2.PediaCluster) {
	if before.Spec.APIServer != "" && after.Spec.APIServer == "" || len(before.Spec.TokenData) > 0 && len(after.Spec.TokenData) == 0 {
		w.brokenf("endpoint or credentials of PediaCluster %s go blank", before.Name)
	}
	before, rest := unowned(before, l), unowned(after, l)
	if p.Spec.UpdatePolicy == v1alpha1.UpdateAll {
		rest.Spec.SyncResources = before.Spec.SyncResources
		delete(before.Labels, fromLabel)
		delete(rest.Labels, fromLabel)
	}
	rest.Spec.APIServer, rest.Spec.TokenData = before.Spec.APIServer, before.Spec.TokenData
	rest.ResourceVersion, rest.Generation = before.ResourceVersion, before.Generation
	if !equality.Semantic.DeepEqual(before, rest) {
		w.brokenf("more than the connection of PediaCluster %s is written:\n%s", before.Name, cmp.Diff(before, rest))
	}
}

// checkLifecycleWrite: a source has one lifecycle of a policy, and none is deleted on doubt.
func (w *world) checkLifecycleWrite(write write) {
	before, _ := write.before.(*v1alpha1.PediaClusterLifecycle)
	after, _ := write.after.(*v1alpha1.PediaClusterLifecycle)
	switch write.verb {
	case "create":
		if w.process.knowsFrozen(after) {
			w.brokenf("lifecycle %s is created, and is frozen", after.Name)
		}
		for _, other := range w.lifecyclesOf(controllerOf(after)) {
			if other != after && other.DeletionTimestamp == nil && claimOf(other) == claimOf(after) {
				w.brokenf("lifecycles %s and %s are for the same source", other.Name, after.Name)
			}
		}
	case "delete":
		w.checkDeletion(before)
	case "update":
		if w.process.knowsFrozen(before) {
			w.brokenf("lifecycle %s is changed, and is frozen", after.Name)
		}
	default:
		if after != nil && before.UID != after.UID {
			w.brokenf("a write for lifecycle %s hits another of that name", before.Name)
		}
	}
}

func controllerOf(l *v1alpha1.PediaClusterLifecycle) types.UID {
	if owner := metav1.GetControllerOf(l); owner != nil {
		return owner.UID
	}
	return ""
}

func claimOf(l *v1alpha1.PediaClusterLifecycle) string {
	return l.Annotations[v1alpha1.AnnotationSourceUID]
}

// lifecyclesOf are the stored lifecycles of a policy.
func (w *world) lifecyclesOf(policy types.UID) []*v1alpha1.PediaClusterLifecycle {
	var out []*v1alpha1.PediaClusterLifecycle
	k := w.server.kind(lifecycleKind)
	for _, key := range k.keys() {
		if l, ok := k.objects[key].(*v1alpha1.PediaClusterLifecycle); ok && controllerOf(l) == policy {
			out = append(out, l)
		}
	}
	return out
}

// checkDeletion: the source is gone now, and not because its kind was removed; or a selector that the policy has or had
// says no to it as it is now. What takes a PediaCluster along is within the budget.
func (w *world) checkDeletion(l *v1alpha1.PediaClusterLifecycle) {
	key := keyOf(&metav1.ObjectMeta{Namespace: l.Spec.Source.Namespace, Name: l.Spec.Source.Name})
	stored, _ := w.server.kind(sourceKind).objects[key].(*unstructured.Unstructured)
	switch {
	case stored == nil && w.purged[claimOf(l)]:
		w.brokenf("lifecycle %s is deleted because the kind of its source was removed", l.Name)
	case stored != nil && string(stored.GetUID()) == claimOf(l):
		saysNo := func(spec v1alpha1.ClusterImportPolicySpec) bool { return meaningOf(spec).selects(stored.Object) == no }
		if specs := w.history[string(controllerOf(l))]; !slices.ContainsFunc(specs, saysNo) && !renames(l, stored.Object, specs) {
			w.brokenf("lifecycle %s is deleted while its source exists and no selector says no", l.Name)
		}
	}
	w.checkModes(l)
	w.checkBudget(l)
}

// redefined reports whether a lifecycle was made for an object of an earlier definition of its kind.
func (w *world) redefined(l *v1alpha1.PediaClusterLifecycle) bool {
	d := w.server.kind(definitionKind).objects[sourceKind.String()]
	return d != nil && l.Annotations[v1alpha1.AnnotationDefinitionUID] != string(d.GetUID())
}

// window is one hour of one policy's budget.
type window struct {
	policy types.UID
	start  int64
}

// checkBudget: a lifecycle that takes its PediaCluster along counts.
func (w *world) checkBudget(l *v1alpha1.PediaClusterLifecycle) {
	p := w.policyOf(l)
	// What an earlier lifecycle of the name has left goes with that one.
	if p == nil || !refersTo(w.cluster(l.Name), l) {
		return
	}
	w.checkCounted(p, l.Name, l.UID)
}

// checkCounted: a removal was admitted by the policy, and no more are done than were counted.
func (w *world) checkCounted(p *v1alpha1.ClusterImportPolicy, name string, uid types.UID) {
	d := p.Status.Deletions
	if d == nil || !slices.ContainsFunc(d.Admitted, func(r v1alpha1.Removal) bool { return r.UID == uid }) {
		w.brokenf("PediaCluster %s is deleted, and its policy has not admitted it", name)
		return
	}
	hour := window{p.UID, d.WindowStart.Unix()}
	if w.removed[hour]++; w.removed[hour] > d.Removed {
		w.brokenf("policy %s: %d are removed of the %d that were counted", p.Name, w.removed[hour], d.Removed)
	}
}

// checkAdmitted: no more are counted than may be removed, but for those that the hour before has left.
func (w *world) checkAdmitted(policy string, before, after *v1alpha1.Deletions) {
	if after == nil {
		return
	}
	counted := int32(0)
	switch {
	case before == nil:
	case before.WindowStart.Equal(&after.WindowStart):
		counted = before.Removed
	default:
		for _, r := range after.Admitted {
			if slices.Contains(before.Admitted, r) {
				counted++
			}
		}
	}
	if after.Removed > max(counted, after.Allowed) {
		w.brokenf("policy %s: %d removals are counted of the %d that may be", policy, after.Removed, after.Allowed)
	}
}

// meaningOf finds what a spec means.
func meaningOf(spec v1alpha1.ClusterImportPolicySpec) variant {
	return meanings[meaningKey(spec)]
}

func meaningKey(s v1alpha1.ClusterImportPolicySpec) [4]string {
	version := ""
	if len(s.Source.Versions) > 0 {
		version = s.Source.Versions[0]
	}
	return [4]string{s.Source.SelectorTemplate, s.NameTemplate, s.CreationCondition, version}
}

var meanings = func() map[[4]string]variant {
	out := map[[4]string]variant{}
	for state := range policyStates {
		v := variantOf(state)
		out[meaningKey(v.spec)] = v
	}
	return out
}()

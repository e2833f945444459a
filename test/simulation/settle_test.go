package simulation

import (
	"bytes"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// How long nothing may be written before all is settled (longer than any back-off), and how many writes it may take.
const (
	quiet = 3 * time.Minute
	most  = 300
)

// settle ends all trouble, lets everything come to rest, and compares what is with what should be: now, and again
// after a restart, which must write nothing.
func (w *world) settle() {
	w.server.down = false
	for _, k := range w.server.kinds {
		k.forbidden = false
	}
	w.start()
	w.rest(0)
	w.checkDesired()
	w.process = nil
	w.start()
	before := w.connection.total
	w.rest(-1)
	// Without their kind or a policy that compiles, sources are followed as they were last known, until a restart.
	if w.connection.total != before && w.compiles() && !w.withdrawing() {
		w.brokenf("a restart without a change writes %d times", w.connection.total-before)
	}
	w.checkDesired()
}

// compiles reports whether all policies do.
func (w *world) compiles() bool {
	for _, o := range w.server.kind(policyKind).objects {
		if p, ok := o.(*v1alpha1.ClusterImportPolicy); ok && !meaningOf(p.Spec).valid {
			return false
		}
	}
	return true
}

// rest lets time pass until nothing has been written for a while. Of the keys that are ready the first is handled, which
// is a policy's, or the last for -1, which is a lifecycle's.
func (w *world) rest(order int) {
	last, began, total := w.clock.since, w.connection.total, w.connection.total
	for w.violation == nil {
		w.drain(order)
		w.server.collect()
		if w.connection.total != total {
			last, total = w.clock.since, w.connection.total
		}
		if total > began+most {
			w.brokenf("writes do not end")
		}
		if w.busy() {
			continue
		}
		at, ok := w.process.due()
		if !ok || at > last+quiet {
			return
		}
		w.tick(max(at-w.clock.since, 0))
	}
}

// drain delivers all that can be delivered and handles all keys that are ready.
func (w *world) drain(order int) {
	for range most {
		for _, watch := range w.process.all() {
			for !watch.idle() {
				watch.step()
				if watch.broken && watch.err != nil {
					break
				}
			}
			for len(watch.pending) > 0 {
				watch.tell()
			}
		}
		if w.process.ready() == 0 || w.violation != nil {
			return
		}
		w.pass((order+w.process.ready())%w.process.ready(), mishap{})
	}
	w.brokenf("passes do not end")
}

// busy reports whether something is still to be delivered.
func (w *world) busy() bool {
	for _, watch := range w.process.all() {
		refused := watch.broken && watch.err != nil
		if len(watch.pending) > 0 || !watch.idle() && !refused {
			return true
		}
	}
	return w.process.ready() > 0
}

// checkDesired compares what is with what should be, now that everything is settled.
func (w *world) checkDesired() {
	if w.violation != nil || w.withdrawing() {
		return // without the kind of the sources everything is left as it is
	}
	k := w.server.kind(policyKind)
	for _, key := range k.keys() {
		p, _ := k.objects[key].(*v1alpha1.ClusterImportPolicy)
		v := meaningOf(p.Spec)
		validated := meta.FindStatusCondition(p.Status.Conditions, v1alpha1.ConditionValidated)
		if validated == nil || validated.ObservedGeneration != p.Generation || (validated.Status == metav1.ConditionTrue) != v.valid {
			w.brokenf("policy %s: valid is %t, and its status says %v", p.Name, v.valid, validated)
		}
		w.checkMarks(p)
		if v.valid && !paused(p) {
			w.checkPolicy(p, v)
		}
	}
}

// checkPolicy compares the lifecycles of a policy with its sources.
func (w *world) checkPolicy(p *v1alpha1.ClusterImportPolicy, v variant) {
	held := int32(0)
	if p.Status.Deletions != nil {
		held = p.Status.Deletions.Held
	}
	claimed := map[string][]*v1alpha1.PediaClusterLifecycle{}
	for _, l := range w.lifecyclesOf(p.UID) {
		claimed[claimOf(l)] = append(claimed[claimOf(l)], l)
	}
	// A source that was deleted and is there again waits until the lifecycle of the former one may go.
	waits := map[string]bool{}
	for uid, owned := range claimed {
		for _, l := range owned {
			key := keyOf(&metav1.ObjectMeta{Namespace: l.Spec.Source.Namespace, Name: l.Spec.Source.Name})
			stored := w.server.kind(sourceKind).objects[key]
			waits[key] = waits[key] || stored != nil && string(stored.GetUID()) != uid
		}
	}
	counts := v1alpha1.SourceCounts{}
	sources := w.server.kind(sourceKind)
	for _, key := range sources.keys() {
		s, _ := sources.objects[key].(*unstructured.Unstructured)
		owned := claimed[string(s.GetUID())]
		delete(claimed, string(s.GetUID()))
		switch selected := v.selects(s.Object); {
		case waits[key]:
		case len(owned) == 0 && paused(s):
		case len(owned) > 1:
			w.brokenf("policy %s: source %s has %d lifecycles", p.Name, key, len(owned))
		case selected == no && len(owned) > 0:
			w.count(owned[0], &counts)
			if w.stays(p, owned[0]) {
				continue
			}
			if held--; held >= 0 {
				continue // the budget keeps it
			}
			w.brokenf("policy %s: source %s is not selected and has lifecycle %s", p.Name, key, owned[0].Name)
		case selected == yes && len(owned) == 0:
			counts.Failed++
			w.checkUnclaimed(p, key, v.named(s.Object))
		case selected == unknown && len(owned) == 0:
			counts.Failed++
		case len(owned) == 1:
			if selected == yes && !w.frozen(owned[0]) && !w.checkRenamed(p, owned[0], s.Object, &held) {
				w.checkLifecycle(p, v, s, owned[0], &held)
			}
			w.count(owned[0], &counts)
		}
	}
	w.checkGone(p, claimed, held, &counts)
	if w.outlived(p) {
		return // what is held because its kind was defined anew is counted as it was last known
	}
	counts.Selected = counts.Imported + counts.Waiting + counts.Failed
	if p.Status.Sources == nil || *p.Status.Sources != counts {
		w.brokenf("policy %s: the sources are %+v, and its status says %+v", p.Name, counts, p.Status.Sources)
	}
}

// checkGone: of the lifecycles whose source is gone, there are those that the budget holds.
func (w *world) checkGone(
	p *v1alpha1.ClusterImportPolicy, claimed map[string][]*v1alpha1.PediaClusterLifecycle, held int32, counts *v1alpha1.SourceCounts,
) {
	for uid, owned := range claimed {
		for _, l := range owned {
			w.count(l, counts)
			if !w.redefined(l) && !w.stays(p, l) {
				held--
			}
		}
		if held < 0 {
			w.brokenf("policy %s: source %q is gone and has lifecycle %s", p.Name, uid, owned[0].Name)
		}
	}
}

// outlived reports whether a lifecycle of a policy is from an earlier definition of its source's kind.
func (w *world) outlived(p *v1alpha1.ClusterImportPolicy) bool {
	return slices.ContainsFunc(w.lifecyclesOf(p.UID), w.redefined)
}

// stays reports whether a lifecycle stays that has no source to follow.
func (w *world) stays(p *v1alpha1.ClusterImportPolicy, l *v1alpha1.PediaClusterLifecycle) bool {
	return w.frozen(l) || dryRun(p) && belongs(w.cluster(l.Name), l)
}

// checkUnclaimed: a selected source without a lifecycle has no name, or another has it.
func (w *world) checkUnclaimed(p *v1alpha1.ClusterImportPolicy, key, name string) {
	if name != "" && w.server.kind(lifecycleKind).objects[name] == nil {
		w.brokenf("policy %s: source %s has no lifecycle, and the name %s is free", p.Name, key, name)
	}
}

// view is what should be of a lifecycle and its PediaCluster, and what is.
type view struct {
	cluster         *clusterv1alpha2.PediaCluster
	endpoint, token string
	// known is whether the source says how to connect, end whether the PediaCluster is to go, wanted whether it is to exist.
	known, wanted bool
	end           answer
	// owned is whether the PediaCluster is the lifecycle's, adopts whether it may become so, follows whether it has all
	// that its source says.
	owned, adopts, follows bool
}

func (w *world) viewOf(p *v1alpha1.ClusterImportPolicy, v variant, s *unstructured.Unstructured, l *v1alpha1.PediaClusterLifecycle) view {
	var secret source
	if found, ok := w.server.kind(secretKind).objects[keyOf(s)].(*unstructured.Unstructured); ok {
		secret = found.Object
	}
	o := view{cluster: w.cluster(l.Name), end: w.obsolete(p.Spec, s)}
	o.endpoint, o.token, o.known = connectionOf(s.Object, secret)
	o.wanted = o.known && v.ready(s.Object) == yes && o.end == no
	o.owned = belongs(o.cluster, l)
	o.adopts = o.cluster != nil && !o.owned && p.Spec.ConflictPolicy == v1alpha1.ConflictAdopt && adoptable(o.cluster)
	o.follows = o.owned && o.known && o.cluster.Spec.APIServer == o.endpoint && bytes.Equal(o.cluster.Spec.TokenData, []byte(o.token)) &&
		(p.Spec.UpdatePolicy != v1alpha1.UpdateAll || asTemplate(o.cluster, s))
	return o
}

// checkLifecycle compares a lifecycle and its PediaCluster with their source.
func (w *world) checkLifecycle(
	p *v1alpha1.ClusterImportPolicy, v variant, s *unstructured.Unstructured, l *v1alpha1.PediaClusterLifecycle, held *int32,
) {
	if l.Spec.Template != p.Spec.Template || l.Spec.CreationCondition != p.Spec.CreationCondition {
		w.brokenf("lifecycle %s is not in step with its policy", l.Name)
	}
	if want := append(v.spec.Source.Versions, "")[0]; want != "" && l.Spec.Source.Version != want {
		w.brokenf("lifecycle %s has version %s, not %s", l.Name, l.Spec.Source.Version, want)
	}
	o := w.viewOf(p, v, s, l)
	switch {
	case dryRun(p):
		w.checkDryRun(l, o)
	case o.owned && o.end == yes:
		// It goes as the budget has it, and does not follow its source until then.
		if *held--; *held < 0 {
			w.brokenf("PediaCluster %s is there, and its deletion condition is true", l.Name)
		}
	case o.owned && o.known && !o.follows:
		w.brokenf("PediaCluster %s is %+v, and its source says %s and %q", l.Name, o.cluster, o.endpoint, o.token)
	case o.cluster == nil && o.wanted:
		w.brokenf("PediaCluster %s is missing", l.Name)
	case o.wanted && o.adopts:
		w.brokenf("PediaCluster %s is not taken over", l.Name)
	}
	w.checkStatus(l, o.owned, o.follows && o.end == no)
}

// checkDryRun: nothing is written under DryRun, and what would be is said. Of a condition that fails more is said.
func (w *world) checkDryRun(l *v1alpha1.PediaClusterLifecycle, o view) {
	would := o.wanted && (o.cluster == nil || o.adopts) || o.owned && (o.end == yes || o.known && !o.follows)
	says := meta.FindStatusCondition(l.Status.Conditions, v1alpha1.ConditionReady)
	if o.end != unknown && would != (says != nil && says.Reason == v1alpha1.ReasonDryRun) {
		w.brokenf("lifecycle %s: what is not written under DryRun is %t, and its status says %v", l.Name, would, says)
	}
}

// asTemplate reports whether a PediaCluster has what the template says of it apart from the connection.
func asTemplate(c *clusterv1alpha2.PediaCluster, s *unstructured.Unstructured) bool {
	return equality.Semantic.DeepEqual(c.Spec.SyncResources, collected) && c.Labels[fromLabel] == s.GetName()
}

// count counts a lifecycle as the policy's status should.
func (w *world) count(l *v1alpha1.PediaClusterLifecycle, counts *v1alpha1.SourceCounts) {
	owned := belongs(w.cluster(l.Name), l)
	switch created := meta.FindStatusCondition(l.Status.Conditions, v1alpha1.ConditionCreated); {
	case owned:
		counts.Imported++
	case created == nil || waits[created.Reason]:
		counts.Waiting++
	default:
		counts.Failed++
	}
}

// waits are the reasons that mend themselves when an object changes.
var waits = map[string]bool{
	v1alpha1.ReasonWaitCreationCondition: true, v1alpha1.ReasonReferenceResourceNotFound: true, v1alpha1.ReasonMissingCredentials: true,
	v1alpha1.ReasonWaitDependentResourceSynced: true, v1alpha1.ReasonSourceResourceNotFound: true, v1alpha1.ReasonPolicyNotReady: true,
	v1alpha1.ReasonDryRun: true, v1alpha1.ReasonPaused: true, v1alpha1.ReasonDeletionCondition: true, v1alpha1.ReasonNotSelected: true,
}

// checkStatus compares the status of a lifecycle with what it is about.
func (w *world) checkStatus(l *v1alpha1.PediaClusterLifecycle, owned, follows bool) {
	created := meta.IsStatusConditionTrue(l.Status.Conditions, v1alpha1.ConditionCreated)
	ready := meta.IsStatusConditionTrue(l.Status.Conditions, v1alpha1.ConditionReady)
	if created != owned || ready != follows {
		w.brokenf("lifecycle %s: ours %t, follows %t, and its status says created %t, ready %t: %v",
			l.Name, owned, follows, created, ready, l.Status.Conditions)
	}
	if l.Status.ObservedGeneration != l.Generation {
		w.brokenf("lifecycle %s: the status is of generation %d, not %d", l.Name, l.Status.ObservedGeneration, l.Generation)
	}
	seen := map[string]bool{}
	for _, c := range l.Status.Conditions {
		if seen[c.Type] || c.Message == "" || equality.Semantic.DeepEqual(c.LastTransitionTime, metav1.Time{}) {
			w.brokenf("lifecycle %s: condition %+v", l.Name, c)
		}
		seen[c.Type] = true
	}
}

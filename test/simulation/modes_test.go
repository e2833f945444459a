package simulation

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// switches are what users set in a policy apart from its expressions. The last of them are what all were before.
var switches = []policySwitch{
	{"deletionPolicy Orphan, no deletionCondition", func(s *v1alpha1.ClusterImportPolicySpec) {
		s.DeletionPolicy, s.DeletionCondition = v1alpha1.DeletionOrphan, ""
	}},
	{"deletionPolicy Delete", func(s *v1alpha1.ClusterImportPolicySpec) { s.DeletionPolicy = v1alpha1.DeletionDelete }},
	{"mode DryRun", func(s *v1alpha1.ClusterImportPolicySpec) { s.Mode = v1alpha1.ModeDryRun }},
	{"mode Apply", func(s *v1alpha1.ClusterImportPolicySpec) { s.Mode = v1alpha1.ModeApply }},
	{"conflictPolicy Adopt", func(s *v1alpha1.ClusterImportPolicySpec) { s.ConflictPolicy = v1alpha1.ConflictAdopt }},
	{"conflictPolicy Refuse", func(s *v1alpha1.ClusterImportPolicySpec) { s.ConflictPolicy = v1alpha1.ConflictRefuse }},
	{"updatePolicy All", func(s *v1alpha1.ClusterImportPolicySpec) { s.UpdatePolicy = v1alpha1.UpdateAll }},
	{"updatePolicy Credentials", func(s *v1alpha1.ClusterImportPolicySpec) { s.UpdatePolicy = v1alpha1.UpdateCredentials }},
	{"mode Apply", func(s *v1alpha1.ClusterImportPolicySpec) { s.Mode = v1alpha1.ModeApply }},
	obsoleteIf(0), obsoleteIf(1), obsoleteIf(2), obsoleteIf(3),
}

// end is a deletion condition.
type end struct {
	text     string
	obsolete func(s, secret source) answer
}

// ends are deletion conditions, and in Go what they mean for a source and its Secret, which may be nil.
var ends = []end{
	{"", func(source, source) answer { return no }},
	{`source.?spec.?endpoint.orValue("") == "https://two.example"`, func(s, _ source) answer {
		endpoint, _ := s.text("spec", "endpoint")
		return isTrue(endpoint == "https://two.example")
	}},
	{`source.spec.alias == "shared"`, func(s, _ source) answer {
		alias, found := s.text("spec", "alias")
		if !found {
			return unknown
		}
		return isTrue(alias == "shared")
	}},
	{`references.secret.data.token == "c2Vjb25k"`, func(_, secret source) answer {
		token, found := secret.text("data", "token")
		if !found {
			return unknown
		}
		return isTrue(token == "c2Vjb25k")
	}},
}

// policySwitch is one of switches.
type policySwitch struct {
	what string
	set  func(s *v1alpha1.ClusterImportPolicySpec)
}

// obsoleteIf sets a deletion condition, which does not go with Orphan.
func obsoleteIf(i int) policySwitch {
	return policySwitch{fmt.Sprintf("deletionCondition %q", ends[i].text), func(s *v1alpha1.ClusterImportPolicySpec) {
		if s.DeletionCondition = ends[i].text; i > 0 {
			s.DeletionPolicy = v1alpha1.DeletionDelete
		}
	}}
}

// obsolete answers whether a spec's deletion condition is true for a source and its Secret.
func (w *world) obsolete(spec v1alpha1.ClusterImportPolicySpec, s *unstructured.Unstructured) answer {
	var secret source
	if found, ok := w.server.kind(secretKind).objects[keyOf(s)].(*unstructured.Unstructured); ok {
		secret = found.Object
	}
	i := slices.IndexFunc(ends, func(e end) bool { return e.text == spec.DeletionCondition })
	return ends[i].obsolete(s.Object, secret)
}

// checkEnd: a PediaCluster is deleted while its lifecycle stays when one of the policy's conditions is true of what is
// there now, under Delete and Apply, when nothing is frozen, and within the budget.
func (w *world) checkEnd(c *clusterv1alpha2.PediaCluster) {
	l := w.process.lifecycle(c.Name)
	if !belongs(c, l) {
		w.brokenf("the foreign PediaCluster %s is deleted", c.Name)
		return
	}
	p, s := w.policyOf(l), w.sourceOf(l)
	if p == nil || s == nil || dryRun(p) || orphans(p) || w.frozen(l) {
		w.brokenf("PediaCluster %s is deleted without a source, or under DryRun or Orphan, or is frozen", c.Name)
		return
	}
	if !slices.ContainsFunc(w.history[string(p.UID)], func(spec v1alpha1.ClusterImportPolicySpec) bool { return w.obsolete(spec, s) == yes }) {
		w.brokenf("PediaCluster %s is deleted, and no deletion condition is true", c.Name)
	}
	w.checkCounted(p, c.Name, c.UID)
}

// keepSwitches carries what is set apart from the expressions over to an edit of these.
func keepSwitches(p *v1alpha1.ClusterImportPolicy, from object) {
	if before, ok := from.(*v1alpha1.ClusterImportPolicy); ok {
		was := before.Spec
		p.Spec.DeletionPolicy, p.Spec.Mode = was.DeletionPolicy, was.Mode
		p.Spec.ConflictPolicy, p.Spec.UpdatePolicy, p.Spec.DeletionCondition = was.ConflictPolicy, was.UpdatePolicy, was.DeletionCondition
	}
}

// flip sets a switch of a policy.
func (w *world) flip(a, b int) {
	k := w.server.kind(policyKind)
	before, ok := k.objects[policyNames[a%len(policyNames)]].(*v1alpha1.ClusterImportPolicy)
	if !ok || w.server.down || before.DeletionTimestamp != nil {
		return
	}
	after := before.DeepCopy()
	switches[b%len(switches)].set(&after.Spec)
	w.server.replace(k, before, after, true)
	w.history[string(after.UID)] = append(w.history[string(after.UID)], after.Spec)
}

// refersTo reports whether the garbage collector removes a PediaCluster with a lifecycle.
func refersTo(c *clusterv1alpha2.PediaCluster, l *v1alpha1.PediaClusterLifecycle) bool {
	return c != nil && slices.ContainsFunc(c.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == l.UID })
}

// belongs reports whether a PediaCluster carries the UID of a lifecycle.
func belongs(c *clusterv1alpha2.PediaCluster, l *v1alpha1.PediaClusterLifecycle) bool {
	return c != nil && l != nil && (refersTo(c, l) || c.Annotations[v1alpha1.AnnotationLifecycleUID] == string(l.UID))
}

// adoptable reports whether no controller and no lifecycle refers to a PediaCluster.
func adoptable(c *clusterv1alpha2.PediaCluster) bool {
	return !slices.ContainsFunc(c.OwnerReferences, func(o metav1.OwnerReference) bool {
		return o.Kind == v1alpha1.PediaClusterLifecycleKind.Kind || o.Controller != nil && *o.Controller
	})
}

// unowned is a copy of a PediaCluster without the marks of a lifecycle.
func unowned(c *clusterv1alpha2.PediaCluster, l *v1alpha1.PediaClusterLifecycle) *clusterv1alpha2.PediaCluster {
	c = c.DeepCopy()
	c.OwnerReferences = slices.DeleteFunc(c.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == l.UID })
	delete(c.Annotations, v1alpha1.AnnotationLifecycleUID)
	return c
}

// lifecycle is one of that name as the controller knows it.
func (p *process) lifecycle(name string) *v1alpha1.PediaClusterLifecycle {
	item, _, _ := p.caches.Lifecycles.GetByKey(name)
	l, _ := item.(*v1alpha1.PediaClusterLifecycle)
	return l
}

// policyOf is the policy of a lifecycle as the controller knows it; nil when it knows of none.
func (p *process) policyOf(l *v1alpha1.PediaClusterLifecycle) *v1alpha1.ClusterImportPolicy {
	owner := metav1.GetControllerOf(l)
	if owner == nil {
		return nil
	}
	item, _, _ := p.caches.Policies.GetByKey(owner.Name)
	if found, ok := item.(*v1alpha1.ClusterImportPolicy); ok && found.UID == owner.UID {
		return found
	}
	return nil
}

// cluster is the stored PediaCluster of that name, or nil.
func (w *world) cluster(name string) *clusterv1alpha2.PediaCluster {
	c, _ := w.server.kind(clusterKind).objects[name].(*clusterv1alpha2.PediaCluster)
	return c
}

// policyOf is the stored policy of a lifecycle; nil when it is gone.
func (w *world) policyOf(l *v1alpha1.PediaClusterLifecycle) *v1alpha1.ClusterImportPolicy {
	owner := metav1.GetControllerOf(l)
	if owner == nil {
		return nil
	}
	if p, ok := w.server.kind(policyKind).objects[owner.Name].(*v1alpha1.ClusterImportPolicy); ok && p.UID == owner.UID {
		return p
	}
	return nil
}

func orphans(p *v1alpha1.ClusterImportPolicy) bool {
	return p.Spec.DeletionPolicy == v1alpha1.DeletionOrphan
}

func dryRun(p *v1alpha1.ClusterImportPolicy) bool { return p.Spec.Mode == v1alpha1.ModeDryRun }

// checkModes holds the removal of a lifecycle to what its policy says now of its PediaCluster: what the controller was
// told late counts too, as it asks before it removes.
func (w *world) checkModes(l *v1alpha1.PediaClusterLifecycle) {
	p, c := w.policyOf(l), w.cluster(l.Name)
	switch {
	case w.frozen(l):
		w.brokenf("lifecycle %s is deleted, and is frozen", l.Name)
	case p == nil: // all of it goes
	case dryRun(p) && belongs(c, l):
		w.brokenf("lifecycle %s is deleted under DryRun and has a PediaCluster", l.Name)
	case orphans(p) && refersTo(c, l):
		w.brokenf("lifecycle %s is deleted under Orphan, and its PediaCluster goes with it", l.Name)
	}
}

// checkMarks: under Orphan no garbage collector finds a PediaCluster, else it does; whether the policy compiles or not.
func (w *world) checkMarks(p *v1alpha1.ClusterImportPolicy) {
	if dryRun(p) {
		return
	}
	for _, l := range w.lifecyclesOf(p.UID) {
		if c := w.cluster(l.Name); belongs(c, l) && refersTo(c, l) == orphans(p) && !w.frozen(l) {
			w.brokenf("PediaCluster %s: deletionPolicy is %q, and its owners are %v", l.Name, p.Spec.DeletionPolicy, c.OwnerReferences)
		}
	}
}

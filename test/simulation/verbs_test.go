package simulation

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	clusterv1alpha2 "github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// names of PediaClusters that somebody else may make: all of them are names that a policy may want.
var wanted = []string{"east-a", "west-a", "a", "b", "shared", "east.b"}

// verbs are all that can happen. Their weights keep a controller busy most of the time and in trouble often.
var verbs = []verb{
	{"reconcile", 380, 60, 100, (*world).reconcile, func(_, b int) string { return mishapOf(b).String() }},
	{"deliver", 240, 8, 4, (*world).deliver, nil},
	{"tell", 120, 8, 4, (*world).tell, nil},
	{"advance", 60, 14, 1, func(w *world, a, _ int) { w.tick(time.Millisecond << a) },
		func(a, _ int) string { return (time.Millisecond << a).String() }},
	{"source", 50, len(places), 2 * sourceStates, (*world).putSource,
		func(a, b int) string { return place(a) + " " + describeSource(b) }},
	{"unsource", 8, len(places), 1, func(w *world, a, _ int) { w.remove(sourceKind.Resource, place(a)) },
		func(a, _ int) string { return place(a) }},
	{"secret", 40, len(places), 2 * secretStates, (*world).putSecret,
		func(a, b int) string {
			return fmt.Sprintf("%s with token %q", place(a), tokens[tokenState(b)])
		}},
	{"unsecret", 5, len(places), 1, func(w *world, a, _ int) { w.remove(secretKind.Resource, place(a)) },
		func(a, _ int) string { return place(a) }},
	{"policy", 14, len(policyNames), 2 * policyStates, (*world).putPolicy,
		func(a, b int) string { return policyNames[a%len(policyNames)] + " " + describePolicy(b) }},
	{"unpolicy", 2, len(policyNames), 1, func(w *world, a, _ int) {
		w.remove(policyKind.Resource, policyNames[a%len(policyNames)])
	}, func(a, _ int) string { return policyNames[a%len(policyNames)] }},
	{"foreign", 6, len(wanted), foreignStates, (*world).putForeign, func(a, b int) string {
		return wanted[a%len(wanted)] + []string{", alone", ", of another lifecycle", ", of another controller"}[b%foreignStates]
	}},
	{"unforeign", 3, len(wanted), 1, (*world).removeForeign, func(a, _ int) string { return wanted[a%len(wanted)] }},
	{"edit", 14, 8, len(edits), (*world).edit, func(_, b int) string { return edits[b%len(edits)].what }},
	{"unlifecycle", 3, 8, 1, (*world).removeLifecycle, nil},
	{"drop", 14, 8, 1, (*world).drop, func(int, int) string { return "a watch ends" }},
	{"outage", 25, 6, 1, func(w *world, a, _ int) { w.outage(a == 0) },
		func(a, _ int) string { return "the server is " + [...]string{"up", "down"}[zero(a)] }},
	{"forbid", 12, 2, 6, (*world).forbid, func(a, b int) string {
		return []string{"sources ", "secrets "}[a%2] + [...]string{"may be watched", "may not be watched"}[zero(b)]
	}},
	{"crd", 16, 7, 1, (*world).crd, func(a, _ int) string { return []string{"deleted", "its objects go", "gone", "created"}[min(a, 3)] }},
	{"stop", 3, 1, 1, func(w *world, _, _ int) { w.process = nil }, nil},
	{"start", 20, 1, 1, func(w *world, _, _ int) { w.start() }, nil},
	{"jump", 2, 2, 100, func(w *world, a, b int) { w.clock.skew += time.Duration(2*a-1) * time.Duration(b) * time.Hour }, nil},
	{"collect", 30, 1, 1, func(w *world, _, _ int) { w.server.collect() }, nil},
	{"settle", 12, 1, 1, func(w *world, _, _ int) { w.settle() }, nil},
	{"switch", 12, len(policyNames), len(switches), (*world).flip,
		func(a, b int) string { return policyNames[a%len(policyNames)] + " " + switches[b%len(switches)].what }},
	{"wish", 16, 8, len(wishes), (*world).wish, func(_, b int) string { return wishes[b%len(wishes)].what }},
}

// zero is 1 for 0 and 0 for all else.
func zero(n int) int {
	if n == 0 {
		return 1
	}
	return 0
}

func place(a int) string { return keyOf(&places[a%len(places)]) }

// mishapOf makes most passes go well.
func mishapOf(b int) mishap {
	const well = 80
	if b < well {
		return mishap{}
	}
	b -= well
	return mishap{1 + b/15, mishapKind(b % int(mishapKinds))} // mostly the first write
}

func (m mishap) String() string {
	if m.nth == 0 {
		return ""
	}
	return fmt.Sprintf("write %d: %s", m.nth, []string{"refused", "reply lost", "denied", "dies before it", "dies after it"}[m.kind])
}

// reconcile handles a ready key; when there is none, it waits for the next.
func (w *world) reconcile(a, b int) {
	if w.process == nil {
		return
	}
	if w.process.ready() == 0 {
		if at, ok := w.process.due(); ok {
			w.tick(at - w.clock.since)
		}
	}
	if w.process.ready() > 0 {
		w.pass(a, mishapOf(b))
	}
}

// deliver lets an informer learn something; mostly, its handlers hear of it at once.
func (w *world) deliver(a, b int) {
	if w.process == nil {
		return
	}
	busy := slices.DeleteFunc(w.process.all(), (*watch).idle)
	if len(busy) == 0 {
		return
	}
	watch := busy[a%len(busy)]
	watch.step()
	for b > 0 && len(watch.pending) > 0 {
		watch.tell()
	}
}

// tell lets the handlers of an informer hear of what its cache has.
func (w *world) tell(a, b int) {
	if w.process == nil {
		return
	}
	behind := slices.DeleteFunc(w.process.all(), func(w *watch) bool { return len(w.pending) == 0 })
	for range b + 1 {
		if len(behind) > 0 {
			behind[a%len(behind)].tell()
		}
	}
}

// put stores a new state of an object for a user.
func (w *world) put(k *kind, o object, specChanged bool) {
	if w.server.down || !k.served {
		return
	}
	before, exists := k.objects[keyOf(o)]
	if !exists {
		if k.resource != sourceKind || !w.withdrawing() { // a kind that is being removed takes no new objects
			_ = w.server.create(k, o)
		}
		return
	}
	if before.GetDeletionTimestamp() != nil {
		return
	}
	o.SetUID(before.GetUID())
	o.SetGeneration(before.GetGeneration())
	o.SetCreationTimestamp(before.GetCreationTimestamp())
	o.SetOwnerReferences(before.GetOwnerReferences())
	o.SetFinalizers(before.GetFinalizers())
	o.SetAnnotations(before.GetAnnotations())
	setStatus(o, before)
	w.server.replace(k, before, o, specChanged)
}

func (w *world) remove(resource, key string) {
	if !w.server.down {
		_ = w.server.delete(w.server.kinds[resource], key, nil)
	}
}

func (w *world) putSource(a, b int) {
	w.put(w.server.kind(sourceKind), sourceOf(places[a%len(places)], b), true)
}

func (w *world) putSecret(a, b int) {
	w.put(w.server.kind(secretKind), secretOf(places[a%len(places)], b), false)
}

// putPolicy creates or edits a policy. Half of the new ones have the finalizer of Clusterpedia's controllers.
func (w *world) putPolicy(a, b int) {
	k := w.server.kind(policyKind)
	p := newPolicy(policyNames[a%len(policyNames)], b)
	keepSwitches(p, k.objects[p.Name])
	if b >= policyStates {
		p.Finalizers = []string{v1alpha1.LegacyPolicyFinalizer}
	}
	w.put(k, p, true)
	if stored := k.objects[p.Name]; stored == object(p) {
		uid := string(p.UID)
		w.history[uid] = append(w.history[uid], p.Spec)
	}
}

func (w *world) putForeign(a, b int) {
	if !w.server.down {
		_ = w.server.create(w.server.kind(clusterKind), newForeign(wanted[a%len(wanted)], b))
	}
}

func (w *world) removeForeign(a, _ int) {
	name := wanted[a%len(wanted)]
	if l, _ := w.server.kind(lifecycleKind).objects[name].(*v1alpha1.PediaClusterLifecycle); !belongs(w.cluster(name), l) {
		w.remove(clusterKind.Resource, name)
	}
}

// edits are what users do to PediaClusters.
var edits = []struct {
	what string
	edit func(c *clusterv1alpha2.PediaCluster)
}{
	{"its endpoint is changed", func(c *clusterv1alpha2.PediaCluster) { c.Spec.APIServer = "https://user.example" }},
	{"its token is blanked", func(c *clusterv1alpha2.PediaCluster) { c.Spec.TokenData = nil }},
	{"other resources are collected", func(c *clusterv1alpha2.PediaCluster) {
		c.Spec.SyncResources = append(c.Spec.SyncResources[:0:0], clusterv1alpha2.ClusterGroupResources{Group: "apps", Resources: []string{"*"}})
	}},
	{"it gets a label", func(c *clusterv1alpha2.PediaCluster) { c.Labels = map[string]string{"user": "label"} }},
	{"it is made somebody's own", func(c *clusterv1alpha2.PediaCluster) {
		c.OwnerReferences = nil
		delete(c.Annotations, v1alpha1.AnnotationLifecycleUID)
	}},
	{"it is deleted", nil},
}

func (w *world) edit(a, b int) {
	k := w.server.kind(clusterKind)
	keys := k.keys()
	if len(keys) == 0 || w.server.down {
		return
	}
	key := keys[a%len(keys)]
	edit := edits[b%len(edits)].edit
	if edit == nil {
		_ = w.server.delete(k, key, nil)
		return
	}
	before, _ := k.objects[key].(*clusterv1alpha2.PediaCluster)
	after := before.DeepCopy()
	edit(after)
	w.server.replace(k, before, after, true)
}

func (w *world) removeLifecycle(a, _ int) {
	if keys := w.server.kind(lifecycleKind).keys(); len(keys) > 0 {
		w.remove(lifecycleKind.Resource, keys[a%len(keys)])
	}
}

func (w *world) drop(a, _ int) {
	if w.process != nil {
		all := w.process.all()
		all[a%len(all)].broken = true
	}
}

func (w *world) outage(begins bool) {
	w.server.down = begins
	if begins && w.process != nil {
		for _, watch := range w.process.all() {
			watch.broken = true
		}
	}
}

// forbid takes the right to watch a kind away, or gives it back. The API server ends watches that it no longer allows
// when they are opened anew.
func (w *world) forbid(a, b int) {
	k := w.server.kind([]schema.GroupResource{sourceKind, secretKind}[a%2])
	k.forbidden = b == 0
}

// withdrawing reports whether the kind of the sources is being removed.
func (w *world) withdrawing() bool {
	d := w.server.kind(definitionKind).objects[sourceKind.String()]
	return d == nil || d.GetDeletionTimestamp() != nil
}

// crd deletes the kind of the sources, removes its objects, or defines it anew.
func (w *world) crd(a, _ int) {
	k := w.server.kind(definitionKind)
	defined := k.objects[sourceKind.String()]
	switch {
	case w.server.down:
	case a == 0 && defined != nil && defined.GetDeletionTimestamp() == nil:
		after, _ := defined.DeepCopyObject().(object)
		now := metav1.NewTime(w.clock.monotonic())
		after.SetDeletionTimestamp(&now)
		after.SetFinalizers([]string{"customresourcecleanup.apiextensions.k8s.io"})
		w.server.replace(k, defined, after, false)
	case a == 1 && defined != nil && defined.GetDeletionTimestamp() != nil:
		sources := w.server.kind(sourceKind)
		for _, key := range sources.keys() {
			w.purged[string(sources.objects[key].GetUID())] = true
			w.server.remove(sources, sources.objects[key])
		}
	case a == 2 && defined != nil && defined.GetDeletionTimestamp() != nil && len(w.server.kind(sourceKind).objects) == 0:
		w.server.remove(k, defined)
		w.server.kind(sourceKind).served = false // the watches end when they have told of that
	case a > 2 && defined == nil:
		w.define()
	}
}

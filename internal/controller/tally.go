package controller

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

// tally counts the outcomes of each policy's sources, kept with each event rather than counted anew, and
// remembers who waits for a name that another source has claimed.
type tally struct {
	mu       sync.Mutex
	policies map[string]*policyTally
	// waiters are the sources that wait for a name.
	waiters map[string]map[SourceKey]bool
	// dueOf are the policies that lifecycles have something to remove for, by the lifecycle's name.
	dueOf map[string]string
}

type policyTally struct {
	counts     v1alpha1.SourceCounts
	lifecycles map[string]lifecycleTally
	failures   map[types.NamespacedName]lifecycle.SourceOutcome
	// claims are the names that sources wait for.
	claims map[types.NamespacedName]string
	// due are the removals that wait for the policy, by what decided them: a SourceKey or the name of a lifecycle.
	due map[any][]v1alpha1.Removal
	// kind is the source kind whose first list was taken up, and awaited are the sources of it that were not planned
	// since.
	kind    schema.GroupVersionResource
	awaited map[SourceKey]bool
	// looked is what of the policy the policy loop has handled last, nil when it has not handled it.
	looked *look
	// frozen says that something was planned under a pause that the policy loop may never see.
	frozen bool
}

// lifecycleTally is what is counted of one lifecycle.
type lifecycleTally struct {
	counts v1alpha1.SourceCounts
	ready  metav1.ConditionStatus
	// since is when it began to wait; zero when it does not.
	since time.Time
	// expires is when its credentials end; zero when that is not known.
	expires time.Time
}

func newTally() *tally {
	return &tally{policies: map[string]*policyTally{}, waiters: map[string]map[SourceKey]bool{}, dueOf: map[string]string{}}
}

func (t *tally) of(policy string) *policyTally {
	p, ok := t.policies[policy]
	if !ok {
		p = &policyTally{
			lifecycles: map[string]lifecycleTally{}, failures: map[types.NamespacedName]lifecycle.SourceOutcome{},
			claims: map[types.NamespacedName]string{}, due: map[any][]v1alpha1.Removal{},
		}
		t.policies[policy] = p
	}
	return p
}

// lifecycleChanged counts a lifecycle, or no longer counts one that is nil.
func (t *tally) lifecycleChanged(policy, name string, l *v1alpha1.PediaClusterLifecycle) (changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(policy)
	var counted lifecycleTally
	if l != nil {
		counted = count(l)
	}
	now, before := counted.counts, p.lifecycles[name].counts
	p.counts.Selected += now.Selected - before.Selected
	p.counts.Imported += now.Imported - before.Imported
	p.counts.Waiting += now.Waiting - before.Waiting
	p.counts.Failed += now.Failed - before.Failed
	if l == nil {
		delete(p.lifecycles, name)
	} else {
		p.lifecycles[name] = counted
	}
	return now != before
}

func count(l *v1alpha1.PediaClusterLifecycle) lifecycleTally {
	t := lifecycleTally{ready: metav1.ConditionUnknown}
	if ready := meta.FindStatusCondition(l.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		t.ready = ready.Status
	}
	t.counts.Selected = 1
	switch imported, waiting := lifecycle.State(l); {
	case imported:
		t.counts.Imported = 1
		t.expires = firstEnd(l.Status.Expires)
	case waiting:
		t.counts.Waiting = 1
		t.since = l.CreationTimestamp.Time
		if created := meta.FindStatusCondition(l.Status.Conditions, v1alpha1.ConditionCreated); created != nil {
			t.since = created.LastTransitionTime.Time
		}
	default:
		t.counts.Failed = 1
	}
	return t
}

// firstEnd is when the first of a cluster's credentials ends.
func firstEnd(e *v1alpha1.CredentialExpiry) time.Time {
	var first time.Time
	if e == nil {
		return first
	}
	for _, end := range []*metav1.Time{e.ClientCertificate, e.Token} {
		if end != nil && (first.IsZero() || end.Time.Before(first)) {
			first = end.Time
		}
	}
	return first
}

// sourceChanged records the outcome of a source.
func (t *tally) sourceChanged(key SourceKey, outcome lifecycle.SourceOutcome) (changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(key.Policy)
	t.wait(p, key, outcome.Claims)
	before, failed := p.failures[key.Source]
	if outcome.Reason == "" {
		delete(p.failures, key.Source)
		return failed
	}
	p.failures[key.Source] = outcome
	return before != outcome
}

// wait records the name that a source waits for, empty for none.
func (t *tally) wait(p *policyTally, key SourceKey, name string) {
	if before := p.claims[key.Source]; before != "" {
		delete(p.claims, key.Source)
		delete(t.waiters[before], key)
		if len(t.waiters[before]) == 0 {
			delete(t.waiters, before)
		}
	}
	if name == "" {
		return
	}
	p.claims[key.Source] = name
	if t.waiters[name] == nil {
		t.waiters[name] = map[SourceKey]bool{}
	}
	t.waiters[name][key] = true
}

// await waits for every source of a kind to be planned once, and reports whether none is.
func (t *tally) await(policy string, kind schema.GroupVersionResource, sources map[SourceKey]bool) (settled bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(policy)
	if p.kind == kind {
		return false
	}
	p.kind, p.awaited = kind, maps.Clone(sources)
	return len(p.awaited) == 0
}

// planned says that a source was planned, and reports whether it was the last that was awaited.
func (t *tally) planned(key SourceKey) (settled bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(key.Policy)
	if !p.awaited[key] {
		return false
	}
	delete(p.awaited, key)
	return len(p.awaited) == 0
}

// settled reports whether every source of a kind was planned once.
func (t *tally) settled(policy string, kind schema.GroupVersionResource) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(policy)
	return p.kind == kind && len(p.awaited) == 0
}

// look is the part of a policy that says what is to be done, whether it compiles or not.
type look struct {
	generation int64
	paused     bool
}

// look says that the policy loop has handled a policy, and reports whether that is news. seen asks for that.
func (t *tally) look(policy *v1alpha1.ClusterImportPolicy) (news bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(policy.Name)
	now := look{policy.Generation, lifecycle.Paused(policy.Annotations)}
	news = p.looked == nil || *p.looked != now || p.frozen && !now.paused
	p.looked, p.frozen = &now, p.frozen && now.paused
	return news
}

// freeze says that a source or a lifecycle is planned while its policy is paused.
func (t *tally) freeze(policy *v1alpha1.ClusterImportPolicy) {
	if policy == nil || !lifecycle.Paused(policy.Annotations) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(policy.Name).frozen = true
}

func (t *tally) seen(policy string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, ok := t.policies[policy]
	return ok && p.looked != nil
}

// failing returns the sources of a policy for which no lifecycle could be made.
func (t *tally) failing(policy string) []types.NamespacedName {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Collect(maps.Keys(t.of(policy).failures))
}

// waitersFor returns the sources that wait for a name.
func (t *tally) waitersFor(name string) []SourceKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	var keys []SourceKey
	for key := range t.waiters[name] {
		keys = append(keys, key)
	}
	return keys
}

// maxFailures is how many failures a policy's status lists.
const maxFailures = 10

// outcomes returns the counts of a policy and its first failures.
func (t *tally) outcomes(policy string) (v1alpha1.SourceCounts, []v1alpha1.SourceFailure) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(policy)
	counts := p.all()
	var failures []v1alpha1.SourceFailure
	for source, outcome := range p.failures {
		failures = append(failures, v1alpha1.SourceFailure{
			Namespace: source.Namespace, Name: source.Name, Reason: outcome.Reason, Message: clipMessage(outcome.Message),
		})
	}
	slices.SortFunc(failures, func(a, b v1alpha1.SourceFailure) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return counts, failures[:min(len(failures), maxFailures)]
}

// all counts the sources without a lifecycle too.
func (p *policyTally) all() v1alpha1.SourceCounts {
	counts := p.counts
	counts.Selected += int32(len(p.failures)) //nolint:gosec // fleets have fewer than 2^31 clusters
	counts.Failed += int32(len(p.failures))   //nolint:gosec // as above
	return counts
}

// describe fills in what is counted of a policy.
func (t *tally) describe(s *PolicyState, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, ok := t.policies[s.Name]
	if !ok {
		return
	}
	s.Sources = p.all()
	for _, l := range p.lifecycles {
		switch l.ready {
		case metav1.ConditionTrue:
			s.Ready++
		case metav1.ConditionFalse:
			s.NotReady++
		default:
			s.Unknown++
		}
		if !l.since.IsZero() {
			s.LongestWait = max(s.LongestWait, now.Sub(l.since))
		}
		if !l.expires.IsZero() && (s.Expires.IsZero() || l.expires.Before(s.Expires)) {
			s.Expires = l.expires
		}
	}
}

func clipMessage(message string) string {
	const most = 1000
	if runes := []rune(message); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return message
}

// forget drops what is known of a policy.
func (t *tally) forget(policy string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.policies, policy)
	maps.DeleteFunc(t.dueOf, func(_, of string) bool { return of == policy })
	for name, keys := range t.waiters {
		for key := range keys {
			if key.Policy == policy {
				delete(keys, key)
			}
		}
		if len(keys) == 0 {
			delete(t.waiters, name)
		}
	}
}

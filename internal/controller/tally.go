package controller

import (
	"cmp"
	"slices"
	"sync"

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
}

type policyTally struct {
	counts     v1alpha1.SourceCounts
	lifecycles map[string]v1alpha1.SourceCounts
	failures   map[types.NamespacedName]lifecycle.SourceOutcome
}

func newTally() *tally {
	return &tally{policies: map[string]*policyTally{}, waiters: map[string]map[SourceKey]bool{}}
}

func (t *tally) of(policy string) *policyTally {
	p, ok := t.policies[policy]
	if !ok {
		p = &policyTally{
			lifecycles: map[string]v1alpha1.SourceCounts{}, failures: map[types.NamespacedName]lifecycle.SourceOutcome{},
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
	var now v1alpha1.SourceCounts
	if l != nil {
		now.Selected = 1
		switch imported, waiting := lifecycle.State(l); {
		case imported:
			now.Imported = 1
		case waiting:
			now.Waiting = 1
		default:
			now.Failed = 1
		}
	}
	before := p.lifecycles[name]
	p.counts.Selected += now.Selected - before.Selected
	p.counts.Imported += now.Imported - before.Imported
	p.counts.Waiting += now.Waiting - before.Waiting
	p.counts.Failed += now.Failed - before.Failed
	if l == nil {
		delete(p.lifecycles, name)
	} else {
		p.lifecycles[name] = now
	}
	return now != before
}

// sourceChanged records the outcome of a source.
func (t *tally) sourceChanged(key SourceKey, outcome lifecycle.SourceOutcome) (changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.of(key.Policy)
	before, failed := p.failures[key.Source]
	if failed && before.Claims != "" {
		delete(t.waiters[before.Claims], key)
		if len(t.waiters[before.Claims]) == 0 {
			delete(t.waiters, before.Claims)
		}
	}
	if outcome.Reason == "" {
		delete(p.failures, key.Source)
		return failed
	}
	p.failures[key.Source] = outcome
	if outcome.Claims != "" {
		if t.waiters[outcome.Claims] == nil {
			t.waiters[outcome.Claims] = map[SourceKey]bool{}
		}
		t.waiters[outcome.Claims][key] = true
	}
	return before != outcome
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
	counts := p.counts
	counts.Selected += int32(len(p.failures)) //nolint:gosec // fleets have fewer than 2^31 clusters
	counts.Failed += int32(len(p.failures))   //nolint:gosec // as above
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

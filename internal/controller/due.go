package controller

import (
	"slices"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// dueChange says how what is due for removal has changed.
type dueChange int

const (
	sameDue dueChange = iota
	// someDue: it has changed. firstDue: there was nothing before.
	someDue
	firstDue
)

// sourceDue records what a source's plan wants to remove.
func (t *tally) sourceDue(key SourceKey, due []v1alpha1.Removal) dueChange {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.of(key.Policy).setDue(key, due)
}

// lifecycleDue records what a lifecycle's plan wants to remove. What it wanted for another policy was withdrawn.
func (t *tally) lifecycleDue(policy, name string, due []v1alpha1.Removal) dueChange {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(due) > 0 {
		t.dueOf[name] = policy
	} else {
		delete(t.dueOf, name)
	}
	return t.of(policy).setDue(name, due)
}

// withdrawDue forgets what a lifecycle wanted to remove, unless it was for this policy, and returns which policy counted
// it: none, if there was nothing.
func (t *tally) withdrawDue(name, unless string) (policy string, change dueChange) {
	t.mu.Lock()
	defer t.mu.Unlock()
	policy, ok := t.dueOf[name]
	if !ok || policy == unless {
		return "", sameDue
	}
	delete(t.dueOf, name)
	return policy, t.of(policy).setDue(name, nil)
}

func (p *policyTally) setDue(key any, due []v1alpha1.Removal) dueChange {
	if slices.Equal(p.due[key], due) {
		return sameDue
	}
	before := len(p.due)
	if len(due) == 0 {
		delete(p.due, key)
	} else {
		p.due[key] = due
	}
	if before == 0 {
		return firstDue
	}
	return someDue
}

// dueFor returns all removals of a policy that are due.
func (t *tally) dueFor(policy string) []v1alpha1.Removal {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []v1alpha1.Removal
	for _, due := range t.of(policy).due {
		all = append(all, due...)
	}
	return all
}

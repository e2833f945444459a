package lifecycle

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// The removal of an imported cluster is admitted before it is done, by a write of the policy's status that counts it:
// the budget holds over restarts and changes of the leader, because whoever removes has read that write. Who admits
// writes on top of the state that was read, so that two leaders cannot both admit the last removal of a window.

const (
	// deletionWindow is the time that maxDeletions is about.
	deletionWindow = time.Hour
	// leastDeletions and usualPercent are the budget of a policy that says none.
	leastDeletions = 5
	usualPercent   = 10
	// maxAdmitted keeps the status small: further removals are admitted when these are done.
	maxAdmitted = 32
)

// admitted reports whether the removal of an object is counted already.
func admitted(d *v1alpha1.Deletions, uid types.UID) bool {
	return d != nil && slices.ContainsFunc(d.Admitted, func(r v1alpha1.Removal) bool { return r.UID == uid })
}

// allowance is how many of a fleet may be removed within one window.
func allowance(limit *intstr.IntOrString, fleet int32) int32 {
	if limit == nil {
		return max(leastDeletions, percentOf(usualPercent, fleet))
	}
	if limit.Type == intstr.Int {
		return max(0, limit.IntVal)
	}
	percent, err := intstr.GetScaledValueFromIntOrPercent(limit, 100, true)
	if err != nil {
		return 0 // the API server lets no such value in
	}
	return percentOf(percent, fleet)
}

// percentOf rounds up: a small fleet may be removed one by one.
func percentOf(percent int, fleet int32) int32 {
	return int32((int64(fleet)*int64(percent) + 99) / 100) //nolint:gosec // at most the fleet
}

// budget is the next state of a policy's deletions, and what is due and not admitted. A state that is not settled is
// kept: what is due is not known yet.
func (s PolicyState) budget() (next *v1alpha1.Deletions, again time.Duration) {
	before := s.Deletions
	if !s.Settled || before == nil && len(s.Due) == 0 {
		return before, 0
	}
	next = &v1alpha1.Deletions{}
	if before != nil {
		next = before.DeepCopy()
	}
	next.Admitted = slices.DeleteFunc(next.Admitted, func(r v1alpha1.Removal) bool { return !s.Present(r) })
	due := slices.DeleteFunc(slices.Clone(s.Due), func(r v1alpha1.Removal) bool { return admitted(next, r.UID) })
	slices.SortFunc(due, func(a, b v1alpha1.Removal) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.UID, b.UID)) })
	if len(due) > 0 && !s.Now.Before(next.WindowStart.Add(deletionWindow)) {
		s.openWindow(next)
	}
	if len(due) > 0 {
		// A fleet that grows may lose more. What is due is part of it, counted or not yet.
		next.Fleet = max(next.Fleet, s.Counts.Imported, int32(len(due)+len(next.Admitted))) //nolint:gosec // fleets have fewer than 2^31 clusters
	}
	// An annotation that was there before anything was held releases nothing.
	if value := s.Policy.Annotations[v1alpha1.AnnotationRelease]; value != next.Release {
		if value != "" {
			next.Released += next.Held
		}
		next.Release = value
	}
	next.Allowed = allowance(s.Policy.Spec.MaxDeletions, next.Fleet) + next.Released
	room := max(0, int(next.Allowed-next.Removed))
	next.Held = int32(max(0, len(due)-room)) //nolint:gosec // fleets have fewer than 2^31 clusters
	now := min(room, len(due), max(0, maxAdmitted-len(next.Admitted)))
	next.Admitted = append(next.Admitted, due[:now]...)
	next.Removed += int32(now)
	if next.Held > 0 {
		again = next.WindowStart.Add(deletionWindow).Sub(s.Now)
	}
	return next, again
}

// openWindow starts to count anew. What is admitted and was not done in the window before counts in this one, unless it is
// not due any more.
func (s PolicyState) openWindow(d *v1alpha1.Deletions) {
	d.Admitted = slices.DeleteFunc(d.Admitted, func(r v1alpha1.Removal) bool { return !slices.Contains(s.Due, r) })
	d.WindowStart = metav1.NewTime(s.Now.Truncate(time.Second))
	d.Fleet = 0
	d.Removed = int32(len(d.Admitted)) //nolint:gosec // at most maxAdmitted
	d.Released = 0
}

// setDeletions says in a condition what is held. A policy that never held anything has no such condition.
func (s PolicyState) setDeletions(c *conditions, d *v1alpha1.Deletions) {
	switch {
	case d != nil && d.Held > 0:
		c.set(v1alpha1.ConditionDeletionsHeld, metav1.ConditionTrue, v1alpha1.ReasonBudgetExceeded, fmt.Sprintf(
			"%d imported clusters are due for removal and stay: %d of the %d that may be removed in the hour since %s are; "+
				"the annotation %s with a new value releases them",
			d.Held, d.Removed, d.Allowed, d.WindowStart.UTC().Format(time.RFC3339), v1alpha1.AnnotationRelease))
	case reasonOf(c.list, v1alpha1.ConditionDeletionsHeld) != "":
		c.set(v1alpha1.ConditionDeletionsHeld, metav1.ConditionFalse, v1alpha1.ReasonWithinBudget, "no removal is held")
	}
}

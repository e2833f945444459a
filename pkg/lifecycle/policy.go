package lifecycle

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/diag"
)

// PolicyState is what is known of one policy.
type PolicyState struct {
	Now    time.Time
	Policy *v1alpha1.ClusterImportPolicy
	// Diagnostics are what compiling the policy found.
	Diagnostics diag.List
	// Unavailable says why the source kind or a reference's kind cannot be used; nil when all are served.
	Unavailable *Unavailable
	// Source is the source kind with its chosen version; nil when Unavailable.
	Source *v1alpha1.ResolvedResource
	// Watches are the kinds that the policy watches.
	Watches []Watch
	// Settled says that every source of the policy has been planned since the process started. Until then the outcomes
	// and what is due are not known, and what the status says of them stays.
	Settled bool
	// Counts and Failures are the outcomes of the policy's sources.
	Counts   v1alpha1.SourceCounts
	Failures []v1alpha1.SourceFailure
	// Deletions is the state of the budget that was written last.
	Deletions *v1alpha1.Deletions
	// Due are the removals that wait to be admitted, or were and are not done.
	Due []v1alpha1.Removal
	// Present reports whether what is to be removed is still there.
	Present func(v1alpha1.Removal) bool
}

// Unavailable says why a kind cannot be used.
type Unavailable struct {
	// Reason is FailedNegotiateSourceResource or FailedNegotiateReferenceResource.
	Reason, Message string
}

// Watch is the state of the watch of one kind.
type Watch struct {
	Resource v1alpha1.ResolvedResource
	Synced   bool
	// Reason and Message say why the watch fails; empty when it does not. Reason is WatchFailed or Forbidden.
	Reason, Message string
}

// PlanPolicy decides the status of one policy. It has no other effect: sources are planned one by one.
func PlanPolicy(s PolicyState) Plan {
	if s.Policy.DeletionTimestamp != nil {
		return dropFinalizer(s.Policy, v1alpha1.LegacyPolicyFinalizer)
	}
	c := newConditions(s.Now, s.Policy.Generation, s.Policy.Status.Conditions)
	if s.Diagnostics.HasErrors() {
		s.setInvalid(c)
	} else {
		s.setValid(c)
	}
	deletions, again := s.budget()
	s.setDeletions(c, deletions)
	status := v1alpha1.ClusterImportPolicyStatus{
		ObservedGeneration: s.Policy.Generation,
		Conditions:         c.list,
		Source:             s.Source,
		Sources:            &s.Counts,
		Failures:           s.Failures,
		Deletions:          deletions,
	}
	if status.Source == nil {
		status.Source = s.Policy.Status.Source
	}
	if before := s.Policy.Status; !s.Settled && before.Sources != nil && before.ObservedGeneration == s.Policy.Generation {
		status.Sources, status.Failures = before.Sources, before.Failures
	}
	plan := Plan{Again: again}
	if equality.Semantic.DeepEqual(s.Policy.Status, status) {
		return plan
	}
	plan.add(SetPolicyStatus{s.Policy, status})
	if was, is := reasonOf(s.Policy.Status.Conditions, v1alpha1.ConditionReady), reasonOf(c.list, v1alpha1.ConditionReady); was != is {
		plan.add(Emit{Warning: !isTrue(c.list, v1alpha1.ConditionReady), Reason: is, Message: messageOf(c.list, v1alpha1.ConditionReady)})
	}
	if isTrue(c.list, v1alpha1.ConditionDeletionsHeld) && !isTrue(s.Policy.Status.Conditions, v1alpha1.ConditionDeletionsHeld) {
		plan.add(Emit{Warning: true, Reason: v1alpha1.ConditionDeletionsHeld, Message: messageOf(c.list, v1alpha1.ConditionDeletionsHeld)})
	}
	return plan
}

// messageOf is the message of a condition, as long as an event may be.
func messageOf(list []metav1.Condition, conditionType string) string {
	const most = 1000 // events carry 1 KiB
	if c := meta.FindStatusCondition(list, conditionType); c != nil {
		return clip(c.Message, most)
	}
	return ""
}

// setInvalid: the policy does not compile. What was imported before stays and is followed by the last spec
// that compiled.
func (s PolicyState) setInvalid(c *conditions) {
	errs := s.Diagnostics.Errors()
	c.set(v1alpha1.ConditionValidated, metav1.ConditionFalse, validatedReason(errs), errs.String())
	c.set(v1alpha1.ConditionReconciling, metav1.ConditionFalse, v1alpha1.ReasonInvalid, "waits for a valid spec")
	c.set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalid,
		"not valid; imported clusters are left as they are: "+errs[0].Summary())
}

func validatedReason(errs diag.List) string {
	switch field := errs[0].Field; {
	case field == "spec.nameTemplate":
		return v1alpha1.ReasonFailedParseLifecycleName
	case strings.HasPrefix(field, "spec.source.selector"):
		return v1alpha1.ReasonFailedParseSourceSelector
	default:
		return v1alpha1.ReasonInvalidExpression
	}
}

func (s PolicyState) setValid(c *conditions) {
	c.set(v1alpha1.ConditionValidated, metav1.ConditionTrue, v1alpha1.ReasonSuccess, validMessage(s.Diagnostics))
	reason, message := s.availability()
	available := metav1.ConditionFalse
	if reason == v1alpha1.ReasonWatched {
		available = metav1.ConditionTrue
	}
	c.set(v1alpha1.ConditionSourceAvailable, available, reason, message)
	s.setReconciling(c)
	switch {
	case Paused(s.Policy.Annotations):
		c.set(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonPaused,
			"nothing is created, changed or removed while the policy has the annotation "+v1alpha1.AnnotationPaused)
	case available == metav1.ConditionFalse:
		c.set(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonSourceUnavailable, message)
	case s.Policy.Spec.Mode == v1alpha1.ModeDryRun:
		c.set(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonActive,
			"the policy is active; its mode is DryRun: no PediaCluster is written")
	default:
		c.set(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonActive, "the policy is active")
	}
}

func validMessage(list diag.List) string {
	if len(list) == 0 {
		return "every expression compiles"
	}
	return "every expression compiles\n" + list.String()
}

func (s PolicyState) availability() (reason, message string) {
	if s.Unavailable != nil {
		return s.Unavailable.Reason, s.Unavailable.Message
	}
	for _, w := range s.Watches {
		if w.Reason != "" {
			return w.Reason, w.Message
		}
	}
	return v1alpha1.ReasonWatched, "the source and its references are watched"
}

func (s PolicyState) setReconciling(c *conditions) {
	// A process that starts lists what another had listed before: to a user nothing is under way.
	restart := s.Policy.Status.ObservedGeneration == s.Policy.Generation &&
		reasonOf(c.list, v1alpha1.ConditionReconciling) == v1alpha1.ReasonReconcile
	for _, w := range s.Watches {
		if !w.Synced && w.Reason == "" && !restart {
			c.set(v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonWaitResourceSynced,
				fmt.Sprintf("the first list of %s is under way", resourceName(w.Resource)))
			return
		}
	}
	c.set(v1alpha1.ConditionReconciling, metav1.ConditionFalse, v1alpha1.ReasonReconcile, "sources are followed")
}

func resourceName(r v1alpha1.ResolvedResource) string {
	if r.Group == "" {
		return r.Resource + " " + r.Version
	}
	return r.Resource + "." + r.Group + " " + r.Version
}

// State classes a lifecycle for counting, by its own status.
func State(l *v1alpha1.PediaClusterLifecycle) (imported, waiting bool) {
	if isTrue(l.Status.Conditions, v1alpha1.ConditionCreated) {
		return true, false
	}
	switch reasonOf(l.Status.Conditions, v1alpha1.ConditionCreated) {
	case "", v1alpha1.ReasonWaitCreationCondition, v1alpha1.ReasonReferenceResourceNotFound,
		v1alpha1.ReasonWaitDependentResourceSynced, v1alpha1.ReasonMissingCredentials,
		v1alpha1.ReasonSourceResourceNotFound, v1alpha1.ReasonPolicyNotReady, v1alpha1.ReasonPaused,
		v1alpha1.ReasonDryRun, v1alpha1.ReasonNotSelected, v1alpha1.ReasonDeletionCondition:
		return false, true
	default:
		return false, false
	}
}

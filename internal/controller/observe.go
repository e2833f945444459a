package controller

import (
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// Observer is told what the reconcilers do, from many goroutines at a time. It must be quick.
type Observer interface {
	// Passed is told of every pass of a loop.
	Passed(loop string, took time.Duration, err error)
	// Compiled is told of every compilation of a policy, Reused of every pass over a policy that needed none.
	Compiled(policy string, dialect policy.Dialect, took time.Duration, ok bool)
	Reused()
	// Evaluations returns who is told of the evaluations of a policy.
	Evaluations(policy string) policy.Observer
	// Operated is told of writes of PediaClusters; err is ErrConflict when somebody else holds the name.
	Operated(policy string, operation Operation, err error)
	// Imported is told how long after the event that made it possible a PediaCluster was written.
	Imported(took time.Duration)
	// Forgotten is told of a policy that is gone.
	Forgotten(policy string)
}

// Operation is what was done to a PediaCluster.
type Operation string

// The operations. A PediaCluster is deleted by the deletion of its lifecycle.
const (
	OperationCreate Operation = "create"
	OperationUpdate Operation = "update"
	OperationDelete Operation = "delete"
)

// ErrConflict says that a PediaCluster is not created because somebody else holds its name.
var ErrConflict = errors.New("the name is taken")

// operationOf returns what an action does to a PediaCluster, or "".
func operationOf(action lifecycle.Action) Operation {
	switch action.(type) {
	case lifecycle.CreateCluster:
		return OperationCreate
	case lifecycle.PatchCluster, lifecycle.MarkCluster:
		return OperationUpdate
	case lifecycle.DeleteLifecycle, lifecycle.DeleteCluster:
		return OperationDelete
	default:
		return ""
	}
}

// acted tells the observer of an action about an object. A lagging cache is no failure: the action is tried again at
// once with a newer one.
func (r *Reconcilers) acted(about runtime.Object, action lifecycle.Action, err error) {
	operation := operationOf(action)
	if set, ok := action.(lifecycle.SetLifecycleStatus); ok && err == nil && metConflict(set) {
		operation, err = OperationCreate, ErrConflict
	}
	if operation != "" && (err == nil || !isRace(err)) {
		r.Observer.Operated(policyOf(about), operation, err)
	}
}

// metConflict reports whether a status is the first to say that somebody else's PediaCluster has the name.
func metConflict(a lifecycle.SetLifecycleStatus) bool {
	is, was := reasonOf(a.Status.Conditions, v1alpha1.ConditionCreated), reasonOf(a.Lifecycle.Status.Conditions, v1alpha1.ConditionCreated)
	return is == v1alpha1.ReasonPediaClusterExisted && was != is
}

// policyOf returns the policy that an action about an object is for.
func policyOf(about runtime.Object) string {
	switch o := about.(type) {
	case *v1alpha1.ClusterImportPolicy:
		return o.Name
	case *v1alpha1.PediaClusterLifecycle:
		if owner := metav1.GetControllerOf(o); owner != nil {
			return owner.Name
		}
	}
	return ""
}

func reasonOf(conditions []metav1.Condition, conditionType string) string {
	if c := meta.FindStatusCondition(conditions, conditionType); c != nil {
		return c.Reason
	}
	return ""
}

// State is what a controller knows at one time.
type State struct {
	Policies []PolicyState
	Kinds    []KindState
	// Compiled is how many policies are kept compiled.
	Compiled int
}

// PolicyState is what is known of one policy.
type PolicyState struct {
	Name       string
	Conditions []metav1.Condition
	// Sources are the sources by what became of them.
	Sources v1alpha1.SourceCounts
	// Ready, NotReady and Unknown are the lifecycles by their condition Ready.
	Ready, NotReady, Unknown int
	// LongestWait is how long the source that waits longest has been waiting; 0 when none waits.
	LongestWait time.Duration
	// Expires is when the first credentials of the imported clusters end; zero when that is not known of any.
	Expires time.Time
	// Held is how many removals the policy's budget holds.
	Held int32
}

// KindState is what is known of a kind that policies watch.
type KindState struct {
	Resource schema.GroupVersionResource
	// Up says that the kind is listed and its watch works.
	Up bool
	// Objects is how many are cached.
	Objects int
}

// State returns what the controller knows, nothing before it runs.
func (c *Controller) State() State {
	running := c.running.Load()
	if running == nil {
		return State{}
	}
	state := State{Compiled: running.reconcilers.compiled.len()}
	for _, item := range c.policies.GetStore().List() {
		if p, ok := item.(*v1alpha1.ClusterImportPolicy); ok {
			s := PolicyState{Name: p.Name, Conditions: p.Status.Conditions}
			running.reconcilers.tally.describe(&s, c.Now())
			if d := running.reconcilers.deletions(p.Name, p.UID); d != nil {
				s.Held = d.Held
			}
			state.Policies = append(state.Policies, s)
		}
	}
	for _, gvr := range running.watches.Kinds() {
		synced, err := running.watches.Status(gvr)
		state.Kinds = append(state.Kinds, KindState{gvr, synced && err == nil, len(running.watches.Names(gvr))})
	}
	return state
}

// unobserved is an Observer for those who observe nothing.
type unobserved struct{}

func (unobserved) Passed(string, time.Duration, error)                  {}
func (unobserved) Compiled(string, policy.Dialect, time.Duration, bool) {}
func (unobserved) Reused()                                              {}
func (unobserved) Evaluations(string) policy.Observer                   { return nil }
func (unobserved) Operated(string, Operation, error)                    {}
func (unobserved) Imported(time.Duration)                               {}
func (unobserved) Forgotten(string)                                     {}

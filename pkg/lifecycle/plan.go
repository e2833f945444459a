package lifecycle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// Plan is what has to be done, in order. When an action fails, the ones after it are not done.
type Plan struct {
	Actions []Action
	// Due are the removals of imported clusters that are decided and not done: the policy has to admit them first.
	Due []v1alpha1.Removal
	// Again is when to plan anew though nothing changes; 0 is not at all.
	Again time.Duration
}

// Removes reports whether the plan removes anything: it should then be made again of what the API server says now, and
// not of what caches say.
func (p Plan) Removes() bool {
	return slices.ContainsFunc(p.Actions, func(a Action) bool {
		switch a.(type) {
		case DeleteLifecycle, DeleteCluster:
			return true
		default:
			return false
		}
	})
}

// String prints an action on each line.
func (p Plan) String() string {
	lines := make([]string, len(p.Actions))
	for i, a := range p.Actions {
		lines[i] = a.String()
	}
	return strings.Join(lines, "\n")
}

func (p *Plan) add(a Action) { p.Actions = append(p.Actions, a) }

// Action is one write, or an event. Its String names fields, never values of credentials.
type Action interface {
	action()
	String() string
}

// CreateLifecycle claims a name for a source.
type CreateLifecycle struct {
	Lifecycle *v1alpha1.PediaClusterLifecycle
}

// UpdateLifecycle brings a lifecycle in step with its policy; the object carries the resourceVersion it is based on.
type UpdateLifecycle struct {
	Lifecycle *v1alpha1.PediaClusterLifecycle
}

// DeleteLifecycle removes a lifecycle, and with it, by the garbage collector, its PediaCluster.
type DeleteLifecycle struct {
	Name            string
	UID             types.UID
	ResourceVersion string
	// Because is why, for events and logs.
	Because string
}

// CreateCluster creates a PediaCluster.
type CreateCluster struct{ Cluster *v1alpha2.PediaCluster }

// DeleteCluster removes a PediaCluster whose lifecycle stays.
type DeleteCluster struct {
	Name            string
	UID             types.UID
	ResourceVersion string
}

// PatchCluster changes fields of a PediaCluster that is ours.
type PatchCluster struct {
	Changes

	Name            string
	UID             types.UID
	ResourceVersion string
}

// Changes are the changed fields of a PediaCluster, and no others. A field that is nil is removed.
type Changes struct {
	// Spec holds JSON values.
	Spec map[string]any
	// Labels and Annotations hold texts.
	Labels, Annotations map[string]any
}

// Fields names the changed fields, in order.
func (c Changes) Fields() []string {
	fields := slices.Sorted(maps.Keys(c.Spec))
	for _, group := range []struct {
		name string
		of   map[string]any
	}{{"metadata.labels.", c.Labels}, {"metadata.annotations.", c.Annotations}} {
		for _, key := range slices.Sorted(maps.Keys(group.of)) {
			fields = append(fields, group.name+key)
		}
	}
	return fields
}

// MarkCluster changes whose a PediaCluster is, and nothing else of it.
type MarkCluster struct {
	Name            string
	UID             types.UID
	ResourceVersion string
	// Owners are all ownerReferences that it then has.
	Owners []metav1.OwnerReference
	// LifecycleUID is the value of v1alpha1.AnnotationLifecycleUID; empty removes it.
	LifecycleUID string
}

// SetPolicyStatus writes the status of a policy.
type SetPolicyStatus struct {
	Policy *v1alpha1.ClusterImportPolicy
	Status v1alpha1.ClusterImportPolicyStatus
}

// SetLifecycleStatus writes the status of a lifecycle.
type SetLifecycleStatus struct {
	Lifecycle *v1alpha1.PediaClusterLifecycle
	Status    v1alpha1.PediaClusterLifecycleStatus
}

// DropFinalizer removes a finalizer that Clusterpedia's controllers left on an object that is being deleted.
type DropFinalizer struct {
	// Object is a *v1alpha1.ClusterImportPolicy or a *v1alpha1.PediaClusterLifecycle.
	Object    metav1.Object
	Finalizer string
}

// Emit records an event about the policy or the lifecycle that the plan is for.
type Emit struct {
	Warning bool
	Reason  string
	Message string
}

func (CreateLifecycle) action()    {}
func (UpdateLifecycle) action()    {}
func (DeleteLifecycle) action()    {}
func (CreateCluster) action()      {}
func (DeleteCluster) action()      {}
func (PatchCluster) action()       {}
func (MarkCluster) action()        {}
func (SetPolicyStatus) action()    {}
func (SetLifecycleStatus) action() {}
func (DropFinalizer) action()      {}
func (Emit) action()               {}

// String implements fmt.Stringer.
func (a CreateLifecycle) String() string {
	return fmt.Sprintf("create lifecycle %s for %s", a.Lifecycle.Name, a.Lifecycle.Spec.Source)
}

// String implements fmt.Stringer.
func (a UpdateLifecycle) String() string { return "update lifecycle " + a.Lifecycle.Name }

// String implements fmt.Stringer.
func (a DeleteLifecycle) String() string {
	return fmt.Sprintf("delete lifecycle %s: %s", a.Name, a.Because)
}

// String implements fmt.Stringer.
func (a DeleteCluster) String() string { return "delete cluster " + a.Name }

// String implements fmt.Stringer.
func (a CreateCluster) String() string { return "create cluster " + a.Cluster.Name }

// String implements fmt.Stringer.
func (a PatchCluster) String() string {
	return fmt.Sprintf("patch cluster %s: %s", a.Name, strings.Join(a.Fields(), ", "))
}

// String implements fmt.Stringer.
func (a MarkCluster) String() string {
	if a.LifecycleUID != "" {
		return fmt.Sprintf("mark cluster %s: it stays without its lifecycle", a.Name)
	}
	return fmt.Sprintf("mark cluster %s: it goes with its lifecycle", a.Name)
}

// String implements fmt.Stringer.
func (a SetPolicyStatus) String() string {
	return "set policy status: " + conditionsString(a.Status.Conditions)
}

// String implements fmt.Stringer.
func (a SetLifecycleStatus) String() string {
	return "set lifecycle status: " + conditionsString(a.Status.Conditions)
}

// String implements fmt.Stringer.
func (a DropFinalizer) String() string {
	return fmt.Sprintf("drop finalizer %s of %s", a.Finalizer, a.Object.GetName())
}

// String implements fmt.Stringer.
func (a Emit) String() string { return fmt.Sprintf("event %s: %s", a.Reason, a.Message) }

func conditionsString(conditions []metav1.Condition) string {
	texts := make([]string, len(conditions))
	for i, c := range conditions {
		texts[i] = fmt.Sprintf("%s=%s/%s %q", c.Type, c.Status, c.Reason, c.Message)
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

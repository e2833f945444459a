package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// ActivePolicy is a policy that is compiled and whose kinds are served.
type ActivePolicy struct {
	Policy   *v1alpha1.ClusterImportPolicy
	Compiled *policy.Policy
	// Source is the source kind with its chosen version.
	Source v1alpha1.ResolvedResource
	// References are the policy's references with their chosen versions.
	References []v1alpha1.ReferenceResource
}

// SourceState is what is known of one source of one policy.
type SourceState struct {
	Policy *ActivePolicy
	// Namespace and Name name the source.
	Namespace, Name string
	Source          Lookup
	// Owned are the lifecycles that the policy controls for this source.
	Owned []*v1alpha1.PediaClusterLifecycle
	// ByName returns the lifecycle of that name, whoever controls it, or nil.
	ByName func(name string) *v1alpha1.PediaClusterLifecycle
	// Cluster returns the PediaCluster of that name, whoever it belongs to, or nil.
	Cluster func(name string) *v1alpha2.PediaCluster
}

func (s SourceState) spec() *v1alpha1.ClusterImportPolicySpec { return &s.Policy.Policy.Spec }

// SourceOutcome says how a source without a lifecycle came to have none.
type SourceOutcome struct {
	// Reason is empty when nothing is wrong: the source has a lifecycle, is not selected, or is gone.
	Reason, Message string
	// Claims is the name that another lifecycle holds, when Reason is NameConflict.
	Claims string
}

// PlanSource decides whether a source has a lifecycle. It never deletes on doubt.
func PlanSource(ctx context.Context, s SourceState) (Plan, SourceOutcome) {
	if s.Source.Unknown != "" || paused(s.Policy.Policy.Annotations) || paused(annotationsOf(s.Source.Object)) {
		return Plan{}, SourceOutcome{}
	}
	owned := slices.SortedFunc(slices.Values(s.Owned), olderFirst)
	if s.Source.Missing() {
		return s.remove(owned, "its source is gone"), SourceOutcome{}
	}
	if stale := claimedByOthers(owned, s.Source.UID()); len(stale) > 0 {
		return s.remove(stale, "its source was deleted; an object of the same name is a new claim"), SourceOutcome{}
	}
	if annotationsOf(s.Source.Object)[v1alpha1.AnnotationSkip] == "true" {
		return s.remove(owned, "its source has the annotation "+v1alpha1.AnnotationSkip), SourceOutcome{}
	}
	binding := s.Policy.Compiled.Bind(s.Source.Object)
	selected, err := s.Policy.Compiled.Select(ctx, binding)
	if err != nil {
		return Plan{}, s.failed(owned, v1alpha1.ReasonSelectorFailed, err)
	}
	if !selected {
		return s.remove(owned, "the selector does not keep its source"), SourceOutcome{}
	}
	if len(owned) > 0 && owned[0].Annotations[v1alpha1.AnnotationRename] != "true" {
		return s.keepInStep(owned[0]), SourceOutcome{}
	}
	name, err := s.Policy.Compiled.Name(ctx, binding)
	switch {
	case err != nil:
		return Plan{}, s.failed(owned, NameReason(err), err)
	case len(owned) == 0:
		return s.claim(name)
	case name == owned[0].Name || s.ByName(name) != nil:
		return s.keepInStep(owned[0]), SourceOutcome{}
	default:
		return s.remove(owned[:1], fmt.Sprintf("a user asked for its new name, %q", name)), SourceOutcome{}
	}
}

// claim creates the lifecycle, unless somebody else has the name.
func (s SourceState) claim(name string) (Plan, SourceOutcome) {
	if holder := s.ByName(name); holder != nil {
		return Plan{}, SourceOutcome{
			Reason:  v1alpha1.ReasonNameConflict,
			Message: fmt.Sprintf("the name %q is claimed by %s", name, holder.Spec.Source),
			Claims:  name,
		}
	}
	l := &v1alpha1.PediaClusterLifecycle{}
	l.APIVersion, l.Kind = v1alpha1.PediaClusterLifecycleKind.ToAPIVersionAndKind()
	l.Name = name
	l.Annotations = map[string]string{v1alpha1.AnnotationSourceUID: s.Source.UID()}
	l.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(s.Policy.Policy, v1alpha1.ClusterImportPolicyKind)}
	l.Spec = s.lifecycleSpec()
	return Plan{Actions: []Action{CreateLifecycle{l}}}, SourceOutcome{}
}

func (s SourceState) lifecycleSpec() v1alpha1.PediaClusterLifecycleSpec {
	return v1alpha1.PediaClusterLifecycleSpec{
		Source: v1alpha1.DependentResource{
			Group: s.Policy.Source.Group, Version: s.Policy.Source.Version, Resource: s.Policy.Source.Resource,
			Namespace: s.Namespace, Name: s.Name,
		},
		References:        s.Policy.References,
		Template:          s.spec().Template,
		CreationCondition: s.spec().CreationCondition,
	}
}

// failed reports a failure unless the source has a lifecycle, which then says it itself.
func (s SourceState) failed(owned []*v1alpha1.PediaClusterLifecycle, reason string, err error) SourceOutcome {
	if len(owned) > 0 {
		return SourceOutcome{}
	}
	return SourceOutcome{Reason: reason, Message: err.Error()}
}

// NameReason is the reason of a name that could not be rendered or used.
func NameReason(err error) string {
	if invalid := new(policy.InvalidError); errors.As(err, &invalid) {
		return v1alpha1.ReasonInvalidName
	}
	return v1alpha1.ReasonNameFailed
}

// keepInStep updates a lifecycle whose spec or claim is not what the policy and the source say. Its name stays:
// an edited nameTemplate must not delete and create every cluster anew.
func (s SourceState) keepInStep(l *v1alpha1.PediaClusterLifecycle) Plan {
	if l.DeletionTimestamp != nil || paused(l.Annotations) {
		return Plan{}
	}
	want := s.lifecycleSpec()
	uid := s.Source.UID()
	if equality.Semantic.DeepEqual(l.Spec, want) && l.Annotations[v1alpha1.AnnotationSourceUID] == uid {
		return Plan{}
	}
	updated := l.DeepCopy()
	updated.Spec = want
	metav1.SetMetaDataAnnotation(&updated.ObjectMeta, v1alpha1.AnnotationSourceUID, uid)
	return Plan{Actions: []Action{UpdateLifecycle{updated}}}
}

// remove plans the end of lifecycles, and with each, by the garbage collector, that of its PediaCluster.
func (s SourceState) remove(lifecycles []*v1alpha1.PediaClusterLifecycle, because string) Plan {
	var plan Plan
	for _, l := range lifecycles {
		if l.DeletionTimestamp != nil || paused(l.Annotations) {
			continue
		}
		cluster := s.Cluster(l.Name)
		if ownedBy(cluster, l) {
			if s.spec().Mode == v1alpha1.ModeDryRun {
				continue
			}
			if s.spec().DeletionPolicy == v1alpha1.DeletionOrphan {
				plan.release(cluster, l)
			}
		}
		plan.add(DeleteLifecycle{Name: l.Name, UID: l.UID, Because: because})
		plan.add(Emit{Reason: v1alpha1.EventLifecycleDeleted, Message: fmt.Sprintf("deleted %s: %s", l.Name, because)})
	}
	return plan
}

// release makes sure that a PediaCluster does not go with its lifecycle.
func (p *Plan) release(cluster *v1alpha2.PediaCluster, l *v1alpha1.PediaClusterLifecycle) {
	if mark := markCluster(cluster, l, v1alpha1.DeletionOrphan); mark != nil {
		p.add(*mark)
	}
	p.add(Emit{Reason: v1alpha1.EventPediaClusterReleased, Message: fmt.Sprintf("PediaCluster %q stays without its lifecycle", cluster.Name)})
}

// claimedByOthers are the lifecycles that another object of the same name has claimed. Lifecycles without a
// claim were made by Clusterpedia's controllers: they are taken over.
func claimedByOthers(owned []*v1alpha1.PediaClusterLifecycle, uid string) []*v1alpha1.PediaClusterLifecycle {
	var stale []*v1alpha1.PediaClusterLifecycle
	for _, l := range owned {
		if claim := l.Annotations[v1alpha1.AnnotationSourceUID]; claim != "" && claim != uid {
			stale = append(stale, l)
		}
	}
	return stale
}

func olderFirst(a, b *v1alpha1.PediaClusterLifecycle) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

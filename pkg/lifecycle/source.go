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
	"github.com/clusterimport/clusterimport/pkg/expr"
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
	// Owner is the policy as it is now, valid or not; nil when it does not exist. What is removed, and what becomes of
	// PediaClusters then, is Owner's to say.
	Owner *v1alpha1.ClusterImportPolicy
	// Namespace and Name name the source.
	Namespace, Name string
	Source          Lookup
	// Definition is that of the source's kind.
	Definition Definition
	// Deletions is the state of the policy's budget that was written last.
	Deletions *v1alpha1.Deletions
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
	// Claims is a name that is waited for: one that another lifecycle holds, when Reason is NameConflict, or the one that a
	// lifecycle is to be renamed to, held or free.
	Claims string
}

// PlanSource decides whether a source has a lifecycle. It never deletes on doubt.
func PlanSource(ctx context.Context, s SourceState) (Plan, SourceOutcome) {
	if s.undecided() {
		return Plan{}, SourceOutcome{}
	}
	owned := slices.SortedFunc(slices.Values(s.Owned), olderFirst)
	if s.Source.Missing() {
		known := slices.DeleteFunc(owned, s.Definition.replaced)
		return s.remove(known, "its source is gone"), SourceOutcome{}
	}
	if stale := s.claimedByOthers(owned); len(stale) > 0 {
		return s.remove(stale, "its source was deleted; an object of the same name is a new claim"), SourceOutcome{}
	}
	binding := s.Policy.Compiled.Bind(s.Source.Object)
	excluded, err := excludes(ctx, s.Policy.Compiled, binding, s.Source.Object)
	switch {
	case err != nil:
		return Plan{}, s.failed(owned, v1alpha1.ReasonSelectorFailed, err)
	case excluded != "":
		return s.remove(owned, excluded), SourceOutcome{}
	case len(owned) == 0 || owned[0].Annotations[v1alpha1.AnnotationRename] == "true":
		return s.name(ctx, binding, owned)
	default:
		return s.keepInStep(owned[0]), SourceOutcome{}
	}
}

// undecided reports that nothing is to be decided: the source is not known, frozen, or one of a kind that is gone, or the
// policy is frozen or gone itself.
func (s SourceState) undecided() bool {
	return s.Source.Unknown != "" || s.Owner == nil || Paused(s.Owner.Annotations) || Paused(annotationsOf(s.Source.Object)) ||
		s.Definition.former(s.Source.Object)
}

// name claims a name for a source that has none, or whose user wants another one.
func (s SourceState) name(ctx context.Context, b *expr.Binding, owned []*v1alpha1.PediaClusterLifecycle) (Plan, SourceOutcome) {
	name, err := s.Policy.Compiled.Name(ctx, b)
	switch {
	case err != nil && len(owned) == 0:
		return Plan{}, s.failed(owned, NameReason(err), err)
	case len(owned) == 0:
		return s.claim(name)
	case err != nil || name == owned[0].Name:
		return s.keepInStep(owned[0]), SourceOutcome{}
	case s.ByName(name) != nil:
		return s.keepInStep(owned[0]), SourceOutcome{Claims: name}
	default:
		return s.remove(owned[:1], fmt.Sprintf("a user asked for its new name, %q", name)), SourceOutcome{Claims: name}
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
	s.setClaim(l)
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
	if l.DeletionTimestamp != nil || Paused(l.Annotations) {
		return Plan{}
	}
	updated := l.DeepCopy()
	updated.Spec = s.lifecycleSpec()
	s.setClaim(updated)
	if equality.Semantic.DeepEqual(l, updated) {
		return Plan{}
	}
	return Plan{Actions: []Action{UpdateLifecycle{updated}}}
}

// setClaim writes into a lifecycle which object has its name, and under which definition it was seen.
func (s SourceState) setClaim(l *v1alpha1.PediaClusterLifecycle) {
	metav1.SetMetaDataAnnotation(&l.ObjectMeta, v1alpha1.AnnotationSourceUID, s.Source.UID())
	if s.Definition.UID != "" {
		metav1.SetMetaDataAnnotation(&l.ObjectMeta, v1alpha1.AnnotationDefinitionUID, string(s.Definition.UID))
	}
}

// remove plans the end of lifecycles, and with each, by the garbage collector, that of its PediaCluster. One that has a
// PediaCluster waits for the policy to admit that.
func (s SourceState) remove(lifecycles []*v1alpha1.PediaClusterLifecycle, because string) Plan {
	var plan Plan
	for _, l := range lifecycles {
		if l.DeletionTimestamp != nil || Paused(l.Annotations) {
			continue
		}
		cluster := s.Cluster(l.Name)
		switch {
		case !ownedBy(cluster, l):
		case s.Owner.Spec.Mode == v1alpha1.ModeDryRun:
			continue
		case s.Owner.Spec.DeletionPolicy == v1alpha1.DeletionOrphan:
			plan.release(cluster, l)
		default:
			plan.Due = append(plan.Due, v1alpha1.Removal{Name: l.Name, UID: l.UID})
			if !admitted(s.Deletions, l.UID) {
				continue
			}
		}
		plan.add(DeleteLifecycle{Name: l.Name, UID: l.UID, ResourceVersion: l.ResourceVersion, Because: because})
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
// claim were made by Clusterpedia's controllers: they are taken over. So are those of a kind that was defined anew.
func (s SourceState) claimedByOthers(owned []*v1alpha1.PediaClusterLifecycle) []*v1alpha1.PediaClusterLifecycle {
	var stale []*v1alpha1.PediaClusterLifecycle
	for _, l := range owned {
		claim := l.Annotations[v1alpha1.AnnotationSourceUID]
		if claim != "" && claim != s.Source.UID() && !s.Definition.replaced(l) {
			stale = append(stale, l)
		}
	}
	return stale
}

func olderFirst(a, b *v1alpha1.PediaClusterLifecycle) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
}

package lifecycle

import (
	"context"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// ClusterState is what is known of one lifecycle.
type ClusterState struct {
	Now       time.Time
	Lifecycle *v1alpha1.PediaClusterLifecycle
	// Owner is the policy that controls the lifecycle, as it is now, valid or not; nil when it does not exist.
	Owner *v1alpha1.ClusterImportPolicy
	// Policy is what of it is at work: the last that compiled, or nil. What is written for whom, and whether at all,
	// is Owner's to say.
	Policy *ActivePolicy
	Read   Reader
	// Cluster is the PediaCluster of the lifecycle's name, or nil when a synced cache has none.
	Cluster *v1alpha2.PediaCluster
	// Definition is that of the source's kind.
	Definition Definition
	// Deletions is the state of the policy's budget that was written last.
	Deletions *v1alpha1.Deletions
	// Starting says that the policy has not been looked at since the process started.
	Starting bool
}

// ClusterPlan is a Plan for one lifecycle and what it depends on.
type ClusterPlan struct {
	Plan

	// Watch are the objects whose change calls for a new plan: the source and the references.
	Watch []v1alpha1.DependentResource
}

// PlanCluster decides about the PediaCluster of one lifecycle.
func PlanCluster(ctx context.Context, s ClusterState) ClusterPlan {
	if s.Lifecycle.DeletionTimestamp != nil {
		return ClusterPlan{Plan: dropFinalizer(s.Lifecycle, v1alpha1.LegacyLifecycleFinalizer)}
	}
	p := newClusterPlanner(s)
	p.plan.Watch = []v1alpha1.DependentResource{s.Lifecycle.Spec.Source}
	source := s.Read(s.Lifecycle.Spec.Source)
	p.starting = s.Starting || source.Starting
	switch {
	case s.Owner == nil:
		p.undecided(v1alpha1.ReasonOrphanLifecycle, "the policy that controls this lifecycle does not exist")
	case p.pausedBy(source) != "":
		p.undecided(v1alpha1.ReasonPaused, fmt.Sprintf("frozen by the annotation %s of the %s", v1alpha1.AnnotationPaused, p.pausedBy(source)))
	case !p.starting && p.mark(): // a source that is not known yet may be paused
		return p.plan // the change of the PediaCluster calls for the rest
	case s.Policy == nil:
		p.undecided(v1alpha1.ReasonPolicyNotReady, "the policy is not active; its status says why")
	case source.Unknown != "":
		p.undecided(v1alpha1.ReasonWaitDependentResourceSynced,
			fmt.Sprintf("%s is not known: %s", s.Lifecycle.Spec.Source, source.Unknown))
	case source.Missing():
		p.undecided(v1alpha1.ReasonSourceResourceNotFound, p.missing())
	default:
		p.decide(ctx, source.Object)
	}
	p.writeStatus()
	return p.plan
}

// missing says what becomes of a lifecycle whose source does not exist.
func (p *clusterPlanner) missing() string {
	message := fmt.Sprintf("%s does not exist", p.state.Lifecycle.Spec.Source)
	if p.state.Definition.replaced(p.state.Lifecycle) {
		return message + "; its kind was removed and defined anew, which proves nothing: the lifecycle stays until the source is back or somebody deletes the lifecycle"
	}
	return message + "; the lifecycle goes as the policy's maxDeletions allows"
}

// CreationFailed is the status of a lifecycle whose PediaCluster the API server did not take.
func CreationFailed(s ClusterState, why string) SetLifecycleStatus {
	p := newClusterPlanner(s)
	p.notCreated(v1alpha1.ReasonCreationFailure, "cannot create the PediaCluster: "+why)
	return SetLifecycleStatus{s.Lifecycle, p.status()}
}

// PatchFailed is the status of a lifecycle whose PediaCluster could not be changed.
func PatchFailed(s ClusterState, why string) SetLifecycleStatus {
	p := newClusterPlanner(s)
	message := "cannot change the PediaCluster: " + why
	p.conditions.set(v1alpha1.ConditionUpdating, metav1.ConditionTrue, v1alpha1.ReasonFailedPatchPediaCluster, message)
	p.conditions.set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonFailedPatchPediaCluster, message)
	return SetLifecycleStatus{s.Lifecycle, p.status()}
}

type clusterPlanner struct {
	state      ClusterState
	plan       ClusterPlan
	conditions *conditions
	references []v1alpha1.DependentResource
	expires    *v1alpha1.CredentialExpiry
	renamed    string
	// starting: a part of what would be said is not known only because the process has just started.
	starting bool
}

func newClusterPlanner(s ClusterState) *clusterPlanner {
	return &clusterPlanner{
		state:      s,
		conditions: newConditions(s.Now, s.Lifecycle.Generation, s.Lifecycle.Status.Conditions),
		references: s.Lifecycle.Status.References,
		expires:    s.Lifecycle.Status.Expires,
		renamed:    s.Lifecycle.Status.RenderedName,
	}
}

func (p *clusterPlanner) decide(ctx context.Context, source map[string]any) {
	compiled := p.state.Policy.Compiled
	resolution := Resolve(ctx, compiled, p.state.Policy.References, source, p.state.Read)
	p.references = resolution.Objects()
	p.plan.Watch = append(p.plan.Watch, p.references...)
	p.starting = p.starting || resolution.Starting
	p.compareName(ctx, compiled, resolution)
	o := p.object(ctx, compiled, resolution, source)
	switch cluster := p.state.Cluster; {
	case o.reason != "" && !ownedBy(cluster, p.state.Lifecycle):
		p.notCreated(o.reason, o.message)
	case cluster == nil:
		p.create(ctx, compiled, resolution)
	case !ownedBy(cluster, p.state.Lifecycle):
		p.adopt(ctx, compiled, resolution)
	case o.obsolete:
		p.remove()
	default:
		p.update(ctx, compiled, resolution)
		if o.reason != "" {
			p.conditions.set(v1alpha1.ConditionReady, metav1.ConditionFalse, o.reason, o.message)
		}
	}
}

// spec is the policy's spec as it is now.
func (p *clusterPlanner) spec() *v1alpha1.ClusterImportPolicySpec { return &p.state.Owner.Spec }

func (p *clusterPlanner) dryRun() bool { return p.spec().Mode == v1alpha1.ModeDryRun }

// pausedBy names what a user has frozen; empty when nothing is.
func (p *clusterPlanner) pausedBy(source Lookup) string {
	switch l := p.state.Lifecycle; {
	case Paused(p.state.Owner.Annotations):
		return "policy " + p.state.Owner.Name
	case Paused(l.Annotations):
		return "lifecycle"
	case Paused(annotationsOf(source.Object)):
		return "source"
	default:
		return ""
	}
}

// compareName says in the status when nameTemplate gives another name by now.
func (p *clusterPlanner) compareName(ctx context.Context, compiled *policy.Policy, r Resolution) {
	p.renamed = ""
	if name, err := compiled.Name(ctx, r.Binding); err == nil && name != p.state.Lifecycle.Name {
		p.renamed = name
	}
}

// create plans a PediaCluster that does not exist.
func (p *clusterPlanner) create(ctx context.Context, compiled *policy.Policy, r Resolution) {
	fit := p.wanted(ctx, compiled, r)
	if fit == nil {
		return
	}
	if p.dryRun() {
		p.notCreated(v1alpha1.ReasonDryRun, fmt.Sprintf("would create PediaCluster %q with spec.%s",
			fit.Cluster.Name, strings.Join(fit.Fields, ", spec.")))
		return
	}
	cluster := fit.Cluster
	own(cluster, p.state.Lifecycle, p.spec().DeletionPolicy)
	p.plan.add(CreateCluster{cluster})
	p.plan.add(Emit{Reason: v1alpha1.ReasonPediaClusterCreated, Message: fmt.Sprintf("created PediaCluster %q", cluster.Name)})
	p.created()
	p.following("")
}

// adopt plans for a PediaCluster that somebody else made. It is ours at most when it should exist by what we know;
// what it holds follows once it is.
func (p *clusterPlanner) adopt(ctx context.Context, compiled *policy.Policy, r Resolution) {
	cluster := p.state.Cluster
	exists := fmt.Sprintf("a PediaCluster %q exists that this lifecycle did not create; it is left alone", cluster.Name)
	if p.spec().ConflictPolicy != v1alpha1.ConflictAdopt {
		p.notCreated(v1alpha1.ReasonPediaClusterExisted, exists)
		return
	}
	if why := otherOwner(cluster); why != "" {
		p.notCreated(v1alpha1.ReasonPediaClusterExisted, exists+": "+why)
		return
	}
	switch fit := p.wanted(ctx, compiled, r); {
	case fit == nil:
	case p.dryRun():
		p.notCreated(v1alpha1.ReasonDryRun, fmt.Sprintf("would take over PediaCluster %q", cluster.Name))
	default:
		p.plan.add(*markCluster(cluster, p.state.Lifecycle, p.spec().DeletionPolicy))
		p.plan.add(Emit{Reason: v1alpha1.EventPediaClusterAdopted, Message: fmt.Sprintf("took over PediaCluster %q", cluster.Name)})
	}
}

// wanted is the PediaCluster that should exist by now; nil, with the reason in the status, when there should be none.
func (p *clusterPlanner) wanted(ctx context.Context, compiled *policy.Policy, r Resolution) *Fit {
	ready, err := compiled.Ready(ctx, r.Binding)
	switch {
	case err != nil:
		p.notCreated(Explain(err, r, v1alpha1.ReasonCreationConditionFailed))
		return nil
	case !ready:
		message := "the creation condition is false"
		if len(r.Absent) > 0 {
			message += "; " + r.AbsentMessage()
		}
		p.notCreated(v1alpha1.ReasonWaitCreationCondition, message)
		return nil
	}
	fit, reason, message := p.render(ctx, compiled, r)
	if fit == nil {
		p.notCreated(reason, message)
	}
	return fit
}

// mark plans the change of whose a PediaCluster is, when the deletion policy has changed. It does not depend on the
// source, and is done before anything else: the lifecycle may go at any time.
func (p *clusterPlanner) mark() (marked bool) {
	cluster := p.state.Cluster
	if !ownedBy(cluster, p.state.Lifecycle) || p.dryRun() {
		return false
	}
	mark := markCluster(cluster, p.state.Lifecycle, p.spec().DeletionPolicy)
	if mark == nil {
		return false
	}
	p.plan.add(*mark)
	return true
}

// update plans the changes of a PediaCluster that is ours, and never to blank.
func (p *clusterPlanner) update(ctx context.Context, compiled *policy.Policy, r Resolution) {
	p.created()
	fit, reason, message := p.render(ctx, compiled, r)
	if fit == nil {
		message = "the PediaCluster keeps what it has: " + message
		p.conditions.set(v1alpha1.ConditionUpdating, metav1.ConditionFalse, v1alpha1.ReasonUpdateHeld, message)
		p.conditions.set(v1alpha1.ConditionReady, metav1.ConditionFalse, reason, message)
		return
	}
	cluster := p.state.Cluster
	changes := changesOf(cluster, fit.Rendered, p.spec().UpdatePolicy)
	fields := strings.Join(changes.Fields(), ", ")
	switch {
	case fields == "":
		p.following(p.lastUpdate())
	case p.dryRun():
		message := fmt.Sprintf("would update %s of PediaCluster %q", fields, cluster.Name)
		p.conditions.set(v1alpha1.ConditionUpdating, metav1.ConditionFalse, v1alpha1.ReasonDryRun, message)
		p.conditions.set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonDryRun, message)
	default:
		p.plan.add(PatchCluster{changes, cluster.Name, cluster.UID, cluster.ResourceVersion})
		p.plan.add(Emit{Reason: v1alpha1.ReasonPediaClusterUpdated, Message: fmt.Sprintf("updated %s of PediaCluster %q", fields, cluster.Name)})
		p.following("updated " + fields)
	}
}

// render returns the PediaCluster, or nil and why there is none.
func (p *clusterPlanner) render(ctx context.Context, compiled *policy.Policy, r Resolution) (*Fit, string, string) {
	fit, reason, message := Render(ctx, compiled, r, p.state.Lifecycle.Name, p.state.Policy.Policy.Spec.AllowInsecure)
	if fit != nil {
		p.expires = expiryStatus(fit.Expiry)
	}
	return fit, reason, message
}

func (p *clusterPlanner) created() {
	p.conditions.set(v1alpha1.ConditionCreated, metav1.ConditionTrue, v1alpha1.ReasonPediaClusterCreated,
		"the PediaCluster exists and is controlled by this lifecycle")
}

// following says that the PediaCluster has what its source says; last is what was changed last.
func (p *clusterPlanner) following(last string) {
	if last == "" {
		last = "endpoint and credentials are those of the source"
	}
	p.conditions.set(v1alpha1.ConditionUpdating, metav1.ConditionFalse, v1alpha1.ReasonPediaClusterUpdated, last)
	p.conditions.set(v1alpha1.ConditionReady, metav1.ConditionTrue, v1alpha1.ReasonImported,
		"the PediaCluster exists and follows its source")
}

// lastUpdate keeps what the status says of the last change.
func (p *clusterPlanner) lastUpdate() string {
	for _, c := range p.conditions.list {
		if c.Type == v1alpha1.ConditionUpdating && c.Reason == v1alpha1.ReasonPediaClusterUpdated {
			return c.Message
		}
	}
	return ""
}

// notCreated says why there is no PediaCluster of ours.
func (p *clusterPlanner) notCreated(reason, message string) {
	p.conditions.set(v1alpha1.ConditionCreated, metav1.ConditionFalse, reason, message)
	p.conditions.set(v1alpha1.ConditionReady, metav1.ConditionFalse, reason, message)
	if reasonOf(p.conditions.list, v1alpha1.ConditionUpdating) != "" {
		p.conditions.set(v1alpha1.ConditionUpdating, metav1.ConditionFalse, reason, "there is no PediaCluster to update")
	}
}

// undecided says why nothing can be decided now: what exists stays as it is.
func (p *clusterPlanner) undecided(reason, message string) {
	if ownedBy(p.state.Cluster, p.state.Lifecycle) {
		p.created()
	} else {
		p.conditions.set(v1alpha1.ConditionCreated, metav1.ConditionFalse, reason, message)
	}
	p.conditions.set(v1alpha1.ConditionReady, metav1.ConditionUnknown, reason, message)
}

func (p *clusterPlanner) status() v1alpha1.PediaClusterLifecycleStatus {
	return v1alpha1.PediaClusterLifecycleStatus{
		ObservedGeneration: p.state.Lifecycle.Generation,
		References:         p.references,
		RenderedName:       p.renamed,
		Expires:            p.expires,
		Conditions:         p.conditions.list,
	}
}

// writeStatus plans the status when it is another one. What a process that starts does not know yet is no change.
func (p *clusterPlanner) writeStatus() {
	if p.starting && len(p.plan.Actions) == 0 && p.state.Lifecycle.Status.ObservedGeneration == p.state.Lifecycle.Generation &&
		reasonOf(p.state.Lifecycle.Status.Conditions, v1alpha1.ConditionReady) != "" {
		return
	}
	if status := p.status(); !equality.Semantic.DeepEqual(p.state.Lifecycle.Status, status) {
		p.plan.add(SetLifecycleStatus{p.state.Lifecycle, status})
	}
}

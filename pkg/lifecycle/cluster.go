package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/lifecycle/preflight"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// ClusterState is what is known of one lifecycle.
type ClusterState struct {
	Now       time.Time
	Lifecycle *v1alpha1.PediaClusterLifecycle
	// PolicyExists says whether the policy that controls the lifecycle exists.
	PolicyExists bool
	// Policy is that policy when it is active, else nil.
	Policy *ActivePolicy
	Read   Reader
	// Cluster is the PediaCluster of the lifecycle's name, or nil when a synced cache has none.
	Cluster *v1alpha2.PediaCluster
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
	switch source := s.Read(s.Lifecycle.Spec.Source); {
	case !s.PolicyExists:
		p.undecided(v1alpha1.ReasonOrphanLifecycle, "the policy that controls this lifecycle does not exist")
	case s.Policy == nil:
		p.undecided(v1alpha1.ReasonPolicyNotReady, "the policy is not active; its status says why")
	case source.Unknown != "":
		p.undecided(v1alpha1.ReasonWaitDependentResourceSynced,
			fmt.Sprintf("%s is not known: %s", s.Lifecycle.Spec.Source, source.Unknown))
	case source.Missing():
		p.undecided(v1alpha1.ReasonSourceResourceNotFound, fmt.Sprintf("%s does not exist", s.Lifecycle.Spec.Source))
	default:
		p.decide(ctx, source.Object)
	}
	p.writeStatus()
	return p.plan
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
}

func newClusterPlanner(s ClusterState) *clusterPlanner {
	return &clusterPlanner{
		state:      s,
		conditions: newConditions(s.Now, s.Lifecycle.Generation, s.Lifecycle.Status.Conditions),
		references: s.Lifecycle.Status.References,
		expires:    s.Lifecycle.Status.Expires,
	}
}

func (p *clusterPlanner) decide(ctx context.Context, source map[string]any) {
	compiled := p.state.Policy.Compiled
	resolution := Resolve(ctx, compiled, p.state.Policy.References, source, p.state.Read)
	p.references = resolution.Objects()
	p.plan.Watch = append(p.plan.Watch, p.references...)
	switch cluster := p.state.Cluster; {
	case cluster == nil:
		p.create(ctx, compiled, resolution)
	case !ownedBy(cluster, p.state.Lifecycle):
		p.notCreated(v1alpha1.ReasonPediaClusterExisted,
			fmt.Sprintf("a PediaCluster %q exists that this lifecycle did not create; it is left alone", cluster.Name))
	default:
		p.created()
		p.update(ctx, compiled, resolution)
	}
}

// create plans a PediaCluster that does not exist.
func (p *clusterPlanner) create(ctx context.Context, compiled *policy.Policy, r Resolution) {
	ready, err := compiled.Ready(ctx, r.Binding)
	switch {
	case err != nil:
		reason, message := Explain(err, r, v1alpha1.ReasonCreationConditionFailed)
		p.notCreated(reason, message)
		return
	case !ready:
		message := "the creation condition is false"
		if len(r.Absent) > 0 {
			message += "; " + r.AbsentMessage()
		}
		p.notCreated(v1alpha1.ReasonWaitCreationCondition, message)
		return
	}
	rendered, reason, message := p.render(ctx, compiled, r)
	if rendered == nil {
		p.notCreated(reason, message)
		return
	}
	cluster := rendered.Cluster
	cluster.OwnerReferences = []metav1.OwnerReference{ownerReference(p.state.Lifecycle)}
	p.plan.add(CreateCluster{cluster})
	p.plan.add(Emit{Reason: v1alpha1.ReasonPediaClusterCreated, Message: fmt.Sprintf("created PediaCluster %q", cluster.Name)})
	p.created()
	p.following("")
}

// update plans the changes of a PediaCluster that is ours: endpoint and credentials only, and never to blank.
func (p *clusterPlanner) update(ctx context.Context, compiled *policy.Policy, r Resolution) {
	rendered, reason, message := p.render(ctx, compiled, r)
	if rendered == nil {
		message = "the PediaCluster keeps what it has: " + message
		p.conditions.set(v1alpha1.ConditionUpdating, metav1.ConditionFalse, v1alpha1.ReasonUpdateHeld, message)
		p.conditions.set(v1alpha1.ConditionReady, metav1.ConditionFalse, reason, message)
		return
	}
	cluster := p.state.Cluster
	changes := connectionChanges(cluster.Spec, rendered.Cluster.Spec)
	if len(changes) == 0 {
		p.following(p.lastUpdate())
		return
	}
	fields := strings.Join(slices.Sorted(maps.Keys(changes)), ", ")
	p.plan.add(PatchCluster{cluster.Name, cluster.UID, cluster.ResourceVersion, changes})
	p.plan.add(Emit{Reason: v1alpha1.ReasonPediaClusterUpdated, Message: fmt.Sprintf("updated %s of PediaCluster %q", fields, cluster.Name)})
	p.following("updated " + fields)
}

// render returns the PediaCluster, or nil and why there is none.
func (p *clusterPlanner) render(ctx context.Context, compiled *policy.Policy, r Resolution) (*Fit, string, string) {
	fit, reason, message := Render(ctx, compiled, r, p.state.Lifecycle.Name, p.state.Policy.Policy.Spec.AllowInsecure)
	if fit != nil {
		p.expires = expiryStatus(fit.Expiry)
	}
	return fit, reason, message
}

// Fit is a rendered PediaCluster that may be written.
type Fit struct {
	*policy.Rendered

	// Expiry is when its credentials end.
	Expiry preflight.Expiry
}

// Render returns the PediaCluster of that name when it is fit to be written, or nil with a reason and a message.
func Render(
	ctx context.Context, compiled *policy.Policy, r Resolution, name string, allowInsecure bool,
) (fit *Fit, reason, message string) {
	rendered, err := compiled.Render(ctx, r.Binding, name)
	if err != nil {
		reason, message = Explain(err, r, v1alpha1.ReasonFailedResolvePediaCluster)
		return nil, reason, message
	}
	if fault := incomplete(rendered, allowInsecure); fault != "" {
		return nil, v1alpha1.ReasonMissingCredentials, fault
	}
	expiry, err := preflight.Check(rendered.Cluster.Spec, preflight.Options{AllowInsecure: allowInsecure})
	if err != nil {
		return nil, v1alpha1.ReasonPreflightFailed, err.Error()
	}
	return &Fit{rendered, expiry}, "", ""
}

func expiryStatus(e preflight.Expiry) *v1alpha1.CredentialExpiry {
	var status v1alpha1.CredentialExpiry
	if !e.ClientCertificate.IsZero() {
		status.ClientCertificate = &metav1.Time{Time: e.ClientCertificate}
	}
	if !e.Token.IsZero() {
		status.Token = &metav1.Time{Time: e.Token}
	}
	if status.ClientCertificate == nil && status.Token == nil {
		return nil
	}
	return &status
}

// incomplete says what a rendered PediaCluster lacks to be written: an endpoint, or a value for a field that
// its template names. A blank CA means a connection that is not verified, which a policy must allow.
func incomplete(rendered *policy.Rendered, allowInsecure bool) string {
	blank := rendered.Blank
	if allowInsecure {
		blank = slices.DeleteFunc(slices.Clone(blank), func(field string) bool { return field == "caData" })
	}
	if len(blank) > 0 {
		return "empty in the rendered PediaCluster: spec." + strings.Join(blank, ", spec.")
	}
	spec := rendered.Cluster.Spec
	if len(spec.Kubeconfig) == 0 && spec.APIServer == "" && spec.AuthenticationFrom == nil {
		return "the rendered PediaCluster has neither kubeconfig nor apiserver"
	}
	return ""
}

// Explain turns the error of an evaluation over a resolution into a reason and a message; fallback is the
// reason of a failure that no missing reference explains.
func Explain(err error, r Resolution, fallback string) (reason, message string) {
	pending := new(expr.PendingError)
	switch {
	case !errors.As(err, &pending):
		return fallback, err.Error()
	case r.Err != nil:
		return v1alpha1.ReasonFailedReferenceResourceParse, r.Err.Error()
	case r.Unsynced:
		return v1alpha1.ReasonWaitDependentResourceSynced, r.AbsentMessage()
	default:
		return v1alpha1.ReasonReferenceResourceNotFound, r.AbsentMessage()
	}
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
	if cluster := p.state.Cluster; cluster == nil || !ownedBy(cluster, p.state.Lifecycle) {
		p.conditions.set(v1alpha1.ConditionCreated, metav1.ConditionFalse, reason, message)
	}
	p.conditions.set(v1alpha1.ConditionReady, metav1.ConditionUnknown, reason, message)
}

func (p *clusterPlanner) status() v1alpha1.PediaClusterLifecycleStatus {
	return v1alpha1.PediaClusterLifecycleStatus{
		ObservedGeneration: p.state.Lifecycle.Generation,
		References:         p.references,
		Expires:            p.expires,
		Conditions:         p.conditions.list,
	}
}

func (p *clusterPlanner) writeStatus() {
	if status := p.status(); !equality.Semantic.DeepEqual(p.state.Lifecycle.Status, status) {
		p.plan.add(SetLifecycleStatus{p.state.Lifecycle, status})
	}
}

// ownedBy reports whether a PediaCluster carries the lifecycle's UID. A name is no proof.
func ownedBy(cluster *v1alpha2.PediaCluster, l *v1alpha1.PediaClusterLifecycle) bool {
	return slices.ContainsFunc(cluster.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == l.UID })
}

// ownerReference is what the garbage collector needs to remove the PediaCluster with its lifecycle.
func ownerReference(l *v1alpha1.PediaClusterLifecycle) metav1.OwnerReference {
	apiVersion, kind := v1alpha1.PediaClusterLifecycleKind.ToAPIVersionAndKind()
	return metav1.OwnerReference{APIVersion: apiVersion, Kind: kind, Name: l.Name, UID: l.UID}
}

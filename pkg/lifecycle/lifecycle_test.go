package lifecycle_test

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// active is a policy over clusters.example.com that reads a Secret of the same name.
func active(t *testing.T, change func(*v1alpha1.ClusterImportPolicySpec)) *lifecycle.ActivePolicy {
	t.Helper()
	p := &v1alpha1.ClusterImportPolicy{ObjectMeta: metav1.ObjectMeta{Name: "p", UID: "policy-uid", Generation: 1}}
	p.Spec = v1alpha1.ClusterImportPolicySpec{
		Source: v1alpha1.SourceType{Group: "example.com", Resource: "clusters", SelectorTemplate: `source.spec.pick`},
		References: []v1alpha1.ReferenceResourceTemplate{{
			Key: "auth", Resource: "secrets", NamespaceTemplate: "${source.metadata.namespace}", NameTemplate: "${source.metadata.name}",
		}},
		NameTemplate:      "c-${source.spec.alias}",
		CreationCondition: "source.spec.ready",
		Template:          "spec:\n  apiserver: ${source.spec.url}\n  tokenData: ${references.auth.data.token}\n  caData: Y2E=\n  syncResources: []\n",
	}
	if change != nil {
		change(&p.Spec)
	}
	compiled, list := policy.Compile(&p.Spec, policy.Types{})
	if compiled == nil {
		t.Fatal(list)
	}
	return &lifecycle.ActivePolicy{
		Policy: p, Compiled: compiled,
		Source:     v1alpha1.ResolvedResource{Group: "example.com", Version: "v1", Resource: "clusters"},
		References: []v1alpha1.ReferenceResource{{Key: "auth", Version: "v1", Resource: "secrets"}},
	}
}

func source(spec map[string]any) map[string]any {
	return map[string]any{
		"metadata": map[string]any{"namespace": "ns", "name": "one", "uid": "source-uid"},
		"spec":     spec,
	}
}

func held(name, uid string) *v1alpha1.PediaClusterLifecycle {
	l := &v1alpha1.PediaClusterLifecycle{ObjectMeta: metav1.ObjectMeta{
		Name: name, UID: types.UID("uid-of-" + name), Annotations: map[string]string{v1alpha1.AnnotationSourceUID: uid},
	}}
	l.Spec.Source = v1alpha1.DependentResource{Group: "example.com", Version: "v1", Resource: "clusters", Namespace: "ns", Name: "one"}
	return l
}

func TestPlanSource(t *testing.T) {
	picked := source(map[string]any{"pick": true, "alias": "x", "ready": true})
	cases := map[string]struct {
		reason string
		source lifecycle.Lookup
		owned  []*v1alpha1.PediaClusterLifecycle
		others []*v1alpha1.PediaClusterLifecycle
		want   string
		// outcome is the reason of a source that has no lifecycle.
		outcome string
	}{
		"Claim": {
			reason: "a selected source without a lifecycle claims its name",
			source: lifecycle.Found(picked), want: "create lifecycle c-x for clusters.example.com ns/one",
		},
		"InStep": {
			reason: "the name of a lifecycle stays when nameTemplate gives another; its spec follows the policy",
			source: lifecycle.Found(picked), owned: []*v1alpha1.PediaClusterLifecycle{held("c-old", "source-uid")}, want: "update lifecycle c-old",
		},
		"Gone": {
			reason: "a source that a synced cache does not have loses its lifecycle",
			source: lifecycle.NotFound(), owned: []*v1alpha1.PediaClusterLifecycle{held("c-x", "source-uid")},
			want: "delete lifecycle c-x: its source is gone\nevent LifecycleDeleted: deleted c-x: its source is gone",
		},
		"NotKnown": {
			reason: "a cache that cannot tell deletes nothing",
			source: lifecycle.NotKnown("not synced"), owned: []*v1alpha1.PediaClusterLifecycle{held("c-x", "source-uid")},
		},
		"NotSelected": {
			reason: "a proven no of the selector removes the lifecycle",
			source: lifecycle.Found(source(map[string]any{"pick": false})), owned: []*v1alpha1.PediaClusterLifecycle{held("c-x", "source-uid")},
			want: "delete lifecycle c-x: the selector does not keep its source\n" +
				"event LifecycleDeleted: deleted c-x: the selector does not keep its source",
		},
		"SelectorError": {
			reason: "an error of the selector keeps the lifecycle",
			source: lifecycle.Found(source(map[string]any{})), owned: []*v1alpha1.PediaClusterLifecycle{held("c-x", "source-uid")},
		},
		"SelectorErrorUnclaimed": {
			reason: "an error of the selector is reported for a source that has no lifecycle to report it",
			source: lifecycle.Found(source(map[string]any{})), outcome: v1alpha1.ReasonSelectorFailed,
		},
		"NameError": {
			reason: "a name that cannot be rendered is reported",
			source: lifecycle.Found(source(map[string]any{"pick": true})), outcome: v1alpha1.ReasonNameFailed,
		},
		"InvalidName": {
			reason: "a name that no object can have is reported",
			source: lifecycle.Found(source(map[string]any{"pick": true, "alias": "No Name"})), outcome: v1alpha1.ReasonInvalidName,
		},
		"Conflict": {
			reason: "the second claimant of a name changes nothing",
			source: lifecycle.Found(picked), others: []*v1alpha1.PediaClusterLifecycle{held("c-x", "another")}, outcome: v1alpha1.ReasonNameConflict,
		},
		"Recreated": {
			reason: "an object of the same name with another UID is a new claim",
			source: lifecycle.Found(picked), owned: []*v1alpha1.PediaClusterLifecycle{held("c-x", "former-uid")},
			want: "delete lifecycle c-x: its source was deleted; an object of the same name is a new claim\n" +
				"event LifecycleDeleted: deleted c-x: its source was deleted; an object of the same name is a new claim",
		},
		"TakeOver": {
			reason: "a lifecycle without a claim was made by Clusterpedia's controllers: it is claimed, not deleted",
			source: lifecycle.Found(picked), owned: []*v1alpha1.PediaClusterLifecycle{held("c-x", "")}, want: "update lifecycle c-x",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			plan, outcome := lifecycle.PlanSource(context.Background(), lifecycle.SourceState{
				Policy: active(t, nil), Owner: &v1alpha1.ClusterImportPolicy{}, Namespace: "ns", Name: "one", Source: tc.source, Owned: tc.owned,
				ByName: func(name string) *v1alpha1.PediaClusterLifecycle {
					i := slices.IndexFunc(tc.others, func(l *v1alpha1.PediaClusterLifecycle) bool { return l.Name == name })
					if i < 0 {
						return nil
					}
					return tc.others[i]
				},
				Cluster: func(string) *v1alpha2.PediaCluster { return nil },
			})
			if diff := cmp.Diff(tc.want, plan.String()); diff != "" {
				t.Errorf("%s: plan (-want +got)\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.outcome, outcome.Reason); diff != "" {
				t.Errorf("%s: outcome (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

const canary = "c4n4ry-0f-th3-S3cret"

func secretWith(token string) map[string]any {
	return map[string]any{"data": map[string]any{"token": token}}
}

func TestPlanCluster(t *testing.T) {
	token := base64.StdEncoding.EncodeToString([]byte(canary))
	ready := source(map[string]any{"pick": true, "alias": "x", "ready": true, "url": "https://x"})
	waiting := source(map[string]any{"pick": true, "alias": "x", "ready": false, "url": "https://x"})
	mine := func(apiserver, token string) *v1alpha2.PediaCluster {
		c := &v1alpha2.PediaCluster{ObjectMeta: metav1.ObjectMeta{Name: "c-x", OwnerReferences: []metav1.OwnerReference{{UID: "uid-of-c-x"}}}}
		c.Spec = v1alpha2.ClusterSpec{APIServer: apiserver, TokenData: []byte(token), CAData: []byte("ca")}
		return c
	}
	cases := map[string]struct {
		reason         string
		source, secret lifecycle.Lookup
		cluster        *v1alpha2.PediaCluster
		noPolicy       bool
		// actions are the writes and events; ready is status/reason of the Ready condition.
		actions, ready string
	}{
		"Create": {
			reason: "a ready source with its Secret is imported",
			source: lifecycle.Found(ready), secret: lifecycle.Found(secretWith(token)),
			actions: "create cluster c-x|event PediaClusterCreated: created PediaCluster \"c-x\"", ready: "True/Imported",
		},
		"Wait": {
			reason: "a source that is not ready waits",
			source: lifecycle.Found(waiting), secret: lifecycle.Found(secretWith(token)), ready: "False/WaitCreationCondition",
		},
		"NoSecret": {
			reason: "a missing reference is named",
			source: lifecycle.Found(ready), secret: lifecycle.NotFound(), ready: "False/ReferenceResourceNotFound",
		},
		"SecretNotKnown": {
			reason: "a reference whose kind is not listed yet is no missing reference",
			source: lifecycle.Found(ready), secret: lifecycle.NotKnown("not listed"), ready: "False/WaitDependentResourceSynced",
		},
		"EmptyKey": {
			reason: "a Secret whose key is empty does not make a cluster without credentials",
			source: lifecycle.Found(ready), secret: lifecycle.Found(secretWith("")), ready: "False/MissingCredentials",
		},
		"NoKey": {
			reason: "a Secret without the key is a failure to render",
			source: lifecycle.Found(ready), secret: lifecycle.Found(map[string]any{"data": map[string]any{}}),
			ready: "False/FailedResolveAndDecodePediaCluster",
		},
		"NotBase64": {
			reason: "a value that is not base64 is refused without being shown",
			source: lifecycle.Found(ready), secret: lifecycle.Found(secretWith("***" + canary)), ready: "False/FailedResolveAndDecodePediaCluster",
		},
		"Unchanged": {
			reason: "a cluster in step is not written",
			source: lifecycle.Found(ready), secret: lifecycle.Found(secretWith(token)), cluster: mine("https://x", canary), ready: "True/Imported",
		},
		"Rotate": {
			reason: "changed credentials are patched, and only they",
			source: lifecycle.Found(ready), secret: lifecycle.Found(secretWith(token)), cluster: mine("https://x", "old"),
			actions: "patch cluster c-x: tokenData|event PediaClusterUpdated: updated tokenData of PediaCluster \"c-x\"", ready: "True/Imported",
		},
		"NoBlank": {
			reason: "a credential is never patched to blank",
			source: lifecycle.Found(ready), secret: lifecycle.Found(secretWith("")), cluster: mine("https://x", canary), ready: "False/MissingCredentials",
		},
		"ConditionAfterCreation": {
			reason: "the creation condition has no effect on a cluster that exists",
			source: lifecycle.Found(waiting), secret: lifecycle.Found(secretWith(token)), cluster: mine("https://old", canary),
			actions: "patch cluster c-x: apiserver|event PediaClusterUpdated: updated apiserver of PediaCluster \"c-x\"", ready: "True/Imported",
		},
		"Preflight": {
			reason: "a connection that cannot be used is not imported",
			source: lifecycle.Found(source(map[string]any{"pick": true, "ready": true, "url": "http://x"})), secret: lifecycle.Found(secretWith(token)),
			ready: "False/PreflightFailed",
		},
		"PreflightHolds": {
			reason: "nor does it replace one that can",
			source: lifecycle.Found(source(map[string]any{"pick": true, "ready": true, "url": "http://x"})), secret: lifecycle.Found(secretWith(token)),
			cluster: mine("https://x", canary), ready: "False/PreflightFailed",
		},
		"Foreign": {
			reason: "a cluster of the same name that is not ours is left alone",
			source: lifecycle.Found(ready), secret: lifecycle.Found(secretWith(token)),
			cluster: &v1alpha2.PediaCluster{ObjectMeta: metav1.ObjectMeta{Name: "c-x"}}, ready: "False/PediaClusterExisted",
		},
		"SourceGone": {
			reason: "a source that is gone leaves the cluster to the end of its lifecycle",
			source: lifecycle.NotFound(), cluster: mine("https://x", canary), ready: "Unknown/SourceResourceNotFound",
		},
		"Orphan": {
			reason: "a lifecycle without its policy is left as it is",
			source: lifecycle.Found(ready), cluster: mine("https://x", canary), noPolicy: true, ready: "Unknown/OrphanLifecycle",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			state := lifecycle.ClusterState{
				Now: now, Lifecycle: held("c-x", "source-uid"), Cluster: tc.cluster,
				Read: func(r v1alpha1.DependentResource) lifecycle.Lookup {
					if r.Resource == "secrets" {
						return tc.secret
					}
					return tc.source
				},
			}
			if !tc.noPolicy {
				state.Policy = active(t, nil)
				state.Owner = state.Policy.Policy
			}
			plan := lifecycle.PlanCluster(context.Background(), state)
			if strings.Contains(plan.String(), canary) {
				t.Errorf("%s: the plan prints a value of the Secret:\n%s", tc.reason, plan)
			}
			actions, readiness := split(plan.Plan)
			if diff := cmp.Diff(tc.actions, actions); diff != "" {
				t.Errorf("%s: actions (-want +got)\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.ready, readiness); diff != "" {
				t.Errorf("%s: Ready (-want +got)\n%s", tc.reason, diff)
			}
			settled(t, state, plan.Plan)
		})
	}
}

// TestExpiryIsKept: the status says when credentials end, and goes on to say it while they are not known.
func TestExpiryIsKept(t *testing.T) {
	jwt := "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"exp":1900000000}`)) + ".c2ln"
	state := lifecycle.ClusterState{
		Now: now, Lifecycle: held("c-x", "source-uid"), Policy: active(t, nil),
	}
	state.Owner = state.Policy.Policy
	for _, secret := range []lifecycle.Lookup{
		lifecycle.Found(secretWith(base64.StdEncoding.EncodeToString([]byte(jwt)))), lifecycle.NotFound(),
	} {
		state.Read = func(r v1alpha1.DependentResource) lifecycle.Lookup {
			if r.Resource == "secrets" {
				return secret
			}
			return lifecycle.Found(source(map[string]any{"pick": true, "ready": true, "url": "https://x"}))
		}
		for _, a := range lifecycle.PlanCluster(context.Background(), state).Actions {
			if set, ok := a.(lifecycle.SetLifecycleStatus); ok {
				state.Lifecycle.Status = set.Status
			}
		}
		expires := state.Lifecycle.Status.Expires
		if expires == nil || expires.Token.Unix() != 1900000000 || expires.ClientCertificate != nil {
			t.Errorf("expires is %v", expires)
		}
	}
}

// split separates a plan's writes from the readiness that it sets.
func split(plan lifecycle.Plan) (actions, ready string) {
	var texts []string
	for _, a := range plan.Actions {
		set, ok := a.(lifecycle.SetLifecycleStatus)
		if !ok {
			texts = append(texts, a.String())
			continue
		}
		for _, c := range set.Status.Conditions {
			if c.Message == "" {
				texts = append(texts, c.Type+" has no message")
			}
			if c.Type == v1alpha1.ConditionReady {
				ready = string(c.Status) + "/" + c.Reason
			}
		}
	}
	return strings.Join(texts, "|"), ready
}

// settled fails unless a plan for the state that a plan leaves is empty: no write without a change.
func settled(t *testing.T, state lifecycle.ClusterState, plan lifecycle.Plan) {
	t.Helper()
	state.Now = now.Add(time.Hour)
	for steps := 0; len(plan.Actions) > 0; steps++ {
		if steps == 3 {
			t.Errorf("planned again and again, there is still something to do:\n%s", plan)
			return
		}
		state = applied(state, plan)
		plan = lifecycle.PlanCluster(context.Background(), state).Plan
	}
}

// applied is the state that a plan leaves.
func applied(state lifecycle.ClusterState, plan lifecycle.Plan) lifecycle.ClusterState {
	for _, a := range plan.Actions {
		switch a := a.(type) {
		case lifecycle.SetLifecycleStatus:
			state.Lifecycle.Status = a.Status
		case lifecycle.CreateCluster:
			state.Cluster = a.Cluster
		case lifecycle.MarkCluster:
			state.Cluster = state.Cluster.DeepCopy()
			state.Cluster.OwnerReferences = a.Owners
			delete(state.Cluster.Annotations, v1alpha1.AnnotationLifecycleUID)
			if a.LifecycleUID != "" {
				metav1.SetMetaDataAnnotation(&state.Cluster.ObjectMeta, v1alpha1.AnnotationLifecycleUID, a.LifecycleUID)
			}
		case lifecycle.PatchCluster:
			state.Cluster = state.Cluster.DeepCopy()
			if server, ok := a.Spec["apiserver"].(string); ok {
				state.Cluster.Spec.APIServer = server
			}
			if token, ok := a.Spec["tokenData"].([]byte); ok {
				state.Cluster.Spec.TokenData = token
			}
		}
	}
	return state
}

func TestLegacyFinalizerIsDropped(t *testing.T) {
	deleted := metav1.NewTime(now)
	l := held("c-x", "source-uid")
	l.DeletionTimestamp, l.Finalizers = &deleted, []string{v1alpha1.LegacyLifecycleFinalizer, "someone/else"}
	plan := lifecycle.PlanCluster(context.Background(), lifecycle.ClusterState{Now: now, Lifecycle: l})
	if diff := cmp.Diff("drop finalizer clusterpedia.io/pediacluster-lifecycle-controller of c-x", plan.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestPlanPolicy(t *testing.T) {
	watched := v1alpha1.ResolvedResource{Group: "example.com", Version: "v1", Resource: "clusters"}
	cases := map[string]struct {
		reason string
		state  lifecycle.PolicyState
		change func(*v1alpha1.ClusterImportPolicy)
		want   map[string]string
	}{
		"Active": {
			reason: "a policy that compiles and watches is ready; nothing is under way",
			state:  lifecycle.PolicyState{Source: &watched, Watches: []lifecycle.Watch{{Resource: watched, Synced: true}}},
			want: map[string]string{
				"Validated": "True/Success", "SourceAvailable": "True/Watched", "Ready": "True/Active",
				"Reconciling": "False/ReconcileSourceResourceAndLifecycle",
			},
		},
		"Listing": {
			reason: "Reconciling is True only while work is under way",
			state:  lifecycle.PolicyState{Source: &watched, Watches: []lifecycle.Watch{{Resource: watched}}},
			want: map[string]string{
				"Validated": "True/Success", "SourceAvailable": "True/Watched", "Ready": "True/Active", "Reconciling": "True/WaitResourceSynced",
			},
		},
		"NotServed": {
			reason: "a policy may come before its kind: it is ready and says what it waits for",
			state:  lifecycle.PolicyState{Unavailable: &lifecycle.Unavailable{Reason: v1alpha1.ReasonFailedNegotiateSource, Message: "not served"}},
			want: map[string]string{
				"Validated": "True/Success", "SourceAvailable": "False/FailedNegotiateSourceResource", "Ready": "True/WaitSourceAvailable",
				"Reconciling": "False/ReconcileSourceResourceAndLifecycle",
			},
		},
		"Forbidden": {
			reason: "a kind that may not be watched is said with what to grant",
			state:  lifecycle.PolicyState{Watches: []lifecycle.Watch{{Resource: watched, Reason: v1alpha1.ReasonForbidden, Message: "grant it"}}},
			want: map[string]string{
				"Validated": "True/Success", "SourceAvailable": "False/Forbidden", "Ready": "True/WaitSourceAvailable",
				"Reconciling": "False/ReconcileSourceResourceAndLifecycle",
			},
		},
		"Paused": {
			reason: "a paused policy is no failure",
			state:  lifecycle.PolicyState{Source: &watched, Watches: []lifecycle.Watch{{Resource: watched, Synced: true}}},
			change: func(p *v1alpha1.ClusterImportPolicy) {
				p.Annotations = map[string]string{v1alpha1.AnnotationPaused: "true"}
			},
			want: map[string]string{
				"Validated": "True/Success", "SourceAvailable": "True/Watched", "Ready": "True/Paused",
				"Reconciling": "False/ReconcileSourceResourceAndLifecycle",
			},
		},
		"Invalid": {
			reason: "a name that does not compile is refused with upstream's reason",
			state:  lifecycle.PolicyState{Diagnostics: diag.List{diag.At(diag.Error, "CEL-TYPE", "spec.nameTemplate", "${x}", 2, "undeclared")}},
			want:   map[string]string{"Validated": "False/FailedParseLifecycleName", "Ready": "False/Invalid", "Reconciling": "False/Invalid"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.state.Now = now
			tc.state.Policy = active(t, nil).Policy
			if tc.change != nil {
				tc.change(tc.state.Policy)
			}
			plan := lifecycle.PlanPolicy(tc.state)
			set, ok := plan.Actions[0].(lifecycle.SetPolicyStatus)
			if !ok {
				t.Fatalf("%s: the plan is %s", tc.reason, plan)
			}
			got := map[string]string{}
			for _, c := range set.Status.Conditions {
				got[c.Type] = string(c.Status) + "/" + c.Reason
				if c.Message == "" || c.ObservedGeneration != 1 {
					t.Errorf("%s: %s has message %q and generation %d", tc.reason, c.Type, c.Message, c.ObservedGeneration)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
			tc.state.Policy.Status, tc.state.Now = set.Status, now.Add(time.Hour)
			if again := lifecycle.PlanPolicy(tc.state); len(again.Actions) > 0 {
				t.Errorf("%s: planned again, there is still something to do:\n%s", tc.reason, again)
			}
		})
	}
}

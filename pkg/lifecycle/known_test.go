package lifecycle_test

import (
	"context"
	"encoding/base64"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

// TestObjections: what speaks against a PediaCluster, when it is known and when it is not.
func TestObjections(t *testing.T) {
	ready := func(more map[string]any) map[string]any {
		spec := map[string]any{"pick": true, "alias": "x", "ready": true, "url": "https://x"}
		maps.Copy(spec, more)
		return source(spec)
	}
	noSelector := ready(nil)
	delete(noSelector["spec"].(map[string]any), "pick")
	admitted := &v1alpha1.Deletions{Admitted: []v1alpha1.Removal{{Name: "c-x", UID: "cluster-uid"}}}
	const retired = "source.spec.retired"
	cases := map[string]struct {
		reason    string
		condition string
		source    map[string]any
		secret    lifecycle.Lookup
		cluster   *v1alpha2.PediaCluster
		deletions *v1alpha1.Deletions
		dry       bool
		// actions are the writes and events, ready is status/reason of Ready, due how many removals wait.
		actions, ready string
		due            int
	}{
		"NotSelected": {
			reason: "what waits to be removed goes on to follow its source",
			source: ready(map[string]any{"pick": false, "url": "https://moved"}), cluster: clusterOf(mine, ""), ready: "False/NotSelected",
			actions: `patch cluster c-x: apiserver|event PediaClusterUpdated: updated apiserver of PediaCluster "c-x"`,
		},
		"NotSelectedNew": {reason: "it is not created meanwhile", source: ready(map[string]any{"pick": false}), ready: "False/NotSelected"},
		"Skipped": {
			reason: "the annotation is said as well", source: with(ready(nil), v1alpha1.AnnotationSkip, "true"), cluster: clusterOf(mine, ""), ready: "False/NotSelected",
		},
		"SelectorFails":    {reason: "an error keeps what is there and says why", source: noSelector, cluster: clusterOf(mine, ""), ready: "False/SelectorFailed"},
		"SelectorFailsNew": {reason: "nothing is created on doubt", source: noSelector, ready: "False/SelectorFailed"},
		"Retired": {
			reason: "the deletion condition removes what is imported, once that is admitted", condition: retired,
			source: ready(map[string]any{"retired": true}), cluster: clusterOf(mine, ""), deletions: admitted, due: 1, ready: "False/DeletionCondition",
			actions: `delete cluster c-x|event PediaClusterDeleted: deleted PediaCluster "c-x": the deletion condition is true`,
		},
		"RetiredWaits": {
			reason: "and not before", condition: retired,
			source: ready(map[string]any{"retired": true}), cluster: clusterOf(mine, ""), due: 1, ready: "False/DeletionCondition",
		},
		"RetiredDryRun": {
			reason: "nor in a dry run", condition: retired, dry: true,
			source: ready(map[string]any{"retired": true}), cluster: clusterOf(mine, ""), deletions: admitted, ready: "False/DryRun",
		},
		"RetiredNew": {reason: "nothing is created that would have to go", condition: retired, source: ready(map[string]any{"retired": true}), ready: "False/DeletionCondition"},
		"RetiredForeign": {
			reason: "what is not ours is not removed", condition: retired,
			source: ready(map[string]any{"retired": true}), cluster: clusterOf("", ""), deletions: admitted, ready: "False/DeletionCondition",
		},
		"NotRetired": {reason: "a false condition changes nothing", condition: retired, source: ready(map[string]any{"retired": false}), cluster: clusterOf(mine, ""), ready: "True/Imported"},
		"RetiredFails": {
			reason: "a condition that fails keeps what is there, in step, and says why", condition: retired,
			source: ready(map[string]any{"url": "https://moved"}), cluster: clusterOf(mine, ""), deletions: admitted, ready: "False/DeletionConditionFailed",
			actions: `patch cluster c-x: apiserver|event PediaClusterUpdated: updated apiserver of PediaCluster "c-x"`,
		},
		"RetiredByReference": {
			reason: "a reference that is missing proves nothing", condition: `references.auth.data.token == ""`,
			source: ready(nil), secret: lifecycle.NotFound(), cluster: clusterOf(mine, ""), deletions: admitted, ready: "False/ReferenceResourceNotFound",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			state := lifecycle.ClusterState{
				Now: now, Lifecycle: held("c-x", "source-uid"), Cluster: tc.cluster, Deletions: tc.deletions,
				Policy: active(t, func(s *v1alpha1.ClusterImportPolicySpec) { s.DeletionCondition = tc.condition }),
				Read: func(r v1alpha1.DependentResource) lifecycle.Lookup {
					switch {
					case r.Resource != "secrets":
						return lifecycle.Found(tc.source)
					case tc.condition != "" && tc.condition != retired:
						return tc.secret
					default:
						return lifecycle.Found(secretWith(base64.StdEncoding.EncodeToString([]byte(canary))))
					}
				},
			}
			state.Owner = state.Policy.Policy
			if tc.cluster != nil {
				state.Cluster.UID = "cluster-uid"
			}
			if tc.dry {
				state.Policy.Policy.Spec.Mode = v1alpha1.ModeDryRun
			}
			plan := lifecycle.PlanCluster(context.Background(), state)
			actions, readiness := split(plan.Plan)
			if diff := cmp.Diff([]any{tc.actions, tc.ready, tc.due}, []any{actions, readiness, len(plan.Due)}); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
			if !plan.Removes() {
				settled(t, state, plan.Plan)
			}
		})
	}
}

// TestRestart: a process that starts knows less than the one before, which is no reason to write anything.
func TestRestart(t *testing.T) {
	found := lifecycle.Found(source(map[string]any{"pick": true, "alias": "x", "ready": true, "url": "https://x"}))
	secret := lifecycle.Found(secretWith(base64.StdEncoding.EncodeToString([]byte(canary))))
	starting := lifecycle.Lookup{Unknown: "its kind is not listed yet", Starting: true}
	state := lifecycle.ClusterState{
		Now: now, Lifecycle: held("c-x", "source-uid"), Policy: active(t, nil), Cluster: clusterOf(mine, ""),
	}
	state.Owner = state.Policy.Policy
	reads := func(source, secret lifecycle.Lookup) lifecycle.Reader {
		return func(r v1alpha1.DependentResource) lifecycle.Lookup {
			if r.Resource == "secrets" {
				return secret
			}
			return source
		}
	}
	state.Read = reads(found, secret)
	imported := applied(state, lifecycle.PlanCluster(context.Background(), state).Plan)
	imported.Now = now.Add(time.Hour)
	cases := map[string]struct {
		reason         string
		source, secret lifecycle.Lookup
		noPolicy       bool
		edited         bool
		want           string
	}{
		"Policy":  {reason: "the policy is not looked at yet", source: starting, secret: starting, noPolicy: true},
		"Source":  {reason: "the source is not listed yet", source: starting, secret: starting},
		"Secret":  {reason: "a reference is not listed yet", source: found, secret: starting},
		"Edited":  {reason: "of another generation the status says nothing so far", source: found, secret: starting, edited: true, want: "False/WaitDependentResourceSynced"},
		"NoWatch": {reason: "a watch that fails is worth saying", source: found, secret: lifecycle.NotKnown("it may not be watched"), want: "False/WaitDependentResourceSynced"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			state := imported
			state.Read, state.Starting = reads(tc.source, tc.secret), tc.noPolicy
			if tc.noPolicy {
				state.Policy = nil
			}
			if tc.edited {
				state.Lifecycle = state.Lifecycle.DeepCopy()
				state.Lifecycle.Generation++
			}
			plan := lifecycle.PlanCluster(context.Background(), state)
			actions, readiness := split(plan.Plan)
			if diff := cmp.Diff([]string{"", tc.want}, []string{actions, readiness}); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
			if len(plan.Watch) == 0 {
				t.Error("nothing is watched: who would plan it again?")
			}
		})
	}
}

// TestPolicyRestart: nor does the status of a policy change because its sources are counted anew.
func TestPolicyRestart(t *testing.T) {
	watched := v1alpha1.ResolvedResource{Group: "example.com", Version: "v1", Resource: "clusters"}
	state := lifecycle.PolicyState{
		Now: now, Policy: active(t, nil).Policy, Source: &watched, Watches: []lifecycle.Watch{{Resource: watched, Synced: true}}, Settled: true,
		Counts:   v1alpha1.SourceCounts{Selected: 3, Imported: 2, Failed: 1},
		Failures: []v1alpha1.SourceFailure{{Name: "c", Reason: v1alpha1.ReasonNameConflict, Message: "taken"}},
		Present:  func(v1alpha1.Removal) bool { return false },
	}
	set, ok := lifecycle.PlanPolicy(state).Actions[0].(lifecycle.SetPolicyStatus)
	if !ok {
		t.Fatal("no status is written")
	}
	state.Policy.Status = set.Status
	state.Settled, state.Counts, state.Failures, state.Watches[0].Synced = false, v1alpha1.SourceCounts{}, nil, false
	if plan := lifecycle.PlanPolicy(state); len(plan.Actions) > 0 {
		t.Errorf("a process that starts writes\n%s", plan)
	}
	state.Settled, state.Watches[0].Synced = true, true
	if plan := lifecycle.PlanPolicy(state); len(plan.Actions) != 1 {
		t.Errorf("what has changed is not written once: %s", plan)
	}
}

// TestTakeOver: a fleet as Clusterpedia's controllers leave it. Lifecycles are claimed, and no PediaCluster is written.
func TestTakeOver(t *testing.T) {
	isController := true
	condition := func(kind, status, reason string) metav1.Condition {
		return metav1.Condition{Type: kind, Status: metav1.ConditionStatus(status), Reason: reason, LastTransitionTime: metav1.NewTime(now.Add(-time.Hour))}
	}
	cases := map[string]struct {
		reason     string
		conditions []metav1.Condition
		cluster    *v1alpha2.PediaCluster
		ready      string
	}{
		"Imported": {
			reason:     "an imported cluster in step",
			conditions: []metav1.Condition{condition("Created", "True", "PediaClusterCreated"), condition("Updating", "False", "PediaClusterUpdated")},
			cluster:    clusterOf(mine, ""), ready: "True/Imported",
		},
		"AdoptedThere": {
			reason:     "one that existed before: Clusterpedia's controllers do not own it, and neither do we",
			conditions: []metav1.Condition{condition("Created", "True", "PediaClusterExisted"), condition("Updating", "True", "PediaClusterUpdated")},
			cluster:    clusterOf("", ""), ready: "False/PediaClusterExisted",
		},
		"InvalidReason": {
			reason:     "a misspelled reason is replaced",
			conditions: []metav1.Condition{condition("Created", "False", "InvalaidPolicy")}, cluster: clusterOf(mine, ""), ready: "True/Imported",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			policy := active(t, nil)
			policy.Policy.Finalizers = []string{v1alpha1.LegacyPolicyFinalizer}
			l := held("c-x", "")
			l.Annotations = nil
			l.Finalizers = []string{v1alpha1.LegacyLifecycleFinalizer}
			l.OwnerReferences = []metav1.OwnerReference{{Kind: "ClusterImportPolicy", Name: "p", UID: "policy-uid", Controller: &isController}}
			l.Status.Conditions = tc.conditions
			found := lifecycle.Found(source(map[string]any{"pick": true, "alias": "x", "ready": true, "url": "https://x"}))
			plan, _ := lifecycle.PlanSource(context.Background(), lifecycle.SourceState{
				Policy: policy, Owner: policy.Policy, Namespace: "ns", Name: "one", Source: found, Owned: []*v1alpha1.PediaClusterLifecycle{l},
				Definition: lifecycle.Definition{UID: "definition", Created: metav1.NewTime(now.Add(-time.Hour))},
				Cluster:    func(string) *v1alpha2.PediaCluster { return tc.cluster },
			})
			update, ok := plan.Actions[0].(lifecycle.UpdateLifecycle)
			if !ok || len(plan.Actions) != 1 {
				t.Fatalf("%s: the plan is %s", tc.reason, plan)
			}
			if diff := cmp.Diff(l.OwnerReferences, update.Lifecycle.OwnerReferences); diff != "" {
				t.Errorf("the lifecycle's owner has changed: %s", diff)
			}
			state := lifecycle.ClusterState{
				Now: now, Lifecycle: update.Lifecycle, Policy: policy, Owner: policy.Policy, Cluster: tc.cluster,
				Read: func(r v1alpha1.DependentResource) lifecycle.Lookup {
					if r.Resource == "secrets" {
						return lifecycle.Found(secretWith(base64.StdEncoding.EncodeToString([]byte(canary))))
					}
					return found
				},
			}
			actions, readiness := split(lifecycle.PlanCluster(context.Background(), state).Plan)
			if diff := cmp.Diff([]string{"", tc.ready}, []string{actions, readiness}); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
			if strings.Contains(actions, "cluster") {
				t.Errorf("%s: a PediaCluster is written", tc.reason)
			}
		})
	}
}

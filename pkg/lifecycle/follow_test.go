package lifecycle_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
)

// TestUpdatePolicy: what follows the source after creation, by field.
func TestUpdatePolicy(t *testing.T) {
	const template = `
metadata:
  labels: {env: prod}
  annotations: {policy.clusterpedia.io/lifecycle-uid: forged, note: new}
spec:
  apiserver: https://new
  tokenData: bmV3
  caData: Y2E=
  syncResources: [{group: apps, resources: ["*"]}]
  syncAllCustomResources: false
`
	live := func() *v1alpha2.PediaCluster {
		c := clusterOf(mine, "")
		c.Labels = map[string]string{"env": "test", "mine": "too"}
		c.Spec.SyncAllCustomResources, c.Spec.ShardingName = true, "a"
		return c
	}
	cases := map[string]struct {
		reason string
		update v1alpha1.UpdatePolicy
		want   []string
	}{
		"Default": {
			reason: "as documented by Clusterpedia: endpoint and credentials; the rest is the user's",
			want:   []string{"apiserver", "tokenData"},
		},
		"Credentials": {reason: "the default, spelled out", update: v1alpha1.UpdateCredentials, want: []string{"apiserver", "tokenData"}},
		"All": {
			reason: "all that the template names: not shardingName, not another label, and never whose the PediaCluster is",
			update: v1alpha1.UpdateAll,
			want: []string{
				"apiserver", "syncAllCustomResources", "syncResources", "tokenData", "metadata.labels.env", "metadata.annotations.note",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			state := lifecycle.ClusterState{
				Now: now, Lifecycle: held("c-x", "source-uid"), Cluster: live(),
				Policy: active(t, func(s *v1alpha1.ClusterImportPolicySpec) { s.Template, s.UpdatePolicy = template, tc.update }),
				Read: func(r v1alpha1.DependentResource) lifecycle.Lookup {
					return lifecycle.Found(source(map[string]any{"pick": true, "alias": "x"}))
				},
			}
			state.Owner = state.Policy.Policy
			plan := lifecycle.PlanCluster(context.Background(), state)
			patch, ok := plan.Actions[0].(lifecycle.PatchCluster)
			if !ok {
				t.Fatalf("the plan is\n%s", plan)
			}
			if diff := cmp.Diff(tc.want, patch.Fields()); diff != "" {
				t.Errorf("%s: fields (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

// TestAuthenticationIsReplaced: a merge must not leave a selector of before beside the new ones.
func TestAuthenticationIsReplaced(t *testing.T) {
	state := lifecycle.ClusterState{
		Now: now, Lifecycle: held("c-x", "source-uid"), Cluster: clusterOf(mine, ""),
		Policy: active(t, func(s *v1alpha1.ClusterImportPolicySpec) {
			s.UpdatePolicy = v1alpha1.UpdateAll
			s.Template = "spec:\n  apiserver: https://x\n  authenticationFrom: {ca: {name: a, key: ca}, token: {name: a, key: token}}\n  syncResources: []\n"
		}),
		Read: func(v1alpha1.DependentResource) lifecycle.Lookup {
			return lifecycle.Found(source(map[string]any{"pick": true, "alias": "x"}))
		},
	}
	state.Owner = state.Policy.Policy
	state.Cluster.Spec.AuthenticationFrom = &v1alpha2.ClusterAuthentication{Cert: &v1alpha2.SecretKeySelector{Name: "old", Key: "cert"}}
	patch, ok := lifecycle.PlanCluster(context.Background(), state).Actions[0].(lifecycle.PatchCluster)
	if !ok {
		t.Fatal("nothing is patched")
	}
	selectors, _ := patch.Spec["authenticationFrom"].(map[string]any)
	if cert, ok := selectors["cert"].(*v1alpha2.SecretKeySelector); !ok || cert != nil || len(selectors) != 5 {
		t.Errorf("authenticationFrom is patched with %v", selectors)
	}
}

// TestRenderedName: an edit of nameTemplate renames nothing; the status says which name it gives.
func TestRenderedName(t *testing.T) {
	state := lifecycle.ClusterState{
		Now: now, Lifecycle: held("c-x", "source-uid"), Cluster: clusterOf(mine, ""), Policy: active(t, nil),
	}
	state.Owner = state.Policy.Policy
	for alias, want := range map[string]string{"y": "c-y", "x": ""} {
		state.Read = func(r v1alpha1.DependentResource) lifecycle.Lookup {
			if r.Resource == "secrets" {
				return lifecycle.NotFound()
			}
			return lifecycle.Found(source(map[string]any{"pick": true, "alias": alias, "url": "https://x"}))
		}
		state = applied(state, lifecycle.PlanCluster(context.Background(), state).Plan)
		if got := state.Lifecycle.Status.RenderedName; got != want {
			t.Errorf("renderedName is %q, not %q", got, want)
		}
	}
}

package controller

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/pkg/lifecycle"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

var (
	clusterKind = schema.GroupVersionResource{Group: "x.io", Version: "v1", Resource: "clusters"}
	secretKind  = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
)

// importing is a policy at work that reads the phase of its sources and one key of a Secret.
func publish(t *testing.T, r *registry) {
	t.Helper()
	active := importing(t)
	r.publish("p", active, active.Reads())
}

func importing(t *testing.T) *lifecycle.ActivePolicy {
	t.Helper()
	p := &v1alpha1.ClusterImportPolicy{}
	p.Name = "p"
	p.Spec = v1alpha1.ClusterImportPolicySpec{
		Source:            v1alpha1.SourceType{Group: "x.io", Resource: "clusters"},
		References:        []v1alpha1.ReferenceResourceTemplate{{Key: "secret", Resource: "secrets", NamespaceTemplate: "ns", NameTemplate: "s"}},
		NameTemplate:      "${source.metadata.name}",
		CreationCondition: `source.?status.?phase.orValue("") == "Ready"`,
		Template:          "spec: {kubeconfig: '${references.secret.data.value}', syncResources: []}",
	}
	compiled, list := policy.Compile(&p.Spec, policy.Types{})
	if compiled == nil {
		t.Fatal(list)
	}
	return &lifecycle.ActivePolicy{
		Policy: p, Compiled: compiled, Source: v1alpha1.ResolvedResource{Group: "x.io", Version: "v1", Resource: "clusters"},
		References: []v1alpha1.ReferenceResource{{Key: "secret", Version: "v1", Resource: "secrets"}},
	}
}

func TestConcerns(t *testing.T) {
	object := func(phase, heartbeat string) map[string]any {
		return map[string]any{
			"metadata": map[string]any{"name": "c", "uid": "1", "resourceVersion": heartbeat},
			"status":   map[string]any{"phase": phase, "heartbeat": heartbeat},
		}
	}
	recreated := object("Ready", "1")
	recreated["metadata"].(map[string]any)["uid"] = "2"
	secret := func(value, other string) map[string]any {
		return map[string]any{"data": map[string]any{"value": value, "other": other}}
	}
	cases := map[string]struct {
		reason string
		policy string
		change kube.Change
		want   bool
	}{
		"Heartbeat": {
			reason: "what no expression reads concerns nobody", policy: "p",
			change: kube.Change{Kind: clusterKind, Before: object("Ready", "1"), After: object("Ready", "2")},
		},
		"Read": {
			reason: "what an expression reads does", policy: "p", want: true,
			change: kube.Change{Kind: clusterKind, Before: object("Ready", "1"), After: object("Gone", "2")},
		},
		"Recreated": {
			reason: "another object of the same name is a new claim, whatever is read", policy: "p", want: true,
			change: kube.Change{Kind: clusterKind, Before: object("Ready", "1"), After: recreated},
		},
		"Reference":  {reason: "references count too", policy: "p", want: true, change: kube.Change{Kind: secretKind, Before: secret("a", ""), After: secret("b", "")}},
		"OtherKey":   {reason: "another key of a Secret does not", policy: "p", change: kube.Change{Kind: secretKind, Before: secret("a", ""), After: secret("a", "x")}},
		"Added":      {reason: "an object that comes always counts", policy: "p", want: true, change: kube.Change{Kind: secretKind, After: secret("a", "")}},
		"Deleted":    {reason: "and one that goes", policy: "p", want: true, change: kube.Change{Kind: clusterKind, Before: object("Ready", "1")}},
		"NotAtWork":  {reason: "a policy that is not at work may read anything", policy: "q", want: true, change: kube.Change{Kind: clusterKind, Before: object("a", "1"), After: object("a", "2")}},
		"OtherWatch": {reason: "so may one that reads the kind in another version", policy: "p", want: true, change: kube.Change{Kind: clusterKind.GroupResource().WithVersion("v2"), Before: object("a", "1"), After: object("a", "2")}},
	}
	r := newRegistry()
	publish(t, r)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := r.concerns(tc.policy, tc.change); got != tc.want {
				t.Errorf("%s: it concerns the policy: %v", tc.reason, got)
			}
		})
	}
}

func TestRegistryFollowsKinds(t *testing.T) {
	r := newRegistry()
	names := func() map[string][]string {
		return map[string][]string{
			"import clusters": r.importing(clusterKind), "import secrets": r.importing(secretKind),
			"watch clusters": r.watching(clusterKind), "watch secrets": r.watching(secretKind),
		}
	}
	publish(t, r)
	want := map[string][]string{"import clusters": {"p"}, "import secrets": nil, "watch clusters": {"p"}, "watch secrets": {"p"}}
	if diff := cmp.Diff(want, names()); diff != "" {
		t.Errorf("a policy imports one kind and watches two (-want +got)\n%s", diff)
	}
	r.publish("p", nil, nil)
	for what, names := range names() {
		if len(names) > 0 {
			t.Errorf("a policy that is taken off is still said to %s", what)
		}
	}
}

// TestObjectChangedQueuesWhatItConcerns drives the handler itself: an update that nobody reads queues nothing.
func TestObjectChangedQueuesWhatItConcerns(t *testing.T) {
	queues := Queues{Policies: newQueue[string]("p"), Sources: newQueue[SourceKey]("s"), Lifecycles: newQueue[string]("l")}
	defer queues.Policies.ShutDown()
	defer queues.Sources.ShutDown()
	defer queues.Lifecycles.ShutDown()
	r := NewReconcilers(Dependencies{Queues: queues, Now: time.Now})
	publish(t, r.registry)
	name := types.NamespacedName{Namespace: "ns", Name: "c"}
	object := func(phase, beat string) map[string]any {
		return map[string]any{"status": map[string]any{"phase": phase, "beat": beat}}
	}
	r.ObjectChanged(kube.Change{Kind: clusterKind, Name: name, Before: object("a", "1"), After: object("a", "2")})
	if n := queues.Sources.Len(); n != 0 {
		t.Errorf("%d sources are planned for an update that nobody reads", n)
	}
	r.ObjectChanged(kube.Change{Kind: clusterKind, Name: name, Before: object("a", "1"), After: object("b", "1")})
	if n := queues.Sources.Len(); n != 1 {
		t.Errorf("%d sources are planned for an update that is read", n)
	}
}

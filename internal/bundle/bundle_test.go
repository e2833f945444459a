package bundle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// named is a policy with these labels, in pairs, that imports resource.
func named(name, resource string, labels ...string) *unstructured.Unstructured {
	p := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{"source": map[string]any{"group": "", "resource": resource}},
	}}
	p.SetGroupVersionKind(v1alpha1.ClusterImportPolicyKind)
	p.SetName(name)
	if len(labels) > 0 {
		marked := map[string]string{}
		for i := 0; i < len(labels); i += 2 {
			marked[labels[i]] = labels[i+1]
		}
		p.SetLabels(marked)
	}
	return p
}

func ours(name, resource string) *unstructured.Unstructured {
	return named(name, resource, v1alpha1.LabelBundled, "true", labelInstance, "one")
}

func newBundle(live ...runtime.Object) *Bundle {
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
		map[schema.GroupVersionResource]string{v1alpha1.ClusterImportPolicyResource: "ClusterImportPolicyList"}, live...)
	// The fake does not know server-side apply of kinds without Go types. Here it is: the document becomes the object.
	client.PrependReactor("patch", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		patch, ok := action.(clienttesting.PatchAction)
		if !ok || patch.GetPatchType() != types.ApplyPatchType {
			return false, nil, nil
		}
		applied := &unstructured.Unstructured{}
		if err := applied.UnmarshalJSON(patch.GetPatch()); err != nil {
			return true, nil, err
		}
		err := client.Tracker().Update(patch.GetResource(), applied, "")
		if apierrors.IsNotFound(err) {
			err = client.Tracker().Create(patch.GetResource(), applied, "")
		}
		return true, applied, err
	})
	return &Bundle{Client: client.Resource(v1alpha1.ClusterImportPolicyResource), Release: "one"}
}

func TestApply(t *testing.T) {
	other := named("a", "theirs", v1alpha1.LabelBundled, "true", labelInstance, "two")
	cases := map[string]struct {
		reason  string
		live    []runtime.Object
		options ApplyOptions
		want    []Result
		// resources are what the policies import in the end; "" is a policy that is not there.
		resources map[string]string
	}{
		"New": {
			reason: "what the cluster lacks is made",
			want:   []Result{{"a", Applied}}, resources: map[string]string{"a": "given"},
		},
		"Ours": {
			reason: "what the release made before is brought up to date",
			live:   []runtime.Object{ours("a", "before")},
			want:   []Result{{"a", Applied}}, resources: map[string]string{"a": "given"},
		},
		"Foreign": {
			reason: "what somebody else made is not touched",
			live:   []runtime.Object{named("a", "theirs")},
			want:   []Result{{"a", Foreign}}, resources: map[string]string{"a": "theirs"},
		},
		"OtherRelease": {
			reason: "nor what another release made",
			live:   []runtime.Object{other},
			want:   []Result{{"a", Foreign}}, resources: map[string]string{"a": "theirs"},
		},
		"Adopt": {
			reason: "unless it is to be taken over", options: ApplyOptions{Adopt: true},
			live: []runtime.Object{named("a", "theirs")},
			want: []Result{{"a", Applied}}, resources: map[string]string{"a": "given"},
		},
		"Kept": {
			reason: "what the release has not any more stays",
			live:   []runtime.Object{ours("b", "before"), named("c", "theirs")},
			want:   []Result{{"a", Applied}, {"b", Kept}}, resources: map[string]string{"b": "before", "c": "theirs"},
		},
		"Pruned": {
			reason: "unless it is to go; what is somebody else's never does", options: ApplyOptions{Prune: true},
			live: []runtime.Object{ours("b", "before"), named("c", "theirs")},
			want: []Result{{"a", Applied}, {"b", Deleted}}, resources: map[string]string{"b": "", "c": "theirs"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBundle(tc.live...)
			got, err := b.Apply(t.Context(), []*unstructured.Unstructured{named("a", "given")}, tc.options)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tc.reason, diff)
			}
			for policy, want := range tc.resources {
				if got := resource(t, b, policy); got != want {
					t.Errorf("%s: %s imports %q, not %q", tc.reason, policy, got, want)
				}
			}
		})
	}
}

// resource is what a policy of the cluster imports.
func resource(t *testing.T, b *Bundle, name string) string {
	t.Helper()
	p, err := b.Client.Get(t.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	found, _, err := unstructured.NestedString(p.Object, "spec", "source", "resource")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestDelete: all policies of the release go, and no other.
func TestDelete(t *testing.T) {
	b := newBundle(ours("b", "x"), ours("a", "x"), named("c", "theirs"))
	got, err := b.Delete(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Result{{"a", Deleted}, {"b", Deleted}}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if resource(t, b, "a") != "" || resource(t, b, "c") != "theirs" {
		t.Error("a must be gone, and c must not")
	}
}

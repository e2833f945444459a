package kube_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	kubetesting "k8s.io/client-go/testing"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// served answers what an API server serves.
type served struct {
	discovery.DiscoveryInterfaceWithContext

	groups []*metav1.APIGroup
	lists  []*metav1.APIResourceList
	err    error
	asked  int
}

func (s *served) ServerGroupsAndResourcesWithContext(context.Context) ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	s.asked++
	return s.groups, s.lists, s.err
}

var kindOf = map[string]string{"clusters": "Cluster", "secrets": "Secret"}

func clusterAPI() *served {
	versions := []metav1.GroupVersionForDiscovery{{Version: "v1beta2"}, {Version: "v1beta1"}}
	list := func(gv, resource string) *metav1.APIResourceList {
		return &metav1.APIResourceList{GroupVersion: gv, APIResources: []metav1.APIResource{{Name: "others"}, {Name: resource, Kind: kindOf[resource]}}}
	}
	return &served{
		groups: []*metav1.APIGroup{{Name: "x-k8s.io", Versions: versions, PreferredVersion: versions[0]}, {Versions: []metav1.GroupVersionForDiscovery{{Version: "v1"}}}},
		lists: []*metav1.APIResourceList{
			list("x-k8s.io/v1beta2", "clusters"), list("x-k8s.io/v1beta1", "clusters"), list("v1", "secrets"),
		},
	}
}

func TestNegotiate(t *testing.T) {
	current := func(version string) *v1alpha1.ResolvedResource {
		return &v1alpha1.ResolvedResource{Group: "x-k8s.io", Version: version, Resource: "clusters"}
	}
	cases := map[string]struct {
		reason, group, resource string
		versions                []string
		current                 *v1alpha1.ResolvedResource
		want, err               string
	}{
		"Preferred":   {reason: "without versions, the preferred one", group: "x-k8s.io", resource: "clusters", want: "v1beta2"},
		"Core":        {reason: "the core group has no name", resource: "secrets", want: "v1"},
		"FirstServed": {reason: "the first served version that is listed", group: "x-k8s.io", resource: "clusters", versions: []string{"v1", "v1beta1", "v1beta2"}, want: "v1beta1"},
		"Sticky":      {reason: "a choice stays while it is served", group: "x-k8s.io", resource: "clusters", current: current("v1beta1"), want: "v1beta1"},
		"NotSticky":   {reason: "a choice that is not served any more is made anew", group: "x-k8s.io", resource: "clusters", current: current("v1alpha4"), want: "v1beta2"},
		"NoKind":      {reason: "a kind that is not served", group: "x-k8s.io", resource: "machines", err: "does not serve machines.x-k8s.io"},
		"NoVersion":   {reason: "a version that is not served", group: "x-k8s.io", resource: "clusters", versions: []string{"v1"}, err: `in any of the versions ["v1"]`},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := kube.NewResources(clusterAPI(), time.Now).Negotiate(context.Background(), tc.group, tc.resource, tc.versions, tc.current)
			if tc.err != "" {
				if _, ok := errors.AsType[*kube.NotServedError](err); !ok || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("%s: got %v", tc.reason, err)
				}
				return
			}
			if diff := cmp.Diff(v1alpha1.ResolvedResource{Group: tc.group, Version: tc.want, Resource: tc.resource}, got); err != nil || diff != "" {
				t.Errorf("%s: %v (-want +got)\n%s", tc.reason, err, diff)
			}
		})
	}
}

func TestResourcesAreAskedForOnce(t *testing.T) {
	server := clusterAPI()
	r := kube.NewResources(server, time.Now)
	for range 3 {
		if _, err := r.Negotiate(context.Background(), "", "secrets", nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if server.asked != 1 {
		t.Errorf("asked %d times", server.asked)
	}
}

func TestAnUnreachableServerIsNoAnswer(t *testing.T) {
	_, err := kube.NewResources(&served{err: errors.New("down")}, time.Now).Negotiate(context.Background(), "", "secrets", nil, nil)
	if _, ok := errors.AsType[*kube.NotServedError](err); err == nil || ok {
		t.Errorf("got %v", err)
	}
}

var secrets = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}

// whole reads all there is of a kind.
func whole(gvr schema.GroupVersionResource) map[schema.GroupVersionResource]*expr.Reads {
	return map[schema.GroupVersionResource]*expr.Reads{gvr: {Whole: true}}
}

// key reads one key of a Secret's data.
func key(name string) map[schema.GroupVersionResource]*expr.Reads {
	reads := &expr.Reads{}
	reads.Include("data", name)
	return map[schema.GroupVersionResource]*expr.Reads{secrets: reads}
}

func secret(name string, data map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "data": data,
		"metadata": map[string]any{"namespace": "ns", "name": name, "managedFields": []any{map[string]any{"manager": "m"}}},
	}}
}

// recorder receives what a watch set tells.
type recorder struct {
	changes chan types.NamespacedName
	states  chan schema.GroupVersionResource
}

func watchSet(t *testing.T, client *dynamicfake.FakeDynamicClient) (*kube.WatchSet, recorder) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r := recorder{make(chan types.NamespacedName, 100), make(chan schema.GroupVersionResource, 100)}
	set := kube.NewWatchSet(ctx, client,
		func(change kube.Change) { r.changes <- change.Name },
		func(gvr schema.GroupVersionResource) { r.states <- gvr })
	t.Cleanup(func() {
		cancel()
		set.Wait()
	})
	return set, r
}

// await returns what a channel gives within a few seconds.
func await[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("no %s", what)
		panic("unreachable")
	}
}

// awaitSync returns when Secrets are listed.
func awaitSync(t *testing.T, set *kube.WatchSet, told recorder) {
	t.Helper()
	for synced, _ := set.Status(secrets); !synced; synced, _ = set.Status(secrets) {
		await(t, "state", told.states)
	}
}

func fakeClient(objects ...runtime.Object) *dynamicfake.FakeDynamicClient {
	return dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{secrets: "SecretList"}, objects...)
}

// watched is closed when the client watches: a fake one forgets what happens between its list and its watch.
func watched(client *dynamicfake.FakeDynamicClient) <-chan struct{} {
	started := make(chan struct{})
	client.PrependWatchReactor("*", func(action kubetesting.Action) (bool, watch.Interface, error) {
		w, err := client.Tracker().Watch(action.GetResource(), action.GetNamespace())
		close(started)
		return true, w, err
	})
	return started
}

func TestWatchSet(t *testing.T) {
	client := fakeClient(secret("a", nil))
	started := watched(client)
	set, told := watchSet(t, client)
	if _, unknown := set.Get(secrets, types.NamespacedName{Namespace: "ns", Name: "a"}); unknown == "" {
		t.Error("a kind that is not watched is not known")
	}
	set.Set("first", whole(secrets))
	set.Set("second", whole(secrets))
	await(t, "change", told.changes)
	await(t, "state", told.states)
	await(t, "watch", started)
	object, unknown := set.Get(secrets, types.NamespacedName{Namespace: "ns", Name: "a"})
	metadata, _ := object["metadata"].(map[string]any)
	if unknown != "" || metadata["name"] != "a" || metadata["managedFields"] != nil {
		t.Errorf("got %v, %q", object, unknown)
	}
	if object, unknown := set.Get(secrets, types.NamespacedName{Namespace: "ns", Name: "b"}); object != nil || unknown != "" {
		t.Errorf("an object that does not exist is known not to: %v, %q", object, unknown)
	}
	if err := client.Resource(secrets).Namespace("ns").Delete(t.Context(), "a", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	await(t, "deletion", told.changes)
	set.Set("first", nil)
	if synced, _ := set.Status(secrets); !synced {
		t.Error("a kind that another owner needs is still watched")
	}
	set.Set("second", nil)
	if synced, _ := set.Status(secrets); synced {
		t.Error("a kind that nobody needs is watched")
	}
}

// TestWatchSetKeepsWhatIsRead: a cache has of a Secret what somebody reads of it and what names it. When more is read, the
// kind is listed anew, and of a Secret nothing is known until then; when less is, nothing happens.
func TestWatchSetKeepsWhatIsRead(t *testing.T) {
	client := fakeClient(secret("s", map[string]any{"a": "YQ==", "b": "Yg==", "c": "Yw=="}))
	set, told := watchSet(t, client)
	name := types.NamespacedName{Namespace: "ns", Name: "s"}
	for _, step := range []struct {
		reason, owner string
		kinds         map[schema.GroupVersionResource]*expr.Reads
		lists         int
		want          map[string]any
	}{
		{"one policy reads a key", "first", key("a"), 1, map[string]any{"a": "YQ=="}},
		{"another reads another", "second", key("b"), 2, map[string]any{"a": "YQ==", "b": "Yg=="}},
		{"a third reads what is there", "third", key("a"), 2, map[string]any{"a": "YQ==", "b": "Yg=="}},
		{"the second goes: what is kept stays", "second", nil, 2, map[string]any{"a": "YQ==", "b": "Yg=="}},
		{"the first reads all", "first", whole(secrets), 3, map[string]any{"a": "YQ==", "b": "Yg==", "c": "Yw=="}},
	} {
		set.Set(step.owner, step.kinds)
		awaitSync(t, set, told)
		object, unknown := set.Get(secrets, name)
		if diff := cmp.Diff(step.want, object["data"]); diff != "" || unknown != "" {
			t.Errorf("%s: %s (-want +got)\n%s", step.reason, unknown, diff)
		}
		metadata, _ := object["metadata"].(map[string]any)
		if metadata["name"] != "s" || metadata["managedFields"] != nil || object["kind"] != "Secret" {
			t.Errorf("%s: the Secret has no name, or managed fields: %v", step.reason, object)
		}
		lists := 0
		for _, action := range client.Actions() {
			if action.GetVerb() == "list" {
				lists++
			}
		}
		if lists != step.lists {
			t.Errorf("%s: the kind was listed %d times, not %d", step.reason, lists, step.lists)
		}
	}
}

// TestWatchSetOfNamespaces: a kind that may be read in some namespaces only is watched there, and of any other namespace
// nothing is known.
func TestWatchSetOfNamespaces(t *testing.T) {
	var objects []runtime.Object
	for _, namespace := range []string{"a", "b", "c"} {
		o := secret("s", nil)
		o.SetNamespace(namespace)
		objects = append(objects, o)
	}
	client := fakeClient(objects...)
	set, told := watchSet(t, client)
	set.Restrict(secrets.GroupResource(), []string{"a", "b"})
	set.Set("owner", whole(secrets))
	awaitSync(t, set, told)
	names := set.Names(secrets)
	slices.SortFunc(names, func(a, b types.NamespacedName) int { return strings.Compare(a.Namespace, b.Namespace) })
	if diff := cmp.Diff([]types.NamespacedName{{Namespace: "a", Name: "s"}, {Namespace: "b", Name: "s"}}, names); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for namespace, want := range map[string]string{"a": "", "b": "", "c": `secrets are not read in namespace "c"`} {
		object, unknown := set.Get(secrets, types.NamespacedName{Namespace: namespace, Name: "s"})
		if unknown != want || (object == nil) != (want != "") {
			t.Errorf("%s: got %v, %q", namespace, object, unknown)
		}
	}
	for _, action := range client.Actions() {
		if action.GetNamespace() == "" {
			t.Errorf("%s in all namespaces", action.GetVerb())
		}
	}
}

// TestWatchSetFailsInPart: one namespace that may not be read is an error of the kind; the others are read all the same.
func TestWatchSetFailsInPart(t *testing.T) {
	o := secret("s", nil)
	o.SetNamespace("a")
	client := fakeClient(o)
	client.PrependReactor("list", "secrets", func(action kubetesting.Action) (bool, runtime.Object, error) {
		return action.GetNamespace() == "b", nil, apierrors.NewForbidden(secrets.GroupResource(), "", errors.New("no"))
	})
	set, told := watchSet(t, client)
	set.Restrict(secrets.GroupResource(), []string{"a", "b"})
	set.Set("owner", whole(secrets))
	await(t, "change", told.changes)
	for {
		synced, err := set.Status(secrets)
		if synced {
			t.Fatal("it is synced without namespace b")
		}
		if apierrors.IsForbidden(err) {
			break
		}
		await(t, "state", told.states)
	}
	if object, unknown := set.Get(secrets, types.NamespacedName{Namespace: "a", Name: "s"}); object == nil || unknown != "" {
		t.Errorf("got %v, %q", object, unknown)
	}
	if _, unknown := set.Get(secrets, types.NamespacedName{Namespace: "b", Name: "s"}); unknown == "" {
		t.Error("what may not be listed is not known")
	}
}

func TestWatchFailureIsSeen(t *testing.T) {
	client := fakeClient()
	forbidden := apierrors.NewForbidden(secrets.GroupResource(), "", errors.New("no"))
	client.PrependReactor("list", "secrets", func(kubetesting.Action) (bool, runtime.Object, error) { return true, nil, forbidden })
	set, told := watchSet(t, client)
	set.Set("owner", whole(secrets))
	await(t, "state", told.states)
	if synced, err := set.Status(secrets); synced || !apierrors.IsForbidden(err) {
		t.Errorf("synced %v, error %v", synced, err)
	}
	if object, unknown := set.Get(secrets, types.NamespacedName{Namespace: "ns", Name: "a"}); object != nil || unknown == "" {
		t.Errorf("what may not be listed is not known: %v, %q", object, unknown)
	}
}

func TestExplainHoldsNoValues(t *testing.T) {
	details := &metav1.StatusDetails{Causes: []metav1.StatusCause{{Field: "spec.tokenData", Message: "Invalid value: c4n4ry"}}}
	invalid := &apierrors.StatusError{ErrStatus: metav1.Status{Reason: metav1.StatusReasonInvalid, Message: "c4n4ry is invalid", Details: details}}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{invalid, `the API server finds it invalid: ["spec.tokenData"]`},
		{errors.New("dial tcp c4n4ry"), "the API server cannot be reached"},
		{apierrors.NewForbidden(secrets.GroupResource(), "c4n4ry", nil), "the API server answers Forbidden"},
	} {
		if diff := cmp.Diff(tc.want, kube.Explain(tc.err)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

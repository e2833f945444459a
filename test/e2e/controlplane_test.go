package e2e_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
	"github.com/clusterimport/clusterimport/test/e2e/testbed"
)

// These tests are about the control plane itself: that what the other tests rely on is true of it.

var (
	configMaps = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
)

// collected is how long the garbage collector and the namespace controller may take.
const collected = 10 * time.Second

// newBareFixture is a fixture without the product's kinds.
func newBareFixture(t *testing.T) *fixture {
	t.Helper()
	return &fixture{testbed.NewClient(t, plane, root), t}
}

// define defines a namespaced kind and returns its resource.
func (f *fixture) define(group, subresources string) schema.GroupVersionResource {
	f.t.Helper()
	f.ApplyText(strings.NewReplacer("GROUP", group, "SUBRESOURCES", subresources).Replace(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.GROUP}
spec:
  group: GROUP
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: SUBRESOURCES
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`))
	return schema.GroupVersionResource{Group: group, Version: "v1", Resource: "widgets"}
}

// goneSoon waits until an object has been collected.
func (f *fixture) goneSoon(resource dynamic.ResourceInterface, name string) {
	f.t.Helper()
	f.eventually(collected, func(ctx context.Context) error {
		object, err := resource.Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		default:
			return fmt.Errorf("%s %s is still there", object.GetKind(), name)
		}
	})
}

// readable waits until a resource can be listed: rights reach the API server's caches after a moment.
func (f *fixture) readable(resource dynamic.ResourceInterface) {
	f.t.Helper()
	f.eventually(collected, func(ctx context.Context) error {
		_, err := resource.List(ctx, metav1.ListOptions{})
		return err
	})
}

// as returns a client with the rights of a user.
func (f *fixture) as(user string, groups ...string) dynamic.Interface {
	f.t.Helper()
	kubeconfig := filepath.Join(f.t.TempDir(), "kubeconfig")
	if err := plane.UserKubeconfig(kubeconfig, user, groups...); err != nil {
		f.t.Fatal(err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		f.t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		f.t.Fatal(err)
	}
	return client
}

func TestApplyWritesTheStatus(t *testing.T) {
	cases := map[string]struct {
		reason       string
		group        string
		subresources string
	}{
		"Subresource": {
			reason:       "Where a kind has the subresource, only a write to that one changes the status.",
			group:        "with.e2e.example.com",
			subresources: "{status: {}}",
		},
		"NoSubresource": {
			reason:       "Where a kind has none, the status is a field like others.",
			group:        "without.e2e.example.com",
			subresources: "{}",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := newBareFixture(t)
			widgets := f.define(c.group, c.subresources)
			f.ApplyText(strings.ReplaceAll(`
apiVersion: GROUP/v1
kind: Widget
metadata: {name: applied}
spec: {size: small}
status: {phase: Ready}
`, "GROUP", c.group))
			object, err := f.Dynamic.Resource(widgets).Namespace("default").Get(t.Context(), "applied", metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]any{"spec": object.Object["spec"], "status": object.Object["status"]}
			want := map[string]any{"spec": map[string]any{"size": "small"}, "status": map[string]any{"phase": "Ready"}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", c.reason, diff)
			}
		})
	}
}

// TestGarbageCollector: the owner's kind did not exist when the garbage collector started.
func TestGarbageCollector(t *testing.T) {
	f := newBareFixture(t)
	widgets := f.Dynamic.Resource(f.define("gc.e2e.example.com", "{}")).Namespace("default")
	for _, owner := range []string{"gc-removed", "gc-kept"} {
		f.ApplyText("{apiVersion: gc.e2e.example.com/v1, kind: Widget, metadata: {name: " + owner + "}}")
		object, err := widgets.Get(t.Context(), owner, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		f.ApplyText(strings.NewReplacer("OWNER", owner, "UID", string(object.GetUID())).Replace(`
apiVersion: v1
kind: ConfigMap
metadata:
  name: OWNER-config
  namespace: default
  ownerReferences: [{apiVersion: gc.e2e.example.com/v1, kind: Widget, name: OWNER, uid: UID}]
---
apiVersion: gc.e2e.example.com/v1
kind: Widget
metadata:
  name: OWNER-part
  ownerReferences: [{apiVersion: gc.e2e.example.com/v1, kind: Widget, name: OWNER, uid: UID}]
`))
	}
	f.remove(widgets, "gc-removed")
	f.goneSoon(f.Dynamic.Resource(configMaps).Namespace("default"), "gc-removed-config")
	f.goneSoon(widgets, "gc-removed-part")
	f.exists(f.Dynamic.Resource(configMaps).Namespace("default"), "gc-kept-config")
	f.exists(widgets, "gc-kept-part")
}

func TestNamespaceDeletion(t *testing.T) {
	f := newBareFixture(t)
	widgets := f.define("ns.e2e.example.com", "{}")
	f.ApplyText(`
apiVersion: v1
kind: Namespace
metadata: {name: ending}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: content, namespace: ending}
---
apiVersion: ns.e2e.example.com/v1
kind: Widget
metadata: {name: content, namespace: ending}
`)
	f.remove(f.Dynamic.Resource(namespaces), "ending")
	f.goneSoon(f.Dynamic.Resource(namespaces), "ending")
	f.goneSoon(f.Dynamic.Resource(configMaps).Namespace("ending"), "content")
	f.goneSoon(f.Dynamic.Resource(widgets).Namespace("ending"), "content")
}

func TestRestart(t *testing.T) {
	cases := map[string]struct {
		reason string
		end    func() error
	}{
		"Kill": {reason: "What was written survives a crash of the process.", end: plane.Kill},
		"Stop": {reason: "A stop is in order, and does not wait for the API server to drain.", end: plane.Stop},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := newBareFixture(t)
			maps := f.Dynamic.Resource(configMaps).Namespace("default")
			written := "written-before-" + strings.ToLower(name)
			f.ApplyText("{apiVersion: v1, kind: ConfigMap, metadata: {name: " + written + "}}")
			before := f.kubeconfig()
			user := f.as("admin-of-" + written)
			f.allow("restart-"+strings.ToLower(name), "{kind: User, name: admin-of-"+written+"}")
			f.readable(user.Resource(configMaps).Namespace("default"))

			started := time.Now()
			if err := c.end(); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(started); took > 3*time.Second {
				t.Errorf("%s It took %s.", c.reason, took)
			}
			if _, err := maps.Get(t.Context(), written, metav1.GetOptions{}); err == nil {
				t.Error("the API server still answers")
			}
			if err := plane.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, f.kubeconfig()); diff != "" {
				t.Errorf("%s The kubeconfig is another one, -before +after:\n%s", c.reason, diff)
			}
			f.exists(maps, written)
			f.readable(user.Resource(configMaps).Namespace("default"))
		})
	}
}

func (f *fixture) kubeconfig() string {
	f.t.Helper()
	data, err := os.ReadFile(plane.Kubeconfig())
	if err != nil {
		f.t.Fatal(err)
	}
	return string(data)
}

// allow lets a subject of RBAC read the ConfigMaps of the namespace default.
func (f *fixture) allow(name, subject string) {
	f.t.Helper()
	f.ApplyText(strings.NewReplacer("NAME", name, "SUBJECT", subject).Replace(`
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: NAME, namespace: default}
rules: [{apiGroups: [""], resources: [configmaps], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: NAME, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: NAME}
subjects: [SUBJECT]
`))
}

func TestUsersHaveTheirOwnRights(t *testing.T) {
	f := newBareFixture(t)
	f.allow("rights-user", "{kind: User, name: jane}")
	f.allow("rights-group", "{kind: Group, name: readers}")
	f.allow("rights-account", "{kind: ServiceAccount, name: reader, namespace: default}")
	cases := map[string]struct {
		reason  string
		user    string
		groups  []string
		allowed bool
	}{
		"Stranger":       {reason: "Who has no rights is refused.", user: "john"},
		"User":           {reason: "A role can be bound to a user.", user: "jane", allowed: true},
		"Group":          {reason: "A certificate brings its user's groups.", user: "john", groups: []string{"readers"}, allowed: true},
		"ServiceAccount": {reason: "A user can stand for a service account.", user: "system:serviceaccount:default:reader", allowed: true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := f.in(t)
			client := f.as(c.user, c.groups...)
			if c.allowed {
				f.readable(client.Resource(configMaps).Namespace("default"))
			} else if _, err := client.Resource(configMaps).Namespace("default").List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
				t.Errorf("%s The error is %v.", c.reason, err)
			}
			if _, err := client.Resource(secrets).Namespace("default").List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
				t.Errorf("Nobody here was given Secrets. The error is %v.", err)
			}
		})
	}
}

// TestEndsWithItsParent: a test that is killed can stop nothing, and must leave no server behind.
func TestEndsWithItsParent(t *testing.T) {
	dir := t.TempDir()
	kubeconfig := filepath.Join(dir, "kubeconfig")
	parent := exec.Command("sh", "-c", `"$0" "$@" & wait`, os.Getenv(cluster.BinaryVariable),
		"--dir", dir, "--kubeconfig", kubeconfig, "--with-parent")
	// The control plane inherits the pipe: it ends when nobody is left who could write to it.
	pipe, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, pipe)
		ended <- err
	}()
	ready := func(context.Context) (bool, error) {
		_, err := os.Stat(kubeconfig)
		return err == nil, nil
	}
	startErr := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, time.Minute, true, ready)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil || startErr != nil {
			t.Errorf("start: %v, end: %v", startErr, err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the control plane outlives its parent")
	}
	_ = parent.Wait()
}

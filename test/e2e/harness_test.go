// Package e2e tests the controller as a process of its own, with its own rights, on a real API server.
package e2e_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
	"github.com/clusterimport/clusterimport/test/e2e/testbed"
)

// The resources that tests look at.
var (
	policies   = testbed.Policies
	lifecycles = testbed.Lifecycles
	clusters   = testbed.Clusters
	secrets    = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	mcps       = testbed.MCPClusters
)

// plane is the control plane that all tests share; they keep apart by names.
var plane *cluster.Cluster

func TestMain(m *testing.M) {
	os.Exit(withPlane(m))
}

func withPlane(m *testing.M) int {
	dir, err := os.MkdirTemp("", "clusterimport-e2e-")
	if err != nil {
		return fail(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if plane, err = cluster.Start(context.Background(), dir); err != nil {
		return fail(err)
	}
	defer func() { _ = plane.Kill() }()
	return m.Run()
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

const root = "../.."

// fixture is one test's view of the control plane.
type fixture struct {
	*testbed.Client

	t *testing.T
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := newBareFixture(t)
	f.InstallKinds()
	for _, platform := range []string{"cluster-api", "karmada", "vcluster", "mcp"} {
		f.ApplyFile("examples/" + platform + "/rbac.yaml")
	}
	return f
}

// in is the same view in a part of the test.
func (f *fixture) in(t *testing.T) *fixture {
	t.Helper()
	return &fixture{f.In(t), t}
}

// installClusterAPI installs Cluster API's own definition of a Cluster.
func (f *fixture) installClusterAPI() {
	f.t.Helper()
	crd, err := cluster.CAPIDefinition(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	f.ApplyText(string(crd))
}

// startController starts the controller on the shared control plane; more are further arguments.
func startController(t *testing.T, more ...string) *testbed.Controller {
	t.Helper()
	return testbed.StartController(t, plane, more...)
}

func (f *fixture) eventually(within time.Duration, check func(ctx context.Context) error) {
	f.t.Helper()
	testbed.Eventually(f.t, within, check)
}

// spec waits for a PediaCluster and returns its spec.
func (f *fixture) spec(name string, within time.Duration) map[string]any {
	f.t.Helper()
	var spec map[string]any
	f.eventually(within, func(ctx context.Context) error {
		object, err := f.Dynamic.Resource(clusters).Get(ctx, name, metav1.GetOptions{})
		if err == nil {
			spec, _, err = unstructured.NestedMap(object.Object, "spec")
		}
		return err
	})
	return spec
}

// gone waits until an object does not exist.
func (f *fixture) gone(resource dynamic.ResourceInterface, name string) {
	f.t.Helper()
	f.eventually(time.Minute, func(ctx context.Context) error {
		_, err := resource.Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		default:
			return fmt.Errorf("%s is still there", name)
		}
	})
}

// exists fails unless the object exists now.
func (f *fixture) exists(resource dynamic.ResourceInterface, name string) {
	f.t.Helper()
	if _, err := resource.Get(f.t.Context(), name, metav1.GetOptions{}); err != nil {
		f.t.Fatal(err)
	}
}

// condition waits until an object's condition has a status and a reason, and returns its message.
func (f *fixture) condition(resource dynamic.ResourceInterface, name, conditionType, status, reason string) string {
	f.t.Helper()
	var message string
	f.eventually(20*time.Second, func(ctx context.Context) error {
		object, err := resource.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		state, _ := object.Object["status"].(map[string]any)
		conditions, _ := state["conditions"].([]any)
		for _, item := range conditions {
			if c, _ := item.(map[string]any); c["type"] == conditionType && c["status"] == status && c["reason"] == reason {
				message, _ = c["message"].(string)
				return nil
			}
		}
		return fmt.Errorf("%s has conditions %v", name, conditions)
	})
	return message
}

func (f *fixture) remove(resource dynamic.ResourceInterface, name string) {
	f.t.Helper()
	if err := resource.Delete(f.t.Context(), name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		f.t.Fatal(err)
	}
}

// Package e2e tests the controller as a process of its own, with its own rights, on a real API server.
package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
)

// The resources that tests look at.
var (
	policies   = schema.GroupVersionResource{Group: "policy.clusterpedia.io", Version: "v1alpha1", Resource: "clusterimportpolicies"}
	lifecycles = schema.GroupVersionResource{Group: "policy.clusterpedia.io", Version: "v1alpha1", Resource: "pediaclusterlifecycles"}
	clusters   = schema.GroupVersionResource{Group: "cluster.clusterpedia.io", Version: "v1alpha2", Resource: "pediaclusters"}
	secrets    = schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	mcps       = schema.GroupVersionResource{Group: "cluster.mcp.io", Version: "v1", Resource: "clusters"}
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
	*cluster.Client

	t *testing.T
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	config, err := plane.Config()
	if err != nil {
		t.Fatal(err)
	}
	client, err := cluster.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{client, t}
	for _, file := range []string{
		"api/crd/cluster.clusterpedia.io_clustersyncresources.yaml", "api/crd/cluster.clusterpedia.io_pediaclusters.yaml",
		"api/crd/policy.clusterpedia.io_clusterimportpolicies.yaml", "api/crd/policy.clusterpedia.io_pediaclusterlifecycles.yaml",
		"examples/controller-rbac.yaml", "examples/cluster-api/rbac.yaml", "examples/karmada/rbac.yaml",
		"examples/vcluster/rbac.yaml", "examples/mcp/rbac.yaml",
	} {
		f.applyFile(file)
	}
	return f
}

// applyFile applies a file of the repository, with old/new pairs of text replaced.
func (f *fixture) applyFile(path string, oldNew ...string) {
	f.t.Helper()
	data, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		f.t.Fatal(err)
	}
	f.apply(strings.NewReplacer(oldNew...).Replace(string(data)))
}

func (f *fixture) apply(documents string) {
	f.t.Helper()
	if err := f.Apply(f.t.Context(), []byte(documents)); err != nil {
		f.t.Fatal(err)
	}
}

// installClusterAPI installs Cluster API's own definition of a Cluster.
func (f *fixture) installClusterAPI() {
	f.t.Helper()
	crd, err := cluster.CAPIDefinition(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	f.apply(string(crd))
}

// controller is the controller as a process.
type controller struct {
	t       *testing.T
	process *exec.Cmd
	log     *bytes.Buffer
}

// controllerUser is the service account of the controller.
const controllerUser = "system:serviceaccount:clusterimport-system:clusterimport"

// startController starts the controller with the rights of its service account only; more are further arguments.
func startController(t *testing.T, more ...string) *controller {
	t.Helper()
	binary := os.Getenv("CONTROLLER_BIN")
	if binary == "" {
		t.Fatal("CONTROLLER_BIN is not set: make build builds the binary")
	}
	user, err := plane.UserConfig(controllerUser)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*user, kubeconfig); err != nil {
		t.Fatal(err)
	}
	c := &controller{t: t, log: &bytes.Buffer{}}
	c.process = exec.Command(binary, append([]string{"--kubeconfig", kubeconfig, "--bind-address", "127.0.0.1:0",
		"--leader-elect-namespace", "clusterimport-system", "-v", "2"}, more...)...)
	c.process.Stdout, c.process.Stderr = c.log, c.log
	if err := c.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.end(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the controller's log:\n%s", tail(c.log.String()))
		}
	})
	return c
}

// end stops the process, which is waited for; a second call does nothing.
func (c *controller) end(s syscall.Signal) {
	if c.process.ProcessState != nil {
		return
	}
	_ = c.process.Process.Signal(s)
	_ = c.process.Wait()
}

// signal sends a signal that does not end the process.
func (c *controller) signal(s syscall.Signal) {
	c.t.Helper()
	if err := c.process.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

// freeAddress returns a loopback address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func tail(log string) string {
	const most = 20_000
	return log[max(0, len(log)-most):]
}

// eventually waits until check finds nothing wrong any more.
func (f *fixture) eventually(within time.Duration, check func(ctx context.Context) error) {
	f.t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(f.t.Context(), 50*time.Millisecond, within, true, func(ctx context.Context) (bool, error) {
		last = check(ctx)
		return last == nil, nil
	})
	if err != nil {
		f.t.Fatalf("not within %s: %v", within, last)
	}
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

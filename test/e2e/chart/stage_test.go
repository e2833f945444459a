package chart_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
	"github.com/clusterimport/clusterimport/test/e2e/node"
	"github.com/clusterimport/clusterimport/test/e2e/testbed"
)

var endToEnd = flag.Bool("e2e", false, "run what needs namespaces of its own")

// inside says in the environment that this process is in its namespaces, and how many users there are.
const inside = "CLUSTERIMPORT_CHART_INSIDE"

// TestMain runs the end-to-end tests in a user and a network namespace of their own: they need addresses on loopback and
// networks for Pods, and leave nothing behind on the host.
func TestMain(m *testing.M) {
	flag.Parse()
	if !*endToEnd || os.Getenv(inside) != "" {
		os.Exit(m.Run())
	}
	command := exec.Command("/proc/self/exe", os.Args[1:]...)
	command.Env = append(os.Environ(), fmt.Sprintf("%s=%d", inside, users()))
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL,
		// Root may have all users, so that Pods are of the users that they name; others have themselves only, as root.
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: users()}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: users()}}, GidMappingsEnableSetgroups: users() > 1,
	}
	err := command.Start()
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSYS) {
		fmt.Printf("THE CHART IS NOT TESTED END TO END: namespaces are impossible here (%v)\n", err)
		os.Exit(0)
	}
	if err == nil {
		err = command.Wait()
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// users is how many users the namespace has, or may have.
func users() int {
	if known, err := strconv.Atoi(os.Getenv(inside)); err == nil {
		return known
	}
	if os.Getuid() == 0 {
		return 65536
	}
	return 1
}

var network = sync.OnceValues(node.NewNetwork)

// stage is a cluster of its own, and a Helm to install with.
type stage struct {
	*testbed.Client

	t          *testing.T
	plane      *cluster.Cluster
	node       *node.Node
	helm       string
	kubeconfig string
}

// The resources that tests look at.
var (
	policies       = testbed.Policies
	lifecycles     = testbed.Lifecycles
	clusters       = testbed.Clusters
	definitions    = testbed.Definitions
	configurations = testbed.Webhooks
)

// newStage starts a control plane with a node, and a namespace that takes restricted Pods only.
func newStage(t *testing.T, helm string) *stage {
	t.Helper()
	if os.Getenv(inside) == "" {
		t.Skip("make e2e-chart runs it, in namespaces of its own")
	}
	net, err := network()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	plane := testbed.StartCluster(t)
	s := &stage{
		Client: testbed.NewClient(t, plane, root), t: t, plane: plane, helm: binary(t, helm), kubeconfig: plane.Kubeconfig(),
	}
	config, err := plane.Config()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	s.node, err = node.Start(ctx, node.Options{
		Config: config, Network: net, Dir: filepath.Join(dir, "node"), Image: imageFiles(t, dir), Users: users() > 1,
	})
	t.Cleanup(func() {
		cancel()
		if s.node == nil {
			return
		}
		s.node.Wait()
		if t.Failed() {
			t.Log(s.node.Report())
			t.Log(s.plane.LastWords())
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s.ApplyText(`
apiVersion: v1
kind: Namespace
metadata:
  name: ` + namespace + `
  labels: {pod-security.kubernetes.io/enforce: restricted}
`)
	return s
}

// imageFiles are the files of the image, as make image puts them together.
func imageFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	passwd := filepath.Join(dir, "passwd")
	if err := os.WriteFile(passwd, []byte("nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"/clusterimport": binary(t, "CLI_BIN"), "/clusterimport-controller": binary(t, "CONTROLLER_BIN"), "/etc/passwd": passwd,
	}
}

// run runs Helm on the cluster.
func (s *stage) run(args ...string) (string, error) {
	s.t.Helper()
	home := s.t.TempDir()
	for _, variable := range []string{"HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME"} {
		s.t.Setenv(variable, home)
	}
	return helm(s.t.Context(), s.helm, append(args, "--kubeconfig", s.kubeconfig, "--namespace", namespace)...)
}

// must runs Helm, which must succeed, and returns what it prints.
func (s *stage) must(args ...string) string {
	s.t.Helper()
	out, err := s.run(args...)
	if err != nil {
		s.t.Fatalf("helm %q: %v", args, err)
	}
	return out
}

// patience is how long anything may take. The machines that run this are busy.
const patience = 90 * time.Second

// eventually waits until check finds nothing wrong any more.
func (s *stage) eventually(check func(ctx context.Context) error) {
	s.t.Helper()
	testbed.Eventually(s.t, patience, check)
}

// get returns an object that must be there.
func (s *stage) get(resource schema.GroupVersionResource, name string) *unstructured.Unstructured {
	s.t.Helper()
	o, err := s.Dynamic.Resource(resource).Get(s.t.Context(), name, metav1.GetOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// names are the names of all objects of a kind.
func (s *stage) names(resource schema.GroupVersionResource) []string {
	s.t.Helper()
	list, err := s.Dynamic.Resource(resource).List(s.t.Context(), metav1.ListOptions{})
	if err != nil {
		s.t.Fatal(err)
	}
	var names []string
	for _, o := range list.Items {
		names = append(names, o.GetName())
	}
	return names
}

// condition waits until an object's condition has a status.
func (s *stage) condition(resource schema.GroupVersionResource, name, conditionType, status string) {
	s.t.Helper()
	s.eventually(func(ctx context.Context) error {
		o, err := s.Dynamic.Resource(resource).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		conditions, _, err := unstructured.NestedSlice(o.Object, "status", "conditions")
		if err != nil {
			return err
		}
		for _, item := range conditions {
			if c, _ := item.(map[string]any); c["type"] == conditionType && c["status"] == status {
				return nil
			}
		}
		return fmt.Errorf("%s %s has the conditions %v", resource.Resource, name, conditions)
	})
}

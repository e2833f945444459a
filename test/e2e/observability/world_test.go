// Package observability_test scrapes the real controller with a real Prometheus while a scripted fleet is imported, waits,
// fails, rotates its credentials and is removed: every panel of the dashboards must have data, and every alert must fire in
// its fault and in nothing else.
package observability_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
)

const root = "../../.."

var (
	policies       = schema.GroupVersionResource{Group: "policy.clusterpedia.io", Version: "v1alpha1", Resource: "clusterimportpolicies"}
	lifecycles     = schema.GroupVersionResource{Group: "policy.clusterpedia.io", Version: "v1alpha1", Resource: "pediaclusterlifecycles"}
	clusters       = schema.GroupVersionResource{Group: "cluster.clusterpedia.io", Version: "v1alpha2", Resource: "pediaclusters"}
	sources        = schema.GroupVersionResource{Group: "cluster.mcp.io", Version: "v1", Resource: "clusters"}
	configurations = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingwebhookconfigurations"}
	leases         = schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
	definitions    = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
)

// world is a control plane, the controller and Prometheus.
type world struct {
	*cluster.Client

	t          *testing.T
	plane      *cluster.Cluster
	prometheus *prometheus
	// address serves probes and metrics, hook the webhook.
	address, hook string
	controller    *exec.Cmd
	log           *bytes.Buffer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	plane, err := cluster.Start(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plane.Kill() })
	config, err := plane.Config()
	if err != nil {
		t.Fatal(err)
	}
	client, err := cluster.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{Client: client, t: t, plane: plane, address: freeAddress(t), hook: freeAddress(t), log: &bytes.Buffer{}}
	for _, file := range []string{
		"api/crd/cluster.clusterpedia.io_clustersyncresources.yaml", "api/crd/cluster.clusterpedia.io_pediaclusters.yaml",
		"api/crd/policy.clusterpedia.io_clusterimportpolicies.yaml", "api/crd/policy.clusterpedia.io_pediaclusterlifecycles.yaml",
		"examples/controller-rbac.yaml", "examples/mcp/rbac.yaml", "examples/mcp/crd.yaml",
	} {
		w.applyFile(file)
	}
	hook, err := os.ReadFile(filepath.Join(root, "test/e2e/testdata/webhook.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	w.applyFile("test/e2e/testdata/admission.yaml", "NAME", "observed",
		"WEBHOOKS", strings.NewReplacer("INDEX", "r0", "ADDRESS", w.hook, "NAME", "observed").Replace(string(hook)))
	w.prometheus = startPrometheus(t, w.address)
	t.Cleanup(func() {
		w.stop()
		if t.Failed() {
			t.Logf("the controller's log:\n%s", w.log.String()[max(0, w.log.Len()-8000):])
		}
	})
	return w
}

func (w *world) applyFile(path string, oldNew ...string) {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		w.t.Fatal(err)
	}
	w.apply(strings.NewReplacer(oldNew...).Replace(string(text)))
}

func (w *world) apply(documents string) {
	w.t.Helper()
	if err := w.Apply(w.t.Context(), []byte(documents)); err != nil {
		w.t.Fatal(err)
	}
}

// patch merges a text into an object; subresources are those of the object.
func (w *world) patch(resource schema.GroupVersionResource, name, patch string, subresources ...string) {
	w.t.Helper()
	_, err := w.Dynamic.Resource(resource).Patch(w.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, subresources...)
	if err != nil {
		w.t.Fatal(err)
	}
}

// start starts the controller with the rights of its service account only.
func (w *world) start(arguments ...string) {
	w.t.Helper()
	binary := os.Getenv("CONTROLLER_BIN")
	if binary == "" {
		w.t.Fatal("CONTROLLER_BIN is not set: make build builds the binary")
	}
	user, err := w.plane.UserConfig("system:serviceaccount:clusterimport-system:clusterimport")
	if err != nil {
		w.t.Fatal(err)
	}
	kubeconfig := filepath.Join(w.t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*user, kubeconfig); err != nil {
		w.t.Fatal(err)
	}
	w.controller = exec.Command(binary, append([]string{
		"--kubeconfig", kubeconfig, "--bind-address", w.address, "--leader-elect-namespace", "clusterimport-system",
		"--webhook-bind-address", w.hook, "--webhook-configuration-name", "observed", "--webhook-drain", "0s",
	}, arguments...)...)
	w.controller.Stdout, w.controller.Stderr = w.log, w.log
	if err := w.controller.Start(); err != nil {
		w.t.Fatal(err)
	}
}

// stop ends the controller, which is waited for.
func (w *world) stop() {
	if w.controller == nil || w.controller.ProcessState != nil {
		return
	}
	_ = w.controller.Process.Signal(syscall.SIGTERM)
	_ = w.controller.Wait()
}

// policy imports the sources whose names begin with the policy's. more is added to the spec.
func (w *world) policy(name, condition, more string) {
	w.t.Helper()
	w.apply(strings.NewReplacer("NAME", name, "CONDITION", condition, "MORE", more).Replace(`
apiVersion: policy.clusterpedia.io/v1alpha1
kind: ClusterImportPolicy
metadata: {name: NAME, labels: {webhook: observed}}
spec:
  source: {group: cluster.mcp.io, resource: clusters, selectorTemplate: 'source.metadata.name.startsWith("NAME-")'}
  references:
    - {key: auth, group: "", resource: secrets, namespaceTemplate: default, nameTemplate: "${source.spec.authSecretRef.name}"}
  nameTemplate: ${source.metadata.name}
  template: |
    spec:
      apiserver: ${source.spec.apiEndpoint}
      caData: ${references.auth.data.ca}
      tokenData: ${references.auth.data.token}
      syncResources: [{group: apps, resources: ["*"]}]
  creationCondition: CONDITION
  MORE
`))
}

const isReady = `'source.?status.?conditions.orValue([]).exists(c, c.type == "Ready" && c.status == "True")'`

// source is a cluster of the platform whose token ends at a time.
func (w *world) source(name, ready string, end time.Time) {
	w.t.Helper()
	jwt := "e30." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, end.Unix())) + ".c2ln"
	w.apply(strings.NewReplacer("NAME", name, "TOKEN", base64.StdEncoding.EncodeToString([]byte(jwt)), "READY", ready).Replace(`
apiVersion: v1
kind: Secret
metadata: {name: NAME, namespace: default}
data: {ca: Y2E=, token: TOKEN}
---
apiVersion: cluster.mcp.io/v1
kind: Cluster
metadata: {name: NAME}
spec: {apiEndpoint: "https://NAME:6443", authSecretRef: {namespace: default, name: NAME}}
status: {conditions: [{type: Ready, status: "READY"}]}
`))
}

// exists waits until an object exists, or until it does not.
func (w *world) exists(resource schema.GroupVersionResource, name string, want bool) *unstructured.Unstructured {
	w.t.Helper()
	var object *unstructured.Unstructured
	w.prometheus.eventually(time.Minute, fmt.Sprintf("%s exists: %v", name, want), func() error {
		var err error
		object, err = w.Dynamic.Resource(resource).Get(w.t.Context(), name, metav1.GetOptions{})
		switch {
		case (err == nil) == want:
			return nil
		case err == nil:
			return errors.New("it is there")
		default:
			return err
		}
	})
	return object
}

// Package observability_test scrapes the real controller with a real Prometheus while a scripted fleet is imported, waits,
// fails, rotates its credentials and is removed: every panel of the dashboards must have data, and every alert must fire in
// its fault and in nothing else.
package observability_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
	"github.com/clusterimport/clusterimport/test/e2e/testbed"
)

const root = "../../.."

var (
	policies       = testbed.Policies
	lifecycles     = testbed.Lifecycles
	clusters       = testbed.Clusters
	sources        = testbed.MCPClusters
	configurations = testbed.Webhooks
	definitions    = testbed.Definitions
	leases         = schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
)

// world is a control plane, the controller and Prometheus.
type world struct {
	*testbed.Client

	t          *testing.T
	plane      *cluster.Cluster
	prometheus *prometheus
	// address serves probes and metrics, hook the webhook.
	address, hook string
	controller    *testbed.Controller
}

func newWorld(t *testing.T) *world {
	t.Helper()
	plane := testbed.StartCluster(t)
	w := &world{
		Client: testbed.NewClient(t, plane, root), t: t, plane: plane, address: testbed.FreeAddress(t), hook: testbed.FreeAddress(t),
	}
	w.InstallKinds()
	w.ApplyFile("examples/mcp/rbac.yaml")
	w.ApplyFile("examples/mcp/crd.yaml")
	w.ApplyWebhook("observed", w.hook)
	w.prometheus = startPrometheus(t, w.address)
	return w
}

// start starts the controller.
func (w *world) start(arguments ...string) {
	w.t.Helper()
	w.controller = testbed.StartController(w.t, w.plane, append([]string{
		"--bind-address", w.address, "--webhook-bind-address", w.hook, "--webhook-configuration-name", "observed", "--webhook-drain", "0s",
	}, arguments...)...)
}

// policy imports the sources whose names begin with the policy's. more is added to the spec.
func (w *world) policy(name, condition, more string) {
	w.t.Helper()
	w.ApplyText(strings.NewReplacer("NAME", name, "CONDITION", condition, "MORE", more).Replace(`
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
	w.ApplyText(testbed.MCPCluster(name, jwt, ready))
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

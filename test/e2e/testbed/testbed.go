// Package testbed is what tests on a control plane begin with: a client whose failures end the test, the controller as a
// process with its own rights, and the clusters of the platform of examples/mcp. It knows nothing of what a test is about;
// what the demonstration needs too, without a test to end, is in package cluster.
package testbed

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
)

// StartCluster starts a control plane that ends with the test.
func StartCluster(t *testing.T) *cluster.Cluster {
	t.Helper()
	plane, err := cluster.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plane.Kill() })
	return plane
}

// Client is the administrator's client in a test. Its methods that return no error end the test when they fail.
type Client struct {
	*cluster.Client

	t    *testing.T
	root string
}

// NewClient connects a test to a control plane. root is the path of the repository.
func NewClient(t *testing.T, plane *cluster.Cluster, root string) *Client {
	t.Helper()
	config, err := plane.Config()
	if err != nil {
		t.Fatal(err)
	}
	client, err := cluster.NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	return &Client{client, t, root}
}

// In is the same client in a part of the test.
func (c *Client) In(t *testing.T) *Client {
	t.Helper()
	return &Client{c.Client, t, c.root}
}

// InstallKinds applies the CRDs, and the rights that the controller has in every cluster.
func (c *Client) InstallKinds() {
	c.t.Helper()
	files, err := filepath.Glob(filepath.Join(c.root, "api/crd/*.yaml"))
	if err != nil || len(files) == 0 {
		c.t.Fatalf("no CRDs in %s: %v", c.root, err)
	}
	for _, file := range append(files, filepath.Join(c.root, "examples/controller-rbac.yaml")) {
		c.ApplyText(c.read(file))
	}
}

// ApplyFile applies a file of the repository, with old/new pairs of text replaced.
func (c *Client) ApplyFile(path string, oldNew ...string) {
	c.t.Helper()
	c.ApplyText(strings.NewReplacer(oldNew...).Replace(c.read(filepath.Join(c.root, path))))
}

func (c *Client) read(path string) string {
	c.t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(data)
}

// ApplyText applies the documents of a YAML text, as Apply does.
func (c *Client) ApplyText(documents string) {
	c.t.Helper()
	if err := c.Apply(c.t.Context(), []byte(documents)); err != nil {
		c.t.Fatal(err)
	}
}

// ApplyWebhook lets the API server ask controllers at these addresses about policies with the label webhook=NAME.
func (c *Client) ApplyWebhook(name string, addresses ...string) {
	c.t.Helper()
	one := c.read(filepath.Join(c.root, "test/e2e/testdata/webhook.yaml"))
	var all strings.Builder
	for i, address := range addresses {
		all.WriteString(strings.NewReplacer("INDEX", fmt.Sprintf("r%d", i), "ADDRESS", address, "NAME", name).Replace(one))
	}
	c.ApplyFile("test/e2e/testdata/admission.yaml", "NAME", name, "WEBHOOKS", all.String())
}

// Patch merges a JSON text into an object, or into one of its subresources.
func (c *Client) Patch(resource dynamic.ResourceInterface, name, patch string, subresources ...string) {
	c.t.Helper()
	if _, err := resource.Patch(c.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, subresources...); err != nil {
		c.t.Fatal(err)
	}
}

// Eventually waits until check finds nothing wrong any more, and ends the test with what it found last when that takes
// longer than within.
func Eventually(t *testing.T, within time.Duration, check func(ctx context.Context) error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, within, true, func(ctx context.Context) (bool, error) {
		last = check(ctx)
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("not within %s: %v", within, last)
	}
}

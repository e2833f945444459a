package bench

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"

	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// cached is an object of a kind that a policy watches.
type cached struct {
	policy, what string
	object       map[string]any
	// most is how much of the object's memory may be kept.
	most float64
}

func cachedObjects() []cached {
	release := otherSecret(1)
	release["data"] = map[string]any{"release": base64Text(30_000)}
	return []cached{
		{"cluster-api", "a Cluster", capiCluster("True"), 0.75},
		{"vcluster", "the Secret of a virtual cluster", vclusterSecret("one"), 1},
		{"vcluster", "another Secret, of a Helm release", release, 0.1},
	}
}

// bytes are what a cache holds for the object, whole and as it is kept.
func (c cached) bytes(tb testing.TB) (whole, kept int) {
	tb.Helper()
	compiled, _ := compile(tb, readSpec(tb, "testdata/"+c.policy+".yaml"))
	projection := kube.ProjectionOf(&compiled.Inputs().Source)
	unstructured.RemoveNestedField(c.object, "metadata", "managedFields") // which no cache has
	text, err := json.Marshal(c.object)
	if err != nil {
		tb.Fatal(err)
	}
	return c.held(tb, text, kube.ProjectionOf(&expr.Reads{Whole: true})), c.held(tb, text, projection)
}

func (c cached) held(tb testing.TB, text []byte, projection kube.Projection) int {
	tb.Helper()
	const many = 500
	held := make([]map[string]any, many)
	before := heap()
	for i := range held {
		var object map[string]any
		if err := json.Unmarshal(text, &object); err != nil {
			tb.Fatal(err)
		}
		held[i] = projection.Of(object)
	}
	after := heap()
	runtime.KeepAlive(held)
	return int(after-before) / many
}

// checkCaches is the report's section about memory.
func checkCaches(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("\n## Caches\n\nWhat one object takes in the cache of a kind: whole, but for managed fields, and as it is kept for one policy.\n" +
		"\n| policy | object | whole | kept | ratio |\n|---|---|--:|--:|--:|\n")
	for _, c := range cachedObjects() {
		whole, kept := c.bytes(t)
		ratio := float64(kept) / float64(whole)
		if ratio > c.most {
			t.Errorf("%s: of %s %.2f is kept", c.policy, c.what, ratio)
		}
		fmt.Fprintf(&b, "| %s | %s | %d | %d | %.2f |\n", c.policy, c.what, whole, kept, ratio)
	}
	return b.String()
}

// TestCaches checks the same.
func TestCaches(t *testing.T) { t.Log(checkCaches(t)) }

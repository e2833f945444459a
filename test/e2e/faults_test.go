package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

const fleet = 200

// unstructuredObject is what the dynamic client returns.
type unstructuredObject = unstructured.Unstructured

// importFleet creates a policy and a fleet of ready clusters, and returns when some of them are imported.
func (f *fixture) importFleet(prefix string) {
	f.t.Helper()
	f.ApplyFile("examples/mcp/crd.yaml")
	f.mcpPolicy(prefix)
	for i := range fleet {
		f.mcpCluster(fmt.Sprintf("%s-%03d", prefix, i), "token", "True")
	}
}

func (f *fixture) imported(ctx context.Context, prefix string) (int, error) {
	list, err := f.Dynamic.Resource(clusters).List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, err
	}
	count := 0
	for _, c := range list.Items {
		if strings.HasPrefix(c.GetName(), prefix+"-") {
			count++
		}
	}
	return count, nil
}

func (f *fixture) awaitFleet(prefix string, atLeast int) {
	f.t.Helper()
	f.eventually(2*time.Minute, func(ctx context.Context) error {
		count, err := f.imported(ctx, prefix)
		if err == nil && count < atLeast {
			err = fmt.Errorf("%d imported, not %d", count, atLeast)
		}
		return err
	})
}

// TestControllerKilledMidImport: what a killed controller leaves half done, its successor completes.
func TestControllerKilledMidImport(t *testing.T) {
	f := newFixture(t)
	first := startController(t)
	f.importFleet("killed")
	f.awaitFleet("killed", 5)
	first.End(syscall.SIGKILL)
	startController(t)
	f.awaitFleet("killed", fleet)
	f.remove(f.Dynamic.Resource(policies), "killed")
}

// TestBurst changes every source and Secret of a fleet again and again, from many sides at once: nothing stands still for
// ever, and the last state of each is the one that is imported.
func TestBurst(t *testing.T) {
	f := newFixture(t)
	startController(t)
	f.importFleet("burst")
	const last = 10
	var writers sync.WaitGroup
	for from := range 8 {
		writers.Go(func() {
			for round := 1; round <= last; round++ {
				for i := from; i < fleet; i += 8 {
					f.beat(fmt.Sprintf("burst-%03d", i), round)
				}
			}
		})
	}
	writers.Wait()
	f.awaitFleet("burst", fleet)
	for i := range fleet {
		f.token(fmt.Sprintf("burst-burst-%03d", i), fmt.Sprintf("token-%d", last), time.Minute)
	}
	f.remove(f.Dynamic.Resource(policies), "burst")
}

// beat takes a source's readiness away, gives it back, and rotates its token.
func (f *fixture) beat(name string, round int) {
	source := f.Dynamic.Resource(mcps)
	for _, status := range []string{"False", "True"} {
		patch := fmt.Sprintf(`{"status":{"conditions":[{"type":"Ready","status":%q},{"type":"Beat","status":"%d"}]}}`, status, round)
		if _, err := source.Patch(f.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, "status"); err != nil {
			f.t.Error(err)
		}
	}
	patch := fmt.Sprintf(`{"stringData":{"token":"token-%d"}}`, round)
	if _, err := f.Dynamic.Resource(secrets).Namespace("default").Patch(f.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		f.t.Error(err)
	}
}

// TestServerKilledMidImport: the controller gets over the loss of its API server without being touched.
func TestServerKilledMidImport(t *testing.T) {
	f := newFixture(t)
	f.importFleet("outage")
	startController(t)
	f.awaitFleet("outage", 5)
	if err := plane.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := plane.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.awaitFleet("outage", fleet)
	f.remove(f.Dynamic.Resource(policies), "outage")
}

// TestReleaseOnTerm: a controller that is told to stop gives its lease back, so that its successor need not
// wait for the lease to expire.
func TestReleaseOnTerm(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	f.mcpPolicy("handover")
	first := startController(t)
	f.mcpCluster("handover-a", "token", "True")
	f.spec("handover-handover-a", soon)
	first.End(syscall.SIGTERM)
	startController(t)
	f.mcpCluster("handover-b", "token", "True")
	f.spec("handover-handover-b", 8*time.Second)
	f.remove(f.Dynamic.Resource(policies), "handover")
}

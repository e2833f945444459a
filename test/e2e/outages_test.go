package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterimport/clusterimport/test/e2e/testbed"
)

// afterOutage is how long it may take until what was missed is made up for: broken watches start again with back-off.
const afterOutage = 2 * time.Minute

// change does to a fleet of four what happens while nobody looks: NAME-a gets another token, NAME-b goes, NAME-c
// becomes ready, and NAME-d comes.
func (f *fixture) change(name string) {
	f.t.Helper()
	f.Patch(f.Dynamic.Resource(secrets).Namespace("default"), name+"-a", `{"stringData":{"token":"second"}}`)
	f.remove(f.Dynamic.Resource(mcps), name+"-b")
	f.Patch(f.Dynamic.Resource(mcps), name+"-c", `{"status":{"conditions":[{"type":"Ready","status":"True"}]}}`, "status")
	f.mcpCluster(name+"-d", "new", "True")
}

// beforeChange is the fleet as change finds it.
func (f *fixture) beforeChange(name string) {
	f.t.Helper()
	f.ApplyFile("examples/mcp/crd.yaml")
	f.mcpPolicy(name)
	f.mcpCluster(name+"-a", "first", "True")
	f.mcpCluster(name+"-b", "other", "True")
	f.mcpCluster(name+"-c", "third", "False")
	f.token(name+"-"+name+"-a", "first", soon)
	f.token(name+"-"+name+"-b", "other", soon)
	f.condition(f.Dynamic.Resource(lifecycles), name+"-"+name+"-c", "Ready", "False", "WaitCreationCondition")
}

// afterChange waits until change has been followed.
func (f *fixture) afterChange(name string) {
	f.t.Helper()
	f.token(name+"-"+name+"-a", "second", afterOutage)
	f.token(name+"-"+name+"-c", "third", afterOutage)
	f.token(name+"-"+name+"-d", "new", afterOutage)
	f.gone(f.Dynamic.Resource(clusters), name+"-"+name+"-b")
	f.remove(f.Dynamic.Resource(policies), name)
}

// holds fails when check finds something wrong within a time that has to pass anyhow.
func (f *fixture) holds(over time.Duration, check func(ctx context.Context) error) {
	f.t.Helper()
	ended := time.After(over)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := check(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
		select {
		case <-ended:
			return
		case <-tick.C:
		}
	}
}

// stays checks that PediaClusters are there.
func (f *fixture) stays(names ...string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		for _, name := range names {
			if _, err := f.Dynamic.Resource(clusters).Get(ctx, name, metav1.GetOptions{}); err != nil {
				return err
			}
		}
		return nil
	}
}

// TestNetworkCut: a minute without the API server removes nothing, and what was missed is made up for by the same
// process.
func TestNetworkCut(t *testing.T) {
	f := newFixture(t)
	network, kubeconfig := newLink(t)
	// A leader would end when it cannot renew its lease; this one has to get over it by itself.
	startController(t, "--kubeconfig", kubeconfig, "--leader-elect=false")
	f.beforeChange("cut")
	network.cut()
	f.change("cut")
	f.holds(time.Minute, f.stays("cut-cut-a", "cut-cut-b"))
	network.mend()
	f.afterChange("cut")
}

// TestWatchExpired: a controller that slept while its watches expired lists again, and learns what went meanwhile.
func TestWatchExpired(t *testing.T) {
	f := newFixture(t)
	c := startController(t, "--leader-elect=false")
	f.beforeChange("expired")
	c.Signal(syscall.SIGSTOP)
	f.change("expired")
	// The API server's own cache, which could serve the watches, goes with the process; etcd has nothing older.
	if err := errors.Join(plane.Compact(t.Context()), plane.Kill(), plane.Restart(t.Context())); err != nil {
		t.Fatal(err)
	}
	c.Signal(syscall.SIGCONT)
	f.afterChange("expired")
}

// TestRightsTaken: a controller that may not read its sources any more removes nothing and says what to grant; with the
// rights back it makes up for what it missed.
func TestRightsTaken(t *testing.T) {
	f := newFixture(t)
	first := startController(t)
	f.beforeChange("rights")
	bindings := f.Dynamic.Resource(schema.GroupVersionResource{Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings"})
	f.remove(bindings, "clusterimport-mcp")
	f.change("rights")
	// Rights are asked for when a watch begins.
	first.End(syscall.SIGTERM)
	startController(t)
	message := f.condition(f.Dynamic.Resource(policies), "rights", "SourceAvailable", "False", "Forbidden")
	if want := `{apiGroups: ["cluster.mcp.io"], resources: ["clusters"], verbs: ["get", "list", "watch"]}`; !strings.Contains(message, want) {
		t.Errorf("the message does not say what to grant: %s", message)
	}
	if err := f.stays("rights-rights-a", "rights-rights-b")(t.Context()); err != nil {
		t.Error(err)
	}
	f.ApplyFile("examples/mcp/rbac.yaml")
	f.afterChange("rights")
}

// replicas are the processes of which one leads.
type replicas struct {
	f       *fixture
	running []*testbed.Controller
}

func (r *replicas) add() {
	r.running = append(r.running, startController(r.f.t, "--leader-elect-name", "replicas",
		"--leader-elect-lease-duration", "4s", "--leader-elect-renew-deadline", "3s", "--leader-elect-retry-period", "500ms"))
}

// killLeader kills the process that holds the lease, and starts another one in its place.
func (r *replicas) killLeader() {
	r.f.t.Helper()
	leases := r.f.Dynamic.Resource(schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"})
	r.f.eventually(time.Minute, func(ctx context.Context) error {
		lease, err := leases.Namespace("clusterimport-system").Get(ctx, "replicas", metav1.GetOptions{})
		if err != nil {
			return err
		}
		holder, _, err := unstructured.NestedString(lease.Object, "spec", "holderIdentity")
		if err != nil {
			return err
		}
		i := slices.IndexFunc(r.running, func(c *testbed.Controller) bool {
			return strings.HasSuffix(holder, "_"+strconv.Itoa(c.PID()))
		})
		if i < 0 {
			return fmt.Errorf("the lease is held by %q", holder)
		}
		r.running[i].End(syscall.SIGKILL)
		r.running = slices.Delete(r.running, i, i+1)
		return nil
	})
	r.add()
}

// TestLeadersKilled kills the leader of two replicas twenty times while clusters come and go: nothing is lost, and
// nothing is there twice.
func TestLeadersKilled(t *testing.T) {
	f := newFixture(t)
	f.ApplyFile("examples/mcp/crd.yaml")
	f.mcpPolicy("leaders")
	f.Patch(f.Dynamic.Resource(policies), "leaders", `{"spec":{"maxDeletions":"100%"}}`)
	r := &replicas{f: f}
	r.add()
	r.add()
	var want []string
	for round := range 20 {
		names := make([]string, 4)
		for i := range names {
			names[i] = fmt.Sprintf("leaders-%02d-%d", round, i)
			f.mcpCluster(names[i], "token", "True")
		}
		// Some work of this round is done, some is not.
		f.spec("leaders-"+names[0], time.Minute)
		f.remove(f.Dynamic.Resource(mcps), names[0])
		for _, name := range names[1:] {
			want = append(want, "leaders-"+name)
		}
		r.killLeader()
	}
	for _, kind := range []schema.GroupVersionResource{clusters, lifecycles} {
		f.eventually(afterOutage, func(ctx context.Context) error {
			list, err := f.Dynamic.Resource(kind).List(ctx, metav1.ListOptions{})
			if err != nil {
				return err
			}
			var got []string
			for _, item := range list.Items {
				if strings.HasPrefix(item.GetName(), "leaders-") {
					got = append(got, item.GetName())
				}
			}
			if !slices.Equal(slices.Sorted(slices.Values(got)), want) {
				return fmt.Errorf("%s are %q, not %q", kind.Resource, got, want)
			}
			return nil
		})
	}
	f.remove(f.Dynamic.Resource(policies), "leaders")
}

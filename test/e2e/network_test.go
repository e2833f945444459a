package e2e_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// link is the network between a controller and the API server.
type link struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

// newLink listens for connections to the API server until the test ends.
func newLink(t *testing.T) *link {
	t.Helper()
	config, err := plane.Config()
	if err != nil {
		t.Fatal(err)
	}
	server, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &link{listener: listener, target: server.Host}
	go l.serve()
	t.Cleanup(func() {
		_ = listener.Close()
		l.set(false)
		l.drop()
	})
	return l
}

func (l *link) serve() {
	for {
		in, err := l.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", l.target)
		if err != nil {
			_ = in.Close()
			continue
		}
		l.mu.Lock()
		l.conns = append(l.conns, in, out)
		l.mu.Unlock()
		go l.carry(in, out)
		go l.carry(out, in)
	}
}

// carry copies from one end to the other. While the link is cut, what arrives is lost and nobody is told.
func (l *link) carry(from, to net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		l.mu.Lock()
		cut := l.cut
		l.mu.Unlock()
		if err == nil && !cut {
			_, err = to.Write(buffer[:n])
		}
		if err != nil {
			_ = from.Close()
			_ = to.Close()
			return
		}
	}
}

func (l *link) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
}

// drop ends all connections, as a firewall does that has forgotten them.
func (l *link) drop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

// TestNetworkCut: for a minute nothing arrives at either side and nobody is told. What changes in that minute is
// imported and followed afterwards, and nothing is removed.
func TestNetworkCut(t *testing.T) {
	f := newFixture(t)
	f.applyFile("examples/mcp/crd.yaml")
	network := newLink(t)
	// One that elects leaders would give up its lease and end, to be started anew: this one has to get over the cut itself.
	startControllerAt(t, "https://"+network.listener.Addr().String(), "--leader-elect=false")
	f.mcpPolicy("cut")
	f.mcpCluster("cut-a", "one", "True")
	f.token("cut-cut-a", "one", soon)
	network.set(true)
	f.mcpCluster("cut-b", "two", "True")
	f.patch(f.Dynamic.Resource(secrets).Namespace("default"), "cut-a", `{"stringData":{"token":"three"}}`)
	time.Sleep(time.Minute) // the cut itself
	f.exists(f.Dynamic.Resource(clusters), "cut-cut-a")
	network.drop()
	network.set(false)
	f.token("cut-cut-b", "two", 2*time.Minute)
	f.token("cut-cut-a", "three", time.Minute)
	f.remove(f.Dynamic.Resource(policies), "cut")
}

// TestRightsTakenAndGiven: a controller that may not watch a kind any more removes nothing, says what it lacks, and goes
// on when it may again.
func TestRightsTakenAndGiven(t *testing.T) {
	f := newFixture(t)
	f.applyFile("examples/mcp/crd.yaml")
	first := startController(t)
	f.mcpPolicy("rights")
	f.mcpCluster("rights-a", "one", "True")
	f.token("rights-rights-a", "one", soon)
	first.end(syscall.SIGTERM)
	bindings := f.Dynamic.Resource(schema.GroupVersionResource{
		Group: "rbac.authorization.k8s.io", Version: "v1", Resource: "clusterrolebindings",
	})
	f.remove(bindings, "clusterimport-mcp")
	startController(t)
	f.condition(f.Dynamic.Resource(policies), "rights", "SourceAvailable", "False", "Forbidden")
	f.mcpCluster("rights-b", "two", "True")
	f.exists(f.Dynamic.Resource(clusters), "rights-rights-a")
	f.applyFile("examples/mcp/rbac.yaml")
	f.token("rights-rights-b", "two", 2*time.Minute)
	f.eventually(soon, func(ctx context.Context) error {
		l, err := f.Dynamic.Resource(lifecycles).Get(ctx, "rights-rights-a", metav1.GetOptions{})
		if err == nil && l.GetDeletionTimestamp() != nil {
			err = fmt.Errorf("%s is being deleted", l.GetName())
		}
		return err
	})
	f.remove(f.Dynamic.Resource(policies), "rights")
}

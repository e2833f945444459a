package e2e_test

import (
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterimport/clusterimport/test/e2e/testbed"
)

// link is a network between a controller and the API server that can be cut: nothing arrives then, and nobody is told.
type link struct {
	listener net.Listener
	target   string

	mu sync.Mutex
	// open is closed while bytes may pass.
	open  chan struct{}
	conns []net.Conn
}

// newLink returns a link to the API server, and a kubeconfig of the controller's user that leads through it.
func newLink(t *testing.T) (l *link, kubeconfig string) {
	t.Helper()
	config, err := plane.UserConfig(testbed.ControllerUser)
	if err != nil {
		t.Fatal(err)
	}
	l = &link{open: make(chan struct{})}
	close(l.open)
	if l.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	for _, c := range config.Clusters {
		server, err := url.Parse(c.Server)
		if err != nil {
			t.Fatal(err)
		}
		l.target, server.Host = server.Host, l.listener.Addr().String()
		c.Server = server.String()
	}
	kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, kubeconfig); err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() { l.serve(&served) })
	t.Cleanup(func() {
		l.end()
		served.Wait()
	})
	return l, kubeconfig
}

func (l *link) serve(served *sync.WaitGroup) {
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", l.target)
		if err != nil {
			_ = near.Close()
			continue
		}
		l.mu.Lock()
		l.conns = append(l.conns, near, far)
		l.mu.Unlock()
		served.Go(func() { l.pass(near, far) })
		served.Go(func() { l.pass(far, near) })
	}
}

// pass carries bytes one way, as long as the link is whole.
func (l *link) pass(to, from net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		<-l.gate()
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			return
		}
	}
}

func (l *link) gate() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

// cut stops everything, on connections that are open and on new ones.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = make(chan struct{})
}

// mend lets pass what was held, and all that follows.
func (l *link) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.open:
	default:
		close(l.open)
	}
}

func (l *link) end() {
	_ = l.listener.Close()
	l.mend()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		_ = c.Close()
	}
}

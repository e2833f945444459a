package testbed

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
)

// ControllerUser is the service account of the controller.
const ControllerUser = "system:serviceaccount:clusterimport-system:clusterimport"

// Controller is the controller as a process.
type Controller struct {
	t       *testing.T
	process *exec.Cmd
	log     *bytes.Buffer
}

// StartController starts the controller of CONTROLLER_BIN with the rights of its service account only. It ends with the
// test, which shows the end of its log when it fails. more are further arguments, which override those that all have: the
// address of probes and metrics, for one, which is any.
func StartController(t *testing.T, plane *cluster.Cluster, more ...string) *Controller {
	t.Helper()
	binary := os.Getenv("CONTROLLER_BIN")
	if binary == "" {
		t.Fatal("CONTROLLER_BIN is not set: make build builds the binary")
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := plane.UserKubeconfig(kubeconfig, ControllerUser); err != nil {
		t.Fatal(err)
	}
	c := &Controller{t: t, log: &bytes.Buffer{}}
	c.process = exec.Command(binary, append([]string{ //nolint:gosec,noctx // the binary that make built; ended in order
		"--kubeconfig", kubeconfig, "--bind-address", "127.0.0.1:0",
		"--leader-elect-namespace", "clusterimport-system", "-v", "2",
	}, more...)...)
	c.process.Stdout, c.process.Stderr = c.log, c.log
	if err := c.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.End(syscall.SIGTERM)
		if t.Failed() {
			t.Logf("the controller's log:\n%s", tail(c.log.String()))
		}
	})
	return c
}

// End stops the process by a signal and waits for it; a second call does nothing.
func (c *Controller) End(s syscall.Signal) {
	if c.process.ProcessState != nil {
		return
	}
	_ = c.process.Process.Signal(s)
	_ = c.process.Wait()
}

// Signal sends a signal that does not end the process.
func (c *Controller) Signal(s syscall.Signal) {
	c.t.Helper()
	if err := c.process.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

// PID is the number of the process.
func (c *Controller) PID() int { return c.process.Process.Pid }

// ExitCode is what the process has ended with.
func (c *Controller) ExitCode() int { return c.process.ProcessState.ExitCode() }

// Log is what the process has written, all of it once it has ended.
func (c *Controller) Log() string { return c.log.String() }

func tail(log string) string {
	const most = 20_000
	return log[max(0, len(log)-most):]
}

// FreeAddress returns a loopback address that nobody listens on.
func FreeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

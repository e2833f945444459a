// Package cluster starts and stops the control plane of cmd/controlplane as a child process, for tests and for
// the demonstration. It does not import Kubernetes' servers, so that what uses it compiles fast.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// BinaryVariable names the environment variable with the path of the control plane's binary.
const BinaryVariable = "CONTROLPLANE_BIN"

// startTimeout is generous: a busy machine starts a control plane in ten times the usual three seconds.
const startTimeout = 2 * time.Minute

// Cluster is a control plane that runs as a child process.
type Cluster struct {
	binary, dir string

	mu      sync.Mutex
	process *exec.Cmd
	exited  chan struct{}
}

// Start runs a control plane in dir and returns when its API server is ready.
func Start(ctx context.Context, dir string) (*Cluster, error) {
	binary := os.Getenv(BinaryVariable)
	if binary == "" {
		return nil, fmt.Errorf("%s is not set: make controlplane builds the binary", BinaryVariable)
	}
	c := &Cluster{binary: binary, dir: dir}
	if err := c.Restart(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Kubeconfig is the path of the administrator's kubeconfig.
func (c *Cluster) Kubeconfig() string { return filepath.Join(c.dir, "kubeconfig") }

// Config returns the administrator's connection, without a limit on requests.
func (c *Cluster) Config() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	return config, nil
}

// Restart starts the control plane again, with the same data, certificates and port. One that runs is killed.
func (c *Cluster) Restart(ctx context.Context) error {
	if err := c.Kill(); err != nil {
		return err
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	// The control plane logs there itself; its last words are for its parent, which puts them there too.
	log, err := os.OpenFile(c.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	if err := os.Remove(c.Kubeconfig()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	process := exec.Command(c.binary, "--dir", c.dir, "--kubeconfig", c.Kubeconfig(), "--with-parent") //nolint:noctx // outlives the call
	process.Stdout, process.Stderr = log, log
	if err := process.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	c.mu.Lock()
	c.process, c.exited = process, exited
	c.mu.Unlock()
	go func() {
		_ = process.Wait()
		close(exited)
	}()
	if err := c.awaitKubeconfig(ctx, exited); err != nil {
		return errors.Join(fmt.Errorf("the control plane did not start: %w", err), c.Kill(), c.LastWords())
	}
	return nil
}

func (c *Cluster) awaitKubeconfig(ctx context.Context, exited <-chan struct{}) error {
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, startTimeout, true, func(context.Context) (bool, error) {
		select {
		case <-exited:
			return false, errors.New("it stopped")
		default:
			_, err := os.Stat(c.Kubeconfig())
			return err == nil, nil
		}
	})
}

func (c *Cluster) logFile() string { return filepath.Join(c.dir, "controlplane.log") }

// LastWords is the end of the log as an error, since the folder may be gone when somebody wants to look.
func (c *Cluster) LastWords() error {
	const most = 2000
	data, err := os.ReadFile(c.logFile())
	if err != nil {
		return err
	}
	return fmt.Errorf("the end of %s:\n%s", c.logFile(), data[max(0, len(data)-most):])
}

// Kill ends the control plane at once, as a crash would.
func (c *Cluster) Kill() error { return c.signal(syscall.SIGKILL) }

// Stop ends the control plane in order.
func (c *Cluster) Stop() error { return c.signal(syscall.SIGTERM) }

// Pause lets the control plane stand still until Resume, as one whose machine is too busy does: connections stay open
// and nothing is answered.
func (c *Cluster) Pause() error { return c.send(syscall.SIGSTOP) }

// Resume ends a Pause.
func (c *Cluster) Resume() error { return c.send(syscall.SIGCONT) }

func (c *Cluster) send(s syscall.Signal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.process.Process.Signal(s)
}

func (c *Cluster) signal(s syscall.Signal) error {
	c.mu.Lock()
	process, exited := c.process, c.exited
	c.mu.Unlock()
	if process == nil {
		return nil
	}
	if err := process.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-exited
	return nil
}

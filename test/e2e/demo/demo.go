// Package demo plays four platforms on a real control plane while the controller imports their clusters, and
// shows what happens. One of the clusters is a second control plane, which is reached with the credentials
// that were imported.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
)

// show is one run of the demonstration.
type show struct {
	out     io.Writer
	started time.Time
	dir     string
	// management is where the platforms and the controller are, workload is a cluster that is imported.
	management, workload *cluster.Cluster
	client               *cluster.Client
	// controller is the controller's process, exited is closed when it has ended.
	controller *exec.Cmd
	exited     chan struct{}
}

// Run plays the demonstration. With once it ends when all has been shown, else with the context.
func Run(ctx context.Context, out io.Writer, once bool) error {
	dir, err := os.MkdirTemp("", "clusterimport-demo-")
	if err != nil {
		return err
	}
	s := &show{out: out, started: time.Now(), dir: dir, exited: make(chan struct{})}
	defer s.end()
	asked := ctx
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-s.exited:
			cancel(errors.New("the controller stopped"))
		case <-ctx.Done():
		}
	}()
	for _, step := range []func(context.Context) error{
		s.startControlPlanes, s.install, s.startController, s.watch, s.play, s.reach, s.rotate, s.remove,
	} {
		if err := step(ctx); err != nil {
			if asked.Err() != nil {
				return nil
			}
			return errors.Join(err, context.Cause(ctx), s.controllerLog())
		}
	}
	s.sayf("All of it was followed. Everything here runs on loopback and goes when the demo ends.")
	if once {
		return nil
	}
	s.sayf("Try it yourself, in another terminal:")
	_, _ = fmt.Fprintf(out, "\n  export KUBECONFIG=%s\n  kubectl get clusterimportpolicies,pediaclusterlifecycles,pediaclusters\n\nCtrl-C ends the demo.\n",
		s.management.Kubeconfig())
	<-ctx.Done()
	if asked.Err() != nil {
		return nil
	}
	return errors.Join(context.Cause(ctx), s.controllerLog())
}

func (s *show) sayf(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, "%6.1fs  %s\n", time.Since(s.started).Seconds(), fmt.Sprintf(format, args...))
}

func (s *show) end() {
	if s.controller != nil {
		_ = s.controller.Process.Signal(syscall.SIGTERM)
		<-s.exited
	}
	for _, c := range []*cluster.Cluster{s.management, s.workload} {
		if c != nil {
			_ = c.Kill()
		}
	}
	_ = os.RemoveAll(s.dir)
}

func (s *show) startControlPlanes(ctx context.Context) error {
	s.sayf("Starting two Kubernetes control planes: one to manage clusters, one to be imported ...")
	var err error
	if s.management, err = cluster.Start(ctx, filepath.Join(s.dir, "management")); err != nil {
		return err
	}
	if s.workload, err = cluster.Start(ctx, filepath.Join(s.dir, "workload")); err != nil {
		return err
	}
	config, err := s.management.Config()
	if err != nil {
		return err
	}
	s.client, err = cluster.NewClient(config)
	return err
}

// install brings the kinds, the controller's rights and the policies.
func (s *show) install(ctx context.Context) error {
	s.sayf("Installing the CRDs of Clusterpedia, Cluster API, Karmada and a platform of one's own ...")
	crds, err := filepath.Glob("api/crd/*.yaml")
	if err != nil || len(crds) == 0 {
		return errors.New("no CRDs in api/crd: run the demo from the repository's root")
	}
	capi, err := cluster.CAPIDefinition(ctx)
	if err != nil {
		return err
	}
	if err := s.client.Apply(ctx, capi); err != nil {
		return err
	}
	s.sayf("Applying policies: cluster-api, karmada and vcluster in CEL, mcp as Clusterpedia's documentation has it")
	return s.applyFiles(ctx, append(crds,
		"examples/karmada/crd.yaml", "examples/mcp/crd.yaml",
		"examples/controller-rbac.yaml", "examples/cluster-api/rbac.yaml", "examples/karmada/rbac.yaml",
		"examples/vcluster/rbac.yaml", "examples/mcp/rbac.yaml",
		"charts/clusterimport/policies/cluster-api.yaml", "charts/clusterimport/policies/karmada.yaml",
		"charts/clusterimport/policies/vcluster.yaml", "examples/mcp/gotemplate.yaml",
	)...)
}

func (s *show) applyFiles(ctx context.Context, files ...string) error {
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := s.client.Apply(ctx, data); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// startController starts the controller as a process with the rights of its service account.
func (s *show) startController(context.Context) error {
	binary := os.Getenv("CONTROLLER_BIN")
	if binary == "" {
		return errors.New("CONTROLLER_BIN is not set: make demo sets it")
	}
	user, err := s.management.UserConfig("system:serviceaccount:clusterimport-system:clusterimport")
	if err != nil {
		return err
	}
	kubeconfig := filepath.Join(s.dir, "controller.kubeconfig")
	if err := clientcmd.WriteToFile(*user, kubeconfig); err != nil {
		return err
	}
	log, err := os.Create(s.logFile())
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	s.controller = exec.Command(binary, "--kubeconfig", kubeconfig, "--bind-address", "127.0.0.1:0", //nolint:gosec,noctx // the binary that make built; ended in order
		"--leader-elect-namespace", "clusterimport-system", "-v", "3")
	s.controller.Stdout, s.controller.Stderr = log, log
	s.sayf("Starting the controller; it may read the platforms' clusters and Secrets, and is no administrator")
	if err := s.controller.Start(); err != nil {
		s.controller = nil
		return err
	}
	go func() {
		defer close(s.exited)
		_ = s.controller.Wait()
	}()
	return nil
}

func (s *show) logFile() string { return filepath.Join(s.dir, "controller.log") }

// controllerLog is the end of the controller's log, for a demonstration that fails.
func (s *show) controllerLog() error {
	const most = 4000
	data, err := os.ReadFile(s.logFile())
	if err != nil || len(data) == 0 {
		return nil //nolint:nilerr // it was not started
	}
	return fmt.Errorf("the end of the controller's log:\n%s", data[max(0, len(data)-most):])
}

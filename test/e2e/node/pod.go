package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pod is a Pod whose container is a process.
type pod struct {
	node   *Node
	object *corev1.Pod
	ip     net.IP
	log    output
	// ending is closed when the Pod is to end, and done when it has.
	ending, done chan struct{}
	once         sync.Once
	ready        atomic.Bool
}

// stop has the Pod end in its own time.
func (p *pod) stop() { p.once.Do(func() { close(p.ending) }) }

func (p *pod) stopped() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// run runs the container until it ends or is to end, again and again if the Pod says so.
func (p *pod) run(ctx context.Context) {
	defer close(p.done)
	for {
		code, err := p.runOnce(ctx)
		if err != nil {
			p.node.fault(fmt.Errorf("cannot run Pod %s/%s: %w", p.object.Namespace, p.object.Name, err))
		}
		p.ready.Store(false)
		select {
		case <-p.ending:
			return
		case <-ctx.Done():
			return
		default:
		}
		switch {
		case errors.Is(err, errNotYet):
		case p.object.Spec.RestartPolicy != corev1.RestartPolicyNever:
			p.report(ctx, corev1.PodRunning)
		case err == nil && code == 0:
			p.report(ctx, corev1.PodSucceeded)
			return
		default:
			p.report(ctx, corev1.PodFailed)
			return
		}
		select {
		case <-time.After(time.Second): // the kubelet waits longer
		case <-p.ending:
			return
		case <-ctx.Done():
			return
		}
	}
}

// errNotYet is that a volume does not exist yet, which the kubelet waits for.
var errNotYet = errors.New("not yet")

// runOnce runs the container once and returns its exit code.
func (p *pod) runOnce(ctx context.Context) (int, error) {
	if len(p.object.Spec.Containers) != 1 || len(p.object.Spec.InitContainers) > 0 {
		return 0, errors.New("it has not exactly one container")
	}
	container := &p.object.Spec.Containers[0]
	root := filepath.Join(p.node.Dir, "pods", string(p.object.UID))
	if err := p.prepare(ctx, root, container); err != nil {
		return 0, err
	}
	command, err := p.command(root, container)
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(root) }()
	err = p.node.Network.within(p.ip, func() error {
		if err := command.Start(); err != nil {
			return err
		}
		return p.attend(ctx, container, command)
	})
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// command is the container's process.
func (p *pod) command(root string, container *corev1.Container) (*exec.Cmd, error) {
	environment, args, err := p.expand(container)
	if err != nil {
		return nil, err
	}
	command := &exec.Cmd{
		Path: args[0], Args: args, Env: environment, Dir: "/", Stdout: &p.log, Stderr: &p.log,
		SysProcAttr: &syscall.SysProcAttr{Chroot: root, Pdeathsig: syscall.SIGKILL, Setpgid: true},
	}
	if p.node.Users {
		user, group, err := identity(p.object.Spec.SecurityContext, container.SecurityContext)
		if err != nil {
			return nil, err
		}
		command.SysProcAttr.Credential = &syscall.Credential{Uid: user, Gid: group}
	}
	return command, nil
}

// identity is whom the container runs as. The one image that there is names a user, but what a Pod says goes before.
func identity(of *corev1.PodSecurityContext, container *corev1.SecurityContext) (user, group uint32, err error) {
	user, group = 65532, 65532
	if of != nil && of.RunAsUser != nil {
		user = uint32(*of.RunAsUser) //nolint:gosec // the API server has checked it
	}
	if of != nil && of.RunAsGroup != nil {
		group = uint32(*of.RunAsGroup) //nolint:gosec // as above
	}
	if container != nil && (container.RunAsUser != nil || container.RunAsGroup != nil) {
		return 0, 0, errors.New("the container has a user of its own")
	}
	return user, group, nil
}

// attend probes a process until it ends, or ends it in order when the Pod is to end.
func (p *pod) attend(ctx context.Context, container *corev1.Container, command *exec.Cmd) error {
	exited := make(chan error, 1)
	go func() { exited <- command.Wait() }()
	p.report(ctx, corev1.PodRunning)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	failures := 0
	for {
		select {
		case err := <-exited:
			return err
		case <-p.ending:
			return p.terminate(container, command, exited)
		case <-ctx.Done():
			_ = command.Process.Kill()
			return errors.Join(ctx.Err(), <-exited)
		case <-ticker.C:
		}
		if now := p.probe(ctx, container.ReadinessProbe) == nil; p.ready.Swap(now) != now {
			p.report(ctx, corev1.PodRunning)
		}
		if err := p.probe(ctx, container.LivenessProbe); err != nil {
			failures++
		} else {
			failures = 0
		}
		if failures > 300 { // three times the kubelet's ten seconds
			p.node.fault(fmt.Errorf("pod %s is not alive", p.object.Name))
			_ = command.Process.Kill()
		}
	}
}

// terminate ends a process as the kubelet does: routes go, the process is told and, if it does not hear, killed.
func (p *pod) terminate(container *corev1.Container, command *exec.Cmd, exited <-chan error) error {
	p.ready.Store(false)
	if container.Lifecycle != nil {
		return errors.New("the container has a lifecycle")
	}
	_ = command.Process.Signal(syscall.SIGTERM)
	grace := 30 * time.Second
	if seconds := p.object.Spec.TerminationGracePeriodSeconds; seconds != nil {
		grace = time.Duration(*seconds) * time.Second
	}
	select {
	case err := <-exited:
		return err
	case <-time.After(grace):
		_ = command.Process.Kill()
		return fmt.Errorf("pod %s did not end within %s: %v", p.object.Name, grace, <-exited) //nolint:errorlint // an exit code would hide it
	}
}

// probe asks an HTTP probe; nothing to ask is fine.
func (p *pod) probe(ctx context.Context, probe *corev1.Probe) error {
	if probe == nil {
		return nil
	}
	if probe.HTTPGet == nil {
		return errors.New("the probe is none by HTTP")
	}
	port, err := p.port(probe.HTTPGet.Port.String())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	url := fmt.Sprintf("http://%s%s", net.JoinHostPort(p.ip.String(), port), probe.HTTPGet.Path)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

// port is the number of a port that is given by name or number.
func (p *pod) port(nameOrNumber string) (string, error) {
	for _, container := range p.object.Spec.Containers {
		for _, port := range container.Ports {
			number := strconv.Itoa(int(port.ContainerPort))
			if port.Name == nameOrNumber || number == nameOrNumber {
				return number, nil
			}
		}
	}
	return "", fmt.Errorf("pod %s has no port %s", p.object.Name, nameOrNumber)
}

// report writes the Pod's status.
func (p *pod) report(ctx context.Context, phase corev1.PodPhase) {
	pods := p.node.client.CoreV1().Pods(p.object.Namespace)
	live, err := pods.Get(ctx, p.object.Name, metav1.GetOptions{})
	if err == nil {
		ready := corev1.ConditionFalse
		if p.ready.Load() {
			ready = corev1.ConditionTrue
		}
		live.Status.Phase, live.Status.PodIP = phase, p.ip.String()
		live.Status.PodIPs = []corev1.PodIP{{IP: p.ip.String()}}
		live.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: ready, LastTransitionTime: metav1.Now()}}
		_, err = pods.UpdateStatus(ctx, live, metav1.UpdateOptions{})
	}
	if err != nil && !apierrors.IsNotFound(err) && ctx.Err() == nil {
		p.node.fault(fmt.Errorf("cannot write the status of Pod %s: %w", p.object.Name, err))
	}
}

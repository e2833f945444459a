// Package node runs Pods as local processes: as much of a kubelet, of kube-proxy and of the controllers of Deployments
// and Jobs as it takes to install a chart on a control plane that has none of them.
//
// A container is a process with its own root folder and its own network namespace. Its command, arguments, environment,
// volumes, user, ServiceAccount token and probes are what its Pod says, which is an object of the API server; the files of
// its image are given. What a Pod asks for and this package does not know is an error, not left out.
package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Name is the name of the node that Pods are bound to.
const Name = "local"

// Options say what a node runs on.
type Options struct {
	// Config is the API server's, as an administrator.
	Config  *rest.Config
	Network *Network
	// Dir is for the root folders of containers.
	Dir string
	// Image are the files of the one image that there is, by their path in it.
	Image map[string]string
	// Users says whether processes can be of the users that Pods name.
	Users bool
}

// Node is a running node.
type Node struct {
	Options

	client  kubernetes.Interface
	proxies map[types.UID]*proxy
	// done is closed when the node has ended.
	done chan struct{}

	mu     sync.Mutex
	pods   map[types.UID]*pod
	past   []*pod
	faults map[string]bool
}

// every is how often the node looks what has changed.
const every = 100 * time.Millisecond

// Wait returns when the node and all its Pods have ended, after the end of its context.
func (n *Node) Wait() {
	<-n.done
	for _, p := range n.all() {
		<-p.done
	}
}

// Start starts a node, which runs until the context ends.
func Start(ctx context.Context, o Options) (*Node, error) {
	client, err := kubernetes.NewForConfig(o.Config)
	if err != nil {
		return nil, err
	}
	n := &Node{
		Options: o, client: client, proxies: map[types.UID]*proxy{}, done: make(chan struct{}), pods: map[types.UID]*pod{}, faults: map[string]bool{},
	}
	// Linked into root folders from here: links do not reach from one file system to another.
	for path, file := range n.Image {
		local := filepath.Join(n.Dir, "image", path)
		if err := copyFile(local, file); err != nil {
			return nil, err
		}
		n.Image[path] = local
	}
	go n.run(ctx)
	return n, nil
}

func copyFile(to, from string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil { //nolint:gosec // of a container
		return err
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755) //nolint:gosec // of a container
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Close())
}

func (n *Node) run(ctx context.Context) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	defer func() {
		for _, p := range n.proxies {
			p.close()
		}
		close(n.done)
	}()
	for {
		for _, step := range []func(context.Context) error{n.syncServices, n.syncDeployments, n.syncJobs, n.syncPods} {
			if err := step(ctx); err != nil && ctx.Err() == nil && !apierrors.IsConflict(err) {
				n.fault(err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// fault keeps what went wrong, once.
func (n *Node) fault(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults[err.Error()] = true
}

// syncPods starts the Pods of the node and stops those that are to go.
func (n *Node) syncPods(ctx context.Context) error {
	list, err := n.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=" + Name})
	if err != nil {
		return err
	}
	present := map[types.UID]bool{}
	for i := range list.Items {
		object := &list.Items[i]
		present[object.UID] = true
		p := n.find(object.UID)
		switch {
		case p == nil && object.DeletionTimestamp == nil && !ended(object):
			n.adopt(ctx, object)
		case object.DeletionTimestamp != nil && (p == nil || p.stopped()):
			now := int64(0)
			err := n.client.CoreV1().Pods(object.Namespace).Delete(ctx, object.Name, metav1.DeleteOptions{GracePeriodSeconds: &now})
			if err != nil && !apierrors.IsNotFound(err) {
				return err
			}
		case object.DeletionTimestamp != nil:
			p.stop()
		}
	}
	for uid, p := range n.all() {
		if !present[uid] {
			p.stop()
			if p.stopped() {
				n.forget(uid)
			}
		}
	}
	return nil
}

func ended(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

func (n *Node) find(uid types.UID) *pod {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.pods[uid]
}

func (n *Node) all() map[types.UID]*pod {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.pods)
}

// adopt begins to run a Pod.
func (n *Node) adopt(ctx context.Context, object *corev1.Pod) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := &pod{node: n, object: object.DeepCopy(), ip: n.Network.podAddress(), ending: make(chan struct{}), done: make(chan struct{})}
	n.pods[object.UID] = p
	go p.run(ctx)
}

func (n *Node) forget(uid types.UID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.past = append(n.past, n.pods[uid])
	delete(n.pods, uid)
}

// Report says what went wrong and what all containers have written, for a test that has failed.
func (n *Node) Report() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out strings.Builder
	for _, text := range slices.Sorted(maps.Keys(n.faults)) {
		fmt.Fprintf(&out, "node: %s\n", text)
	}
	for _, p := range append(slices.Clone(n.past), slices.Collect(maps.Values(n.pods))...) {
		fmt.Fprintf(&out, "--- Pod %s/%s\n%s", p.object.Namespace, p.object.Name, p.log.tail())
	}
	return out.String()
}

// Logs is all that the containers of a namespace have written.
func (n *Node) Logs(namespace string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out strings.Builder
	for _, p := range append(slices.Clone(n.past), slices.Collect(maps.Values(n.pods))...) {
		if p.object.Namespace == namespace {
			out.WriteString(p.log.text())
		}
	}
	return out.String()
}

// output is what a container writes.
type output struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.Write(p)
}

func (o *output) text() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

func (o *output) tail() string {
	const most = 6000
	text := o.text()
	return text[max(0, len(text)-most):]
}

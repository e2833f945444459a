package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// proxy is a Service: its ClusterIP is an address of the loopback device, and what is sent there goes to a ready Pod.
type proxy struct {
	listeners []net.Listener
}

func (p *proxy) close() {
	for _, l := range p.listeners {
		_ = l.Close()
	}
}

// syncServices listens at the addresses of all Services, and of no others.
func (n *Node) syncServices(ctx context.Context) error {
	list, err := n.client.CoreV1().Services("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	present := map[types.UID]bool{}
	for i := range list.Items {
		service := &list.Items[i]
		present[service.UID] = true
		if n.proxies[service.UID] != nil || service.Spec.ClusterIP == "" || service.Spec.ClusterIP == corev1.ClusterIPNone {
			continue
		}
		p, err := n.listen(service)
		if err != nil {
			return fmt.Errorf("cannot serve %s/%s: %w", service.Namespace, service.Name, err)
		}
		n.proxies[service.UID] = p
	}
	for uid, p := range n.proxies {
		if !present[uid] {
			p.close()
			delete(n.proxies, uid)
		}
	}
	return nil
}

func (n *Node) listen(service *corev1.Service) (*proxy, error) {
	if err := n.Network.serve(service.Spec.ClusterIP); err != nil {
		return nil, err
	}
	p := &proxy{}
	for _, port := range service.Spec.Ports {
		listener, err := net.Listen("tcp", net.JoinHostPort(service.Spec.ClusterIP, strconv.Itoa(int(port.Port)))) //nolint:noctx // closed in order
		if err != nil {
			p.close()
			return nil, err
		}
		p.listeners = append(p.listeners, listener)
		go n.accept(listener, service.DeepCopy(), port)
	}
	return p, nil
}

func (n *Node) accept(listener net.Listener, service *corev1.Service, port corev1.ServicePort) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = client.Close() }()
			if err := n.forward(client, service, port); err != nil {
				n.fault(fmt.Errorf("service %s/%s: %w", service.Namespace, service.Name, err))
			}
		}()
	}
}

// errNoEndpoint is that no Pod is ready: the connection is refused.
var errNoEndpoint = errors.New("no Pod is ready")

// forward connects a client with a ready Pod until either ends.
func (n *Node) forward(client net.Conn, service *corev1.Service, port corev1.ServicePort) error {
	address, err := n.endpoint(service, port)
	if err != nil {
		return err
	}
	pod, err := net.Dial("tcp", address) //nolint:noctx // loopback
	if err != nil {
		return err
	}
	defer func() { _ = pod.Close() }()
	var wg sync.WaitGroup
	for _, pair := range [][2]net.Conn{{client, pod}, {pod, client}} {
		wg.Go(func() {
			_, _ = io.Copy(pair[0], pair[1])
			if half, ok := pair[0].(*net.TCPConn); ok {
				_ = half.CloseWrite()
			}
		})
	}
	wg.Wait()
	return nil
}

// endpoint chooses a ready Pod of a Service. The one Service without a selector is the API server's.
func (n *Node) endpoint(service *corev1.Service, port corev1.ServicePort) (string, error) {
	if len(service.Spec.Selector) == 0 {
		return n.apiServer()
	}
	selector := labels.SelectorFromSet(service.Spec.Selector)
	var addresses []string
	for _, p := range n.all() {
		if p.object.Namespace != service.Namespace || !p.ready.Load() || !selector.Matches(labels.Set(p.object.Labels)) {
			continue
		}
		number, err := p.port(port.TargetPort.String())
		if err != nil {
			return "", err
		}
		addresses = append(addresses, net.JoinHostPort(p.ip.String(), number))
	}
	if len(addresses) == 0 {
		return "", errNoEndpoint
	}
	return addresses[rand.IntN(len(addresses))], nil //nolint:gosec // no secret
}

package node

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync/atomic"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Network is the network namespace of this process as the node's: the loopback device has the addresses of Services, and
// a bridge leads to the Pods, each of which has a namespace of its own.
type Network struct {
	bridge *netlink.Bridge
	// pods is how many Pods have had an address, and pairs how many pairs of devices there were.
	pods, pairs atomic.Int32
}

const (
	bridgeName = "clusterimport0"
	// podNetwork are the addresses of Pods; the bridge has the first.
	podNetwork = "10.244.0.%d/16"
)

// NewNetwork prepares the namespace, which must be of one's own: it has nothing but a loopback device that is down. One
// network may serve several nodes, one after the other.
func NewNetwork() (*Network, error) {
	if err := up("lo"); err != nil {
		return nil, err
	}
	n := &Network{bridge: &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: bridgeName}}}
	if err := netlink.LinkAdd(n.bridge); err != nil {
		return nil, fmt.Errorf("cannot make a bridge: %w", err)
	}
	if err := assign(n.bridge, fmt.Sprintf(podNetwork, 1)); err != nil {
		return nil, err
	}
	return n, netlink.LinkSetUp(n.bridge)
}

func up(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("there is no device %s: %w", name, err)
	}
	return netlink.LinkSetUp(link)
}

func assign(link netlink.Link, cidr string) error {
	address, err := netlink.ParseAddr(cidr)
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(link, address); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("cannot give %s the address %s: %w", link.Attrs().Name, cidr, err)
	}
	return nil
}

// serve gives the loopback device an address, as kube-proxy does for Services in its way.
func (n *Network) serve(ip string) error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	return assign(lo, ip+"/32")
}

// podAddress is the address of the next Pod.
func (n *Network) podAddress() net.IP {
	count := n.pods.Add(1)
	return net.IPv4(10, 244, byte(count/250), byte(count%250+2)) //nolint:gosec // there are not that many
}

// within calls start in a new network namespace, that of a Pod with this address. start must run for as long as the
// processes do that it starts: a thread of their namespace is theirs until then, and they end with it.
func (n *Network) within(ip net.IP, start func() error) error {
	failed := make(chan error, 1)
	go func() {
		// Never unlocked: the thread belongs to the namespace, and ends with this goroutine.
		runtime.LockOSThread()
		failed <- n.enter(ip, start)
	}()
	return <-failed
}

func (n *Network) enter(ip net.IP, start func() error) error {
	node, err := namespaceOfThread()
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(node) }()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("cannot make a network namespace: %w", err)
	}
	if err := up("lo"); err != nil {
		return err
	}
	name := fmt.Sprintf("pod%d", n.pairs.Add(1))
	// Made here, with its other end on the bridge of the node.
	pair := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: "eth0"}, PeerName: name, PeerNamespace: netlink.NsFd(node),
	}
	if err := netlink.LinkAdd(pair); err != nil {
		return fmt.Errorf("cannot connect the Pod: %w", err)
	}
	if err := assign(pair, ip.String()+"/16"); err != nil {
		return err
	}
	if err := netlink.LinkSetUp(pair); err != nil {
		return err
	}
	if err := n.plug(name); err != nil {
		return err
	}
	gateway := net.IPv4(10, 244, 0, 1)
	if err := netlink.RouteAdd(&netlink.Route{LinkIndex: pair.Attrs().Index, Gw: gateway}); err != nil {
		return fmt.Errorf("cannot route the Pod's packets: %w", err)
	}
	return start()
}

// plug connects the node's end of a pair to the bridge, on a thread of the node's namespace.
func (n *Network) plug(name string) error {
	done := make(chan error, 1)
	go func() {
		link, err := netlink.LinkByName(name)
		if err == nil {
			err = netlink.LinkSetMaster(link, n.bridge)
		}
		if err == nil {
			err = netlink.LinkSetUp(link)
		}
		done <- err
	}()
	return <-done
}

func namespaceOfThread() (int, error) {
	return unix.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

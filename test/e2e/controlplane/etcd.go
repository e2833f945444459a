package controlplane

import (
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"os"
	"strconv"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// ports are the loopback ports of one control plane. They are kept, so that kubeconfigs survive a restart.
type ports struct {
	API        int `json:"api"`
	EtcdClient int `json:"etcdClient"`
	EtcdPeer   int `json:"etcdPeer"`
}

// choosePorts reads the ports from file, or takes free ones, and writes them there. An API port that is asked
// for goes before the one of the file.
func choosePorts(file string, api int) (ports, error) {
	p, err := readPorts(file)
	if errors.Is(err, os.ErrNotExist) {
		p, err = freePorts()
	}
	if err != nil {
		return p, err
	}
	if api != 0 {
		p.API = api
	}
	data, err := json.Marshal(p)
	if err != nil {
		return p, err
	}
	// Whole, or not at all: a control plane may be killed at any time and is then started again.
	return p, writeAtomically(file, func(path string) error { return os.WriteFile(path, data, 0o600) })
}

func readPorts(file string) (ports, error) {
	var p ports
	data, err := os.ReadFile(file)
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(data, &p)
}

func freePorts() (ports, error) {
	var p ports
	for _, port := range []*int{&p.API, &p.EtcdClient, &p.EtcdPeer} {
		listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return p, err
		}
		// Kept open until all are chosen: no two are then the same.
		defer func() { _ = listener.Close() }()
		if address, ok := listener.Addr().(*net.TCPAddr); ok {
			*port = address.Port
		}
	}
	return p, nil
}

// startEtcd starts a single member, tuned to be ready at once: a test's data need not survive a power cut.
func startEtcd(dir string, p ports) (stop func(), err error) {
	config := embed.NewConfig()
	config.Dir = dir
	config.LogLevel = "error"
	config.TickMs, config.ElectionMs = 10, 100
	config.UnsafeNoFsync = true
	client, peer := loopbackURL(p.EtcdClient), loopbackURL(p.EtcdPeer)
	config.ListenClientUrls, config.AdvertiseClientUrls = []url.URL{client}, []url.URL{client}
	config.ListenPeerUrls, config.AdvertisePeerUrls = []url.URL{peer}, []url.URL{peer}
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	server, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-server.Server.ReadyNotify():
		return func() { stopServer(server) }, nil
	case err := <-server.Err():
		return nil, err
	case <-time.After(time.Minute):
		server.Close()
		return nil, errors.New("not ready within a minute")
	}
}

// stopServer closes the data. Close would first wait five seconds for clients to go, and the API server, which
// ends with the process, never does.
func stopServer(server *embed.Etcd) {
	stopped := make(chan struct{})
	go func() {
		server.Server.HardStop()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(time.Second): // what it wrote is kept all the same, as after a kill
	}
}

func loopbackURL(port int) url.URL {
	return url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
}

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

// choosePorts reads the ports from file, or takes free ones and writes them there.
func choosePorts(file string, api int) (ports, error) {
	var p ports
	if data, err := os.ReadFile(file); err == nil {
		return p, json.Unmarshal(data, &p)
	}
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
	if api != 0 {
		p.API = api
	}
	data, err := json.Marshal(p)
	if err != nil {
		return p, err
	}
	return p, os.WriteFile(file, data, 0o600)
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
		return server.Close, nil
	case err := <-server.Err():
		return nil, err
	case <-time.After(time.Minute):
		server.Close()
		return nil, errors.New("not ready within a minute")
	}
}

func loopbackURL(port int) url.URL {
	return url.URL{Scheme: "http", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
}

// Package controlplane runs a Kubernetes control plane in this process: etcd, the kube-apiserver, and three of the
// kube-controller-manager's controllers: for garbage, namespaces and aggregated ClusterRoles. There is no kubelet and no
// scheduler: it serves tests and demonstrations of controllers, on loopback only.
//
// Everything it needs to start again as the same cluster (data, certificates, ports) is in one folder.
package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

// Options say where a control plane lives.
type Options struct {
	// Dir holds its data, certificates and ports. A folder that a control plane ran in starts it again.
	Dir string
	// Kubeconfig is the file that gets the administrator's kubeconfig once the API server is ready.
	Kubeconfig string
	// Port is the API server's port; 0 takes the one it had before, or a free one.
	Port int
	// Verbosity is how much the API server logs.
	Verbosity int
}

// Run runs a control plane until the context ends or a part of it fails.
func Run(ctx context.Context, o Options) error {
	if err := os.Remove(o.Kubeconfig); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return err
	}
	ports, err := choosePorts(filepath.Join(o.Dir, "ports.json"), o.Port)
	if err != nil {
		return err
	}
	pki, err := loadPKI(filepath.Join(o.Dir, "pki"))
	if err != nil {
		return err
	}
	stopEtcd, err := startEtcd(filepath.Join(o.Dir, "etcd"), ports)
	if err != nil {
		return fmt.Errorf("cannot start etcd: %w", err)
	}
	defer stopEtcd()
	config, err := pki.adminConfig(ports.API)
	if err != nil {
		return err
	}
	failed := make(chan error, 2)
	go func() { failed <- runAPIServer(pki, ports, o) }()
	go func() {
		if err := follow(ctx, config, pki, ports, o.Kubeconfig); err != nil {
			failed <- err
		}
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// follow waits for the API server, says so by writing the kubeconfig, and runs the controllers.
func follow(ctx context.Context, config *rest.Config, pki *pki, ports ports, kubeconfig string) error {
	if err := awaitReady(ctx, config); err != nil {
		return err
	}
	if err := startControllers(ctx, config); err != nil {
		return err
	}
	return writeAtomically(kubeconfig, func(path string) error {
		return clientcmd.WriteToFile(*pki.kubeconfig(ports.API), path)
	})
}

// awaitReady waits for the API server and for the namespace "default", which it makes just after it is ready.
func awaitReady(ctx context.Context, config *rest.Config) error {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		for _, path := range []string{"/readyz", "/api/v1/namespaces/default"} {
			if ok, err := isServed(ctx, client, config.Host+path); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

func isServed(ctx context.Context, client *http.Client, url string) (bool, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false, err
	}
	response, err := client.Do(request)
	if err != nil {
		return false, nil // it does not listen yet
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode == http.StatusOK, nil
}

// runAPIServer runs the kube-apiserver as its own command does, and returns only when it fails.
func runAPIServer(pki *pki, ports ports, o Options) error {
	command := app.NewAPIServerCommand()
	command.SetArgs([]string{
		"--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(ports.API),
		"--etcd-servers=http://127.0.0.1:" + strconv.Itoa(ports.EtcdClient),
		"--cert-dir=" + filepath.Join(o.Dir, "apiserver"),
		"--tls-cert-file=" + pki.path("apiserver.crt"), "--tls-private-key-file=" + pki.path("apiserver.key"),
		"--client-ca-file=" + pki.path("ca.crt"),
		"--requestheader-client-ca-file=" + pki.path("front-proxy-ca.crt"),
		"--requestheader-allowed-names=" + frontProxyUser,
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + pki.path("front-proxy.crt"),
		"--proxy-client-key-file=" + pki.path("front-proxy.key"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + pki.path("service-account.key"),
		"--service-account-signing-key-file=" + pki.path("service-account.key"),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--authorization-mode=RBAC",
		"--endpoint-reconciler-type=none",
		// Nothing runs pods here, so nothing mounts tokens.
		"--disable-admission-plugins=ServiceAccount",
		"--profiling=false",
		"--v=" + strconv.Itoa(o.Verbosity),
	})
	if err := command.Execute(); err != nil {
		return fmt.Errorf("the API server failed: %w", err)
	}
	return errors.New("the API server stopped")
}

// writeAtomically makes a file appear whole: a kubeconfig's presence says that the control plane is ready.
func writeAtomically(path string, write func(path string) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	temporary := path + ".new"
	if err := write(temporary); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

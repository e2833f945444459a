// Package app is the controller's process: flags, connections, leader election, the listener for probes and
// metrics, and an orderly end. It is the only place that constructs things.
package app

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	logsapi "k8s.io/component-base/logs/api/v1"
)

// options are the flags.
type options struct {
	kubeconfig       string
	bindAddress      string
	metricsSecure    bool
	metricsAddress   string
	metricsCertDir   string
	workers          int
	qps              float32
	burst            int
	leaderElect      bool
	secretNamespaces []string
	leaseNamespace   string
	leaseName        string
	leaseDuration    time.Duration
	renewDeadline    time.Duration
	retryPeriod      time.Duration
	version          bool
	logs             *logsapi.LoggingConfiguration
	webhook          webhookOptions
}

func newOptions() *options {
	return &options{
		bindAddress: ":8080", metricsAddress: ":8443", workers: 8, qps: 100, burst: 200,
		leaderElect: true, leaseName: "clusterimport", logs: logsapi.NewLoggingConfiguration(),
		// Those of Kubernetes' own controllers.
		leaseDuration: 15 * time.Second, renewDeadline: 10 * time.Second, retryPeriod: 2 * time.Second,
		webhook: newWebhookOptions(),
	}
}

func (o *options) addFlags(fs *pflag.FlagSet) {
	fs.StringVar(&o.kubeconfig, "kubeconfig", o.kubeconfig, "kubeconfig of the API server; empty: the Pod's service account")
	fs.StringVar(&o.bindAddress, "bind-address", o.bindAddress, "address that serves /healthz, /readyz and /metrics")
	fs.BoolVar(&o.metricsSecure, "metrics-secure", o.metricsSecure,
		"serve /metrics at --metrics-bind-address only: over HTTPS, to whom the API server allows to get the path")
	fs.StringVar(&o.metricsAddress, "metrics-bind-address", o.metricsAddress, "address that serves /metrics with --metrics-secure")
	fs.StringVar(&o.metricsCertDir, "metrics-cert-dir", o.metricsCertDir,
		"folder with tls.crt and tls.key for --metrics-secure; empty: the process signs its own certificate")
	fs.IntVar(&o.workers, "workers", o.workers, "how many sources and how many lifecycles are handled at a time")
	fs.Float32Var(&o.qps, "kube-api-qps", o.qps, "requests per second to the API server")
	fs.IntVar(&o.burst, "kube-api-burst", o.burst, "requests that may exceed kube-api-qps for a moment")
	fs.StringSliceVar(&o.secretNamespaces, "secret-namespaces", nil, "namespaces whose Secrets are read; empty: all")
	fs.BoolVar(&o.leaderElect, "leader-elect", o.leaderElect, "of several replicas, let one work")
	fs.StringVar(&o.leaseNamespace, "leader-elect-namespace", o.leaseNamespace, "namespace of the lease; empty: the Pod's, or default outside of one")
	fs.StringVar(&o.leaseName, "leader-elect-name", o.leaseName, "name of the lease")
	fs.DurationVar(&o.leaseDuration, "leader-elect-lease-duration", o.leaseDuration, "how long others wait for a leader that does not renew its lease")
	fs.DurationVar(&o.renewDeadline, "leader-elect-renew-deadline", o.renewDeadline, "how long a leader tries to renew its lease before it ends; less than the lease's duration")
	fs.DurationVar(&o.retryPeriod, "leader-elect-retry-period", o.retryPeriod, "how often a lease is renewed and looked at")
	fs.BoolVar(&o.version, "version", o.version, "print the version and exit")
	logsapi.AddFlags(o.logs, fs)
	o.webhook.addFlags(fs)
}

func (o *options) validate() error {
	errs := []error{o.webhook.validate()}
	if o.workers < 1 {
		errs = append(errs, fmt.Errorf("--workers must be at least 1, not %d", o.workers))
	}
	if o.qps <= 0 || o.burst < 1 {
		errs = append(errs, errors.New("--kube-api-qps and --kube-api-burst must be positive"))
	}
	return errors.Join(append(errs, o.validateLease())...)
}

// validateLease checks what the elector demands, in the words of the flags.
func (o *options) validateLease() error {
	longest := time.Duration(leaderelection.JitterFactor * float64(o.retryPeriod))
	if o.retryPeriod <= 0 || o.renewDeadline <= longest || o.leaseDuration <= o.renewDeadline {
		return errors.New("--leader-elect-lease-duration must be more than --leader-elect-renew-deadline, " +
			"and that more than 1.2 times --leader-elect-retry-period")
	}
	return nil
}

const podNamespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"

// complete fills in what depends on where the process runs.
func (o *options) complete() {
	if o.leaseNamespace != "" {
		return
	}
	o.leaseNamespace = "default"
	if data, err := os.ReadFile(podNamespaceFile); err == nil {
		o.leaseNamespace = string(data)
	}
}

func (o *options) restConfig() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", o.kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("cannot load the kubeconfig: %w", err)
	}
	config.QPS, config.Burst = o.qps, o.burst
	config.UserAgent = "clusterimport-controller"
	return config, nil
}

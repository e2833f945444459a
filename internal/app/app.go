package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/typed/apiextensions/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	cliflag "k8s.io/component-base/cli/flag"
	logsapi "k8s.io/component-base/logs/api/v1"
	_ "k8s.io/component-base/logs/json/register" // --logging-format=json
	"k8s.io/component-base/version"
	"k8s.io/klog/v2"

	"github.com/clusterimport/clusterimport/internal/controller"
	"github.com/clusterimport/clusterimport/internal/crds"
	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/internal/metrics"
)

// Main runs the controller with these arguments until it is told to stop, and returns the exit code.
func Main(args []string, stdout, stderr io.Writer) int {
	o := newOptions()
	fs := pflag.NewFlagSet("clusterimport-controller", pflag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.SetNormalizeFunc(cliflag.WordSepNormalizeFunc)
	o.addFlags(fs)
	switch err := fs.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		return 0
	case err != nil:
		_, _ = fmt.Fprintln(stderr, err)
		return 2
	}
	if o.version {
		_, _ = fmt.Fprintln(stdout, version.Get().GitVersion)
		return 0
	}
	if err := errors.Join(o.validate(), logsapi.ValidateAndApply(o.logs, nil)); err != nil {
		_, _ = fmt.Fprintln(stderr, err)
		return 2
	}
	o.complete()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, o)
	klog.Flush()
	if err != nil {
		klog.ErrorS(err, "Stopped")
		klog.Flush()
		return 1
	}
	return 0
}

// run runs all parts; the end of one ends the others.
func run(ctx context.Context, o *options) error {
	config, err := o.restConfig()
	if err != nil {
		return err
	}
	clients, err := kube.NewClients(config)
	if err != nil {
		return err
	}
	klog.InfoS("Starting", "version", version.Get().GitVersion)
	registry := metrics.NewRegistry()
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: clients.Kubernetes.EventsV1()})
	defer broadcaster.Shutdown()
	c := controller.New(controller.Options{
		Clients: clients, Workers: o.workers, SecretNamespaces: o.secretNamespaces, Observer: registry, Now: time.Now,
		Recorder: broadcaster.NewRecorder(clients.Scheme, "clusterimport"),
	})
	registry.Follow(c.State)
	definitions, err := apiextensionsv1.NewForConfig(config)
	if err != nil {
		return err
	}
	probes := newProbes(c.Ready(), o.leaderElect)
	group, ctx := errgroup.WithContext(ctx)
	if o.webhook.certMode != certNone {
		source := o.webhook.certificateSource(clients, o.leaseNamespace, registry)
		probes.webhook = source.Ready
		registry.WebhookTrusted(source.Ready)
		group.Go(func() error { return runWebhook(ctx, o, clients, source, registry) })
	}
	listeners, err := o.listeners(clients, probes, registry.Handler())
	if err != nil {
		return err
	}
	for _, l := range listeners {
		group.Go(func() error { return l.serve(ctx) })
	}
	group.Go(func() error {
		return crds.Watch(ctx, definitions.CustomResourceDefinitions(), func(name, mismatch string) {
			registry.DefinitionCompared(name, mismatch == "")
			probes.compared(name, mismatch)
		})
	})
	group.Go(func() error {
		if err := broadcaster.StartRecordingToSinkWithContext(ctx); err != nil {
			return err
		}
		if o.leaderElect {
			return lead(ctx, o, config, probes, c.Run)
		}
		return c.Run(ctx)
	})
	return group.Wait()
}

// lead runs work while this process holds the lease, and gives the lease back at the end, so that a successor
// starts at once.
func lead(ctx context.Context, o *options, config *rest.Config, probes *probes, work func(context.Context) error) error {
	hostname, err := os.Hostname()
	if err != nil {
		return err
	}
	identity := fmt.Sprintf("%s_%d", hostname, os.Getpid())
	lock, err := resourcelock.NewFromKubeconfig(resourcelock.LeasesResourceLock, o.leaseNamespace, o.leaseName,
		resourcelock.ResourceLockConfig{Identity: identity}, config, o.renewDeadline)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: o.leaseDuration, RenewDeadline: o.renewDeadline, RetryPeriod: o.retryPeriod,
		ReleaseOnCancel: true, Name: o.leaseName,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(ctx context.Context) {
				probes.lead()
				cancel(work(ctx))
			},
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		return err
	}
	elector.Run(ctx)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	if ctx.Err() == nil {
		return errors.New("lost the lease")
	}
	return nil
}

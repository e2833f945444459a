package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/openapi"
	"k8s.io/utils/clock"

	"github.com/clusterimport/clusterimport/internal/certificates"
	"github.com/clusterimport/clusterimport/internal/kube"
	"github.com/clusterimport/clusterimport/internal/metrics"
	"github.com/clusterimport/clusterimport/internal/webhook"
)

// Where the webhook's certificate comes from.
const (
	certNone  = "None"  // there is no webhook
	certSelf  = "Self"  // the replicas sign their own
	certFiles = "Files" // somebody else keeps files
)

// webhookOptions are the webhook's flags.
type webhookOptions struct {
	bindAddress, certMode, certDir, caSecret, service, configuration string

	hosts                       []string
	caLifetime, servingLifetime time.Duration
	drain                       time.Duration
}

func newWebhookOptions() webhookOptions {
	return webhookOptions{
		bindAddress: ":9443", certMode: certNone, certDir: "/etc/clusterimport/webhook", caSecret: "clusterimport-webhook-ca",
		service: "clusterimport-webhook", configuration: "clusterimport",
		caLifetime: 365 * 24 * time.Hour, servingLifetime: 7 * 24 * time.Hour, drain: 5 * time.Second,
	}
}

func (o *webhookOptions) addFlags(fs *pflag.FlagSet) {
	fs.StringVar(&o.certMode, "webhook-cert-mode", o.certMode, "where the certificate of the admission webhook comes from: "+
		"Self (an authority that the replicas share in a Secret), Files (tls.crt and tls.key in --webhook-cert-dir), or None (there is no webhook)")
	fs.StringVar(&o.bindAddress, "webhook-bind-address", o.bindAddress, "address that serves the admission webhook, over HTTPS at "+webhook.Path)
	fs.StringVar(&o.configuration, "webhook-configuration-name", o.configuration, "name of the ValidatingWebhookConfiguration. "+
		"Self writes its caBundle; the process is not ready before it trusts the certificate. Empty, with Files only: it is not looked at")
	fs.StringVar(&o.service, "webhook-service", o.service, "[NAMESPACE/]NAME of the Service that leads to the webhook. "+
		"Self makes certificates for it and keeps its Secret in that namespace; without one it is that of the lease")
	fs.StringVar(&o.caSecret, "webhook-ca-secret", o.caSecret, "Self: name of the Secret with the authority")
	fs.StringVar(&o.certDir, "webhook-cert-dir", o.certDir, "Files: folder with tls.crt and tls.key; a change is noticed within 10 seconds")
	fs.StringSliceVar(&o.hosts, "webhook-extra-hosts", o.hosts, "Self: further DNS names and IP addresses that certificates are for")
	fs.DurationVar(&o.caLifetime, "webhook-ca-lifetime", o.caLifetime, "Self: how long an authority is valid; the next is made when a third is left")
	fs.DurationVar(&o.servingLifetime, "webhook-serving-lifetime", o.servingLifetime, "Self: how long a serving certificate is valid")
	fs.DurationVar(&o.drain, "webhook-drain", o.drain, "how long the webhook still answers after SIGTERM, until the API server has learned that this process goes")
}

func (o *webhookOptions) validate() error {
	var errs []error
	switch o.certMode {
	case certNone, certFiles:
	case certSelf:
		if o.configuration == "" {
			errs = append(errs, errors.New("--webhook-configuration-name is needed with --webhook-cert-mode=Self"))
		}
	default:
		errs = append(errs, fmt.Errorf("--webhook-cert-mode must be Self, Files or None, not %q", o.certMode))
	}
	if o.caLifetime < 10*time.Second || o.servingLifetime < 10*time.Second {
		errs = append(errs, errors.New("--webhook-ca-lifetime and --webhook-serving-lifetime must be at least 10s"))
	}
	return errors.Join(errs...)
}

// address splits the Service into its namespace and name.
func (o *webhookOptions) address(defaultNamespace string) (namespace, name string) {
	namespace, name, found := strings.Cut(o.service, "/")
	if !found {
		return defaultNamespace, o.service
	}
	return namespace, name
}

// certificateSource is where the webhook's certificate comes from.
type certificateSource interface {
	Run(ctx context.Context) error
	GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error)
	Ready() error
}

// certificateSource makes the source that the flags ask for.
func (o *webhookOptions) certificateSource(clients *kube.Clients, namespace string, registry *metrics.Registry) certificateSource {
	var configuration *certificates.Configuration
	if o.configuration != "" {
		configuration = certificates.NewConfiguration(clients.Kubernetes, o.configuration)
	}
	if o.certMode == certFiles {
		return &certificates.Files{Dir: o.certDir, Configuration: configuration, Clock: clock.RealClock{}, Expires: registry.CertificateExpires}
	}
	namespace, service := o.address(namespace)
	host := service + "." + namespace
	return certificates.NewSelf(certificates.SelfOptions{
		Secrets: clients.Kubernetes.CoreV1().Secrets(namespace), Secret: o.caSecret, Configuration: configuration,
		Hosts:      append([]string{host + ".svc", host + ".svc.cluster.local", host}, o.hosts...),
		CALifetime: o.caLifetime, ServingLifetime: o.servingLifetime, Clock: clock.RealClock{}, Expires: registry.CertificateExpires,
	})
}

// runWebhook serves the admission webhook, on every replica whether it leads or not.
func runWebhook(ctx context.Context, o *options, clients *kube.Clients, source certificateSource, registry *metrics.Registry) error {
	resources := kube.NewResources(clients.Kubernetes.Discovery(), time.Now)
	validator := &webhook.Validator{
		Resources: resources,
		Schemas:   kube.NewSchemas(openapi.ToClientWithContext(clients.Kubernetes.Discovery().OpenAPIV3()), resources, time.Now),
		Reviews:   clients.Kubernetes.AuthorizationV1().SelfSubjectAccessReviews(),
		Now:       time.Now,

		Namespaces: map[schema.GroupResource][]string{{Resource: "secrets"}: o.secretNamespaces},
	}
	server := &webhook.Server{
		Address: o.webhook.bindAddress, GetCertificate: source.GetCertificate, Drain: o.webhook.drain,
		Handler: webhook.NewHandler(validator.Validate, registry.ObserveWebhook, time.Now),
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return source.Run(ctx) })
	group.Go(func() error { return server.Run(ctx) })
	return group.Wait()
}

package certificates

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	client "k8s.io/client-go/kubernetes/typed/admissionregistration/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/watchlist"

	"github.com/clusterimport/clusterimport/internal/kube"
)

// fieldManager is who writes the CA bundle.
const fieldManager = "clusterimport-controller"

// Configuration is the ValidatingWebhookConfiguration that leads the API server here. It is watched by its name, so that
// rights on this one object are enough.
type Configuration struct {
	connection kubernetes.Interface
	client     client.ValidatingWebhookConfigurationInterface
	name       string
	last       atomic.Pointer[admissionregistrationv1.ValidatingWebhookConfiguration]
	// changed gets a token when the configuration has changed.
	changed chan struct{}
}

// NewConfiguration is the configuration of that name.
func NewConfiguration(c kubernetes.Interface, name string) *Configuration {
	return &Configuration{
		connection: c, client: c.AdmissionregistrationV1().ValidatingWebhookConfigurations(), name: name, changed: make(chan struct{}, 1),
	}
}

// run follows the configuration until the context ends.
func (c *Configuration) run(ctx context.Context) error {
	informer := kube.NewInformer(byName{c}, &admissionregistrationv1.ValidatingWebhookConfiguration{}, nil)
	tell := func(now *admissionregistrationv1.ValidatingWebhookConfiguration) {
		c.last.Store(now)
		select {
		case c.changed <- struct{}{}:
		default:
		}
	}
	_, err := informer.AddTypedEventHandler(cache.TypedResourceEventHandlerFuncs[*admissionregistrationv1.ValidatingWebhookConfiguration]{
		AddFunc:    tell,
		UpdateFunc: func(_, now *admissionregistrationv1.ValidatingWebhookConfiguration) { tell(now) },
		DeleteFunc: func(cache.DeletedObject[*admissionregistrationv1.ValidatingWebhookConfiguration]) { tell(nil) },
	})
	if err != nil {
		return err
	}
	informer.RunWithContext(ctx)
	return nil
}

// byName lists and watches one object.
type byName struct{ *Configuration }

// IsWatchListSemanticsUnSupported is what client-go asks of clients that are not connected to a server.
func (b byName) IsWatchListSemanticsUnSupported() bool {
	return watchlist.DoesClientNotSupportWatchListSemantics(b.connection)
}

func (b byName) selected(options metav1.ListOptions) metav1.ListOptions {
	options.FieldSelector = fields.OneTermEqualSelector("metadata.name", b.name).String()
	return options
}

// List implements the informer's client.
func (b byName) List(ctx context.Context, options metav1.ListOptions) (*admissionregistrationv1.ValidatingWebhookConfigurationList, error) {
	return b.client.List(ctx, b.selected(options))
}

// Watch implements the informer's client.
func (b byName) Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	return b.client.Watch(ctx, b.selected(options))
}

// has reports whether every webhook of the configuration has that bundle.
func (c *Configuration) has(bundle []byte) bool {
	live := c.last.Load()
	if live == nil || len(live.Webhooks) == 0 {
		return false
	}
	for _, w := range live.Webhooks {
		if !bytes.Equal(w.ClientConfig.CABundle, bundle) {
			return false
		}
	}
	return true
}

// inject writes the bundle, and nothing else, into every webhook. A chart that does not name caBundle does not contest it.
func (c *Configuration) inject(ctx context.Context, bundle []byte) error {
	live := c.last.Load()
	if live == nil {
		return fmt.Errorf("there is no ValidatingWebhookConfiguration %s", c.name)
	}
	type clientConfig struct {
		CABundle []byte `json:"caBundle"`
	}
	type webhook struct {
		Name         string       `json:"name"`
		ClientConfig clientConfig `json:"clientConfig"`
	}
	webhooks := make([]webhook, len(live.Webhooks))
	for i, w := range live.Webhooks {
		webhooks[i] = webhook{w.Name, clientConfig{bundle}}
	}
	document, err := json.Marshal(map[string]any{
		"apiVersion": admissionregistrationv1.SchemeGroupVersion.String(), "kind": "ValidatingWebhookConfiguration",
		"metadata": map[string]any{"name": c.name}, "webhooks": webhooks,
	})
	if err != nil {
		return err
	}
	_, err = c.client.Patch(ctx, c.name, types.ApplyPatchType, document, metav1.PatchOptions{FieldManager: fieldManager, Force: new(true)})
	return err
}

// trusts says why the API server does not trust a serving certificate; nil is that it does.
func (c *Configuration) trusts(serving *tls.Certificate, now time.Time) error {
	if serving == nil {
		return errors.New("there is no serving certificate yet")
	}
	live := c.last.Load()
	if live == nil {
		return fmt.Errorf("there is no ValidatingWebhookConfiguration %s", c.name)
	}
	for _, w := range live.Webhooks {
		roots, others := x509.NewCertPool(), x509.NewCertPool()
		if !roots.AppendCertsFromPEM(w.ClientConfig.CABundle) {
			return fmt.Errorf("the webhook %s has no caBundle yet", w.Name)
		}
		for _, der := range serving.Certificate[1:] {
			if c, err := x509.ParseCertificate(der); err == nil {
				others.AddCert(c)
			}
		}
		options := x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: now}
		if _, err := serving.Leaf.Verify(options); err != nil {
			return fmt.Errorf("the caBundle of the webhook %s does not trust the serving certificate: %w", w.Name, err)
		}
	}
	return nil
}

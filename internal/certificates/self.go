package certificates

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// SelfOptions are what a Self is made of.
type SelfOptions struct {
	// Secrets are those of the namespace of the authority's Secret.
	Secrets corev1client.SecretInterface
	// Secret is its name. It is made when it does not exist; what stands in it decides for all replicas.
	Secret        string
	Configuration *Configuration
	// Hosts are the names and addresses under which the API server reaches this process.
	Hosts []string
	// CALifetime and ServingLifetime are how long certificates are valid. They are renewed when a third is left.
	CALifetime, ServingLifetime time.Duration
	Clock                       clock.WithTicker
	// Expires is told until when a certificate ("ca", "serving") is valid, whenever it is another one.
	Expires func(kind string, at time.Time)
}

// Self serves a certificate that this process signs itself. All replicas share an authority, whose key is in one Secret;
// the serving certificate and its key never leave the process.
type Self struct {
	SelfOptions

	serving atomic.Pointer[tls.Certificate]
	// signer is the authority that signed what is served.
	signer *authority
}

// NewSelf makes a Self. It does nothing before Run.
func NewSelf(o SelfOptions) *Self { return &Self{SelfOptions: o} }

// retryAfter is how soon a pass that failed is tried again.
const retryAfter = time.Second

// every is how often it is looked for what time alone changes.
func (s *Self) every() time.Duration {
	return min(time.Minute, s.CALifetime/60, s.ServingLifetime/6)
}

// settle is how long a new authority is trusted before it signs.
func (s *Self) settle() time.Duration { return min(time.Minute, s.CALifetime/12) }

// Run keeps authority, certificate and configuration in step until the context ends. Every replica runs it: whoever
// comes first writes, and the others find it done.
func (s *Self) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watched := make(chan error, 1)
	go func() { watched <- s.Configuration.run(ctx) }()
	timer := s.Clock.NewTimer(0)
	defer timer.Stop()
	// Somebody else who writes another bundle again and again must not make this a busy loop.
	limit := flowcontrol.NewTokenBucketRateLimiter(1, 10)
	for {
		select {
		case err := <-watched:
			return err
		case <-s.Configuration.changed:
		case <-timer.C():
		}
		if limit.Wait(ctx) != nil {
			continue // the watch ends with the context
		}
		next := s.every()
		if err := s.pass(ctx); err != nil && ctx.Err() == nil {
			klog.V(1).InfoS("The webhook's certificates are not in order yet", "reason", err.Error())
			next = min(retryAfter, next)
		}
		timer.Reset(next)
	}
}

// pass looks once at everything. The Secret is read from the API server, not from a cache, so that no replica puts an
// older bundle over a newer one.
func (s *Self) pass(ctx context.Context) error {
	ring, err := s.keyring(ctx)
	if err != nil {
		return err
	}
	if err := s.sign(ring.current); err != nil {
		return err
	}
	data, err := ring.encode()
	if err != nil {
		return err
	}
	if bundle := data[keyBundle]; !s.Configuration.has(bundle) {
		if err := s.Configuration.inject(ctx, bundle); err != nil {
			return fmt.Errorf("cannot write the CA bundle into the ValidatingWebhookConfiguration: %w", err)
		}
	}
	return nil
}

// keyring reads the Secret and takes its content as far as it should be.
func (s *Self) keyring(ctx context.Context) (*keyring, error) {
	secret, err := s.Secrets.Get(ctx, s.Secret, metav1.GetOptions{})
	absent := apierrors.IsNotFound(err)
	if err != nil && !absent {
		return nil, fmt.Errorf("cannot read the Secret %s: %w", s.Secret, err)
	}
	if absent {
		secret = &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: s.Secret}}
	}
	ring, err := decodeKeyring(secret.Data)
	if err != nil {
		return nil, fmt.Errorf("the Secret %s does not hold an authority: %w; delete it to have one made", s.Secret, err)
	}
	trusted := ring.next != nil && s.Configuration.has(secret.Data[keyBundle])
	changed, err := ring.advance(s.Clock.Now(), schedule{s.CALifetime, s.settle()}, trusted)
	if err != nil || !changed {
		return ring, err
	}
	if secret.Data, err = ring.encode(); err != nil {
		return nil, err
	}
	if absent {
		_, err = s.Secrets.Create(ctx, secret, metav1.CreateOptions{FieldManager: fieldManager})
	} else {
		// The resourceVersion that was read makes the first writer win.
		_, err = s.Secrets.Update(ctx, secret, metav1.UpdateOptions{FieldManager: fieldManager})
	}
	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return nil, errors.New("another replica was first")
	case err != nil:
		return nil, fmt.Errorf("cannot write the Secret %s: %s", s.Secret, apierrors.ReasonForError(err))
	}
	klog.InfoS("Changed the webhook's authority", "secret", s.Secret, "trusted", len(ring.bundle), "pending", ring.next != nil)
	return ring, nil
}

// sign makes a serving certificate when there is none by that authority, or when it is due.
func (s *Self) sign(by *authority) error {
	now := s.Clock.Now()
	if serving := s.serving.Load(); serving != nil && s.signer.certificate.Equal(by.certificate) {
		due := serving.Leaf.NotAfter.Add(-s.ServingLifetime / 3)
		if now.Before(due) || serving.Leaf.NotAfter.Equal(by.certificate.NotAfter) {
			return nil
		}
	}
	serving, err := by.issue(now, s.ServingLifetime, s.Hosts)
	if err != nil {
		return fmt.Errorf("cannot make a serving certificate: %w", err)
	}
	s.serving.Store(serving)
	s.signer = by
	s.Expires("ca", by.certificate.NotAfter)
	s.Expires("serving", serving.Leaf.NotAfter)
	return nil
}

// GetCertificate is for tls.Config.
func (s *Self) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if serving := s.serving.Load(); serving != nil {
		return serving, nil
	}
	return nil, errors.New("there is no serving certificate yet")
}

// Ready says what is missing before the API server can call; nil is that nothing is.
func (s *Self) Ready() error { return s.Configuration.trusts(s.serving.Load(), s.Clock.Now()) }

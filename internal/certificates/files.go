// Package certificates gives the webhook a serving certificate, and the API server what to trust it by.
//
// It owns the authority that replicas share, its rotation, and the caBundle of one ValidatingWebhookConfiguration. It
// does not listen and knows nothing of admission.
package certificates

import (
	"context"
	"crypto/tls"
	"errors"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

// Files serves the certificate of a folder that somebody else keeps, as the volume of a Secret is.
type Files struct {
	// Dir holds tls.crt and tls.key.
	Dir string
	// Configuration is what has to trust the certificate before this process is ready; nil is not asked.
	Configuration *Configuration
	Clock         clock.WithTicker
	// Expires is told until when the certificate ("serving") is valid, whenever it is another one.
	Expires func(kind string, at time.Time)

	serving atomic.Pointer[tls.Certificate]
}

// reread is how often the files are read. The kubelet takes about a minute to write them anyway.
const reread = 10 * time.Second

// Run reads the files until the context ends. While they cannot be read, what was read before is served.
func (f *Files) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if f.Configuration != nil {
		group.Go(func() error { return f.Configuration.run(ctx) })
	}
	group.Go(func() error { f.follow(ctx); return nil })
	return group.Wait()
}

func (f *Files) follow(ctx context.Context) {
	ticker := f.Clock.NewTicker(reread)
	defer ticker.Stop()
	for {
		if err := f.read(); err != nil {
			klog.ErrorS(nil, "Cannot read the webhook's certificate", "dir", f.Dir, "reason", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

func (f *Files) read() error {
	pair, err := tls.LoadX509KeyPair(filepath.Join(f.Dir, corev1.TLSCertKey), filepath.Join(f.Dir, corev1.TLSPrivateKeyKey))
	if err != nil {
		return err
	}
	if before := f.serving.Load(); before != nil && before.Leaf.Equal(pair.Leaf) {
		return nil
	}
	f.serving.Store(&pair)
	f.Expires("serving", pair.Leaf.NotAfter)
	klog.InfoS("Read the webhook's certificate", "dir", f.Dir, "validUntil", pair.Leaf.NotAfter)
	return nil
}

// GetCertificate is for tls.Config.
func (f *Files) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if serving := f.serving.Load(); serving != nil {
		return serving, nil
	}
	return nil, errors.New("there is no serving certificate yet")
}

// Ready says what is missing before the API server can call; nil is that nothing is.
func (f *Files) Ready() error {
	if f.Configuration != nil {
		return f.Configuration.trusts(f.serving.Load(), f.Clock.Now())
	}
	_, err := f.GetCertificate(nil)
	return err
}

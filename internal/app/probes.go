package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"

	"github.com/clusterimport/clusterimport/internal/kube"
)

// probes answer whether the process is alive, and whether it does its part: a leader whose caches are synced,
// or a replica that stands by, and with a webhook that the API server can call.
type probes struct {
	synced  <-chan struct{}
	elects  bool
	leading atomic.Bool
	// webhook says why the API server cannot call the webhook; nil when there is no webhook.
	webhook func() error

	mu sync.Mutex
	// mismatches are sentences about the cluster's definitions, by their names.
	mismatches map[string]string
}

func newProbes(synced <-chan struct{}, elects bool) *probes {
	return &probes{synced: synced, elects: elects, mismatches: map[string]string{}}
}

// lead says that this process leads now.
func (p *probes) lead() { p.leading.Store(true) }

// compared says how a definition of the cluster differs from the built-in one; empty is not at all. It is logged when
// it is news.
func (p *probes) compared(name, mismatch string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if before := p.mismatches[name]; mismatch != before && mismatch != "" {
		klog.ErrorS(nil, "A CustomResourceDefinition is not the one that this release was made for; clusterimport crds apply adds what it lacks",
			"name", name, "mismatch", mismatch)
	}
	p.mismatches[name] = mismatch
}

func (p *probes) ready() error {
	if p.webhook != nil {
		if err := p.webhook(); err != nil {
			return fmt.Errorf("the webhook cannot be called: %w", err)
		}
	}
	if p.elects && !p.leading.Load() {
		return nil
	}
	select {
	case <-p.synced:
		return nil
	default:
		return errors.New("the caches are not synced")
	}
}

// serveReady answers ok, and what is not as it should be in further lines: a replica is of use with fewer fields.
func (p *probes) serveReady(w http.ResponseWriter, _ *http.Request) {
	if err := p.ready(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	serveOK(w, nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(p.mismatches)) {
		if mismatch := p.mismatches[name]; mismatch != "" {
			_, _ = fmt.Fprintln(w, "warning:", mismatch)
		}
	}
}

func serveOK(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) }

// handler answers probes and, if it is to do that here, scrapes.
func (p *probes) handler(metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", serveOK)
	mux.HandleFunc("GET /readyz", p.serveReady)
	if metrics != nil {
		mux.Handle("GET /metrics", metrics)
	}
	return mux
}

// listener is an address, and what answers there.
type listener struct {
	address string
	handler http.Handler
	// secured is how to speak HTTPS; nil is HTTP.
	secured *tls.Config
}

// listeners answer probes and scrapes, at one address or, when metrics are secured, at two.
func (o *options) listeners(clients *kube.Clients, p *probes, metrics http.Handler) ([]listener, error) {
	if !o.metricsSecure {
		return []listener{{address: o.bindAddress, handler: p.handler(metrics)}}, nil
	}
	secured, err := metricsTLS(o.metricsCertDir)
	if err != nil {
		return nil, fmt.Errorf("cannot serve metrics securely: %w", err)
	}
	guarded := http.NewServeMux()
	guarded.Handle("GET /metrics", newGuard(clients, metrics))
	return []listener{{address: o.bindAddress, handler: p.handler(nil)}, {o.metricsAddress, guarded, secured}}, nil
}

// serve listens until the context ends.
func (l listener) serve(ctx context.Context) error {
	server := &http.Server{Addr: l.address, Handler: l.handler, TLSConfig: l.secured, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			klog.ErrorS(err, "Cannot stop listening in time")
		}
	})
	defer stop()
	listen := server.ListenAndServe
	if l.secured != nil {
		listen = func() error { return server.ListenAndServeTLS("", "") }
	}
	if err := listen(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

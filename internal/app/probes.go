package app

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"k8s.io/klog/v2"
)

// probes answer whether the process is alive, and whether it does its part: a leader whose caches are synced,
// or a replica that stands by.
type probes struct {
	synced  <-chan struct{}
	elects  bool
	leading atomic.Bool
}

func newProbes(synced <-chan struct{}, elects bool) *probes {
	return &probes{synced: synced, elects: elects}
}

// lead says that this process leads now.
func (p *probes) lead() { p.leading.Store(true) }

func (p *probes) ready() bool {
	if p.elects && !p.leading.Load() {
		return true
	}
	select {
	case <-p.synced:
		return true
	default:
		return false
	}
}

func (p *probes) serveReady(w http.ResponseWriter, _ *http.Request) {
	if !p.ready() {
		http.Error(w, "the caches are not synced", http.StatusServiceUnavailable)
		return
	}
	serveOK(w, nil)
}

func serveOK(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) }

// serve listens for probes and scrapes until the context ends.
func serve(ctx context.Context, address string, p *probes, metrics http.Handler) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", serveOK)
	mux.HandleFunc("GET /readyz", p.serveReady)
	mux.Handle("GET /metrics", metrics)
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			klog.ErrorS(err, "Cannot stop listening in time")
		}
	})
	defer stop()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

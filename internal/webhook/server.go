package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"log"
	"net/http"
	"time"

	"k8s.io/klog/v2"
)

// Server is the listener for the API server's questions.
type Server struct {
	Address string
	// GetCertificate is asked at every handshake, so that a new certificate needs no restart.
	GetCertificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	Handler        http.Handler
	// Drain is how long questions are still answered after the end was asked for: API servers learn from the Service's
	// endpoints, after a moment, that this process goes.
	Drain time.Duration
}

// Run serves until the context ends, and then for as long as Drain says.
func (s *Server) Run(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("POST "+Path, s.Handler)
	server := &http.Server{
		Addr: s.Address, Handler: mux,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.GetCertificate},
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 45 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10,
		ErrorLog:       log.New(handshakes{}, "", 0),
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		time.Sleep(s.Drain)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			klog.ErrorS(err, "Cannot stop the webhook in time")
		}
	})
	err := server.ListenAndServeTLS("", "")
	if stop() {
		return err // it ended by itself
	}
	<-ended
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// handshakes logs what net/http says of connections, which is mostly that somebody else's failed.
type handshakes struct{}

func (handshakes) Write(line []byte) (int, error) {
	klog.V(4).InfoS("The webhook's listener says", "message", string(line))
	return len(line), nil
}

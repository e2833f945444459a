package webhook

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/cert"
)

// newPair is a serving certificate for 127.0.0.1.
func newPair(t *testing.T) *tls.Certificate {
	t.Helper()
	certificate, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	return &pair
}

// TestServer: it speaks TLS 1.2 and newer with the certificate of the moment, takes questions at one path only, and still
// answers for a moment when it is told to end.
func TestServer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	var pair atomic.Pointer[tls.Certificate]
	pair.Store(newPair(t))
	draining := make(chan struct{})
	s := &Server{
		Address: address, Drain: 300 * time.Millisecond,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.Load(), nil },
		Handler:        http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("answer")) }),
	}
	ctx, stop := context.WithCancel(t.Context())
	context.AfterFunc(ctx, func() { close(draining) })
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()

	// ask asks over a connection of its own, and returns the status and the serial number of the certificate.
	ask := func(method, path string, newest uint16) (string, error) {
		transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MaxVersion: newest}, DisableKeepAlives: true}
		request, err := http.NewRequestWithContext(t.Context(), method, "https://"+address+path, http.NoBody)
		if err != nil {
			return "", err
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			return "", err
		}
		return fmt.Sprint(response.StatusCode, " ", response.TLS.PeerCertificates[0].SerialNumber), response.Body.Close()
	}
	want := "200 " + pair.Load().Leaf.SerialNumber.String()
	var answer string
	if wait.PollUntilContextTimeout(t.Context(), 5*time.Millisecond, 10*time.Second, true, func(context.Context) (bool, error) {
		answer, err = ask(http.MethodPost, Path, 0)
		return answer == want, nil
	}) != nil {
		t.Fatalf("got %s, %v", answer, err)
	}
	if got, err := ask(http.MethodPost, Path, tls.VersionTLS12); got != want {
		t.Errorf("TLS 1.2: %s, %v", got, err)
	}
	if _, err := ask(http.MethodPost, Path, tls.VersionTLS11); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	for method, path := range map[string]string{http.MethodGet: Path, http.MethodPost: "/other"} {
		if got, _ := ask(method, path, 0); !strings.HasPrefix(got, "40") {
			t.Errorf("%s %s: %s", method, path, got)
		}
	}
	pair.Store(newPair(t))
	if got, err := ask(http.MethodPost, Path, 0); got != "200 "+pair.Load().Leaf.SerialNumber.String() {
		t.Errorf("a new certificate: %s, %v", got, err)
	}
	stop()
	<-draining
	if got, err := ask(http.MethodPost, Path, 0); !strings.HasPrefix(got, "200") {
		t.Errorf("while it drains: %s, %v", got, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, err := ask(http.MethodPost, Path, 0); err == nil {
		t.Error("it answers when it has ended")
	}
}

// TestServerCannotListen: an address that is taken ends the process.
func TestServerCannotListen(t *testing.T) {
	s := &Server{Address: "256.256.256.256:1", Handler: http.NotFoundHandler(), GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return newPair(t), nil }}
	if err := s.Run(t.Context()); err == nil {
		t.Error("it ends without an error")
	}
}

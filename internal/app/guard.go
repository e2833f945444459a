package app

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/client-go/util/cert"
	"k8s.io/klog/v2"

	"github.com/clusterimport/clusterimport/internal/kube"
)

// guard lets those read metrics whom the API server knows by their token and allows to get the path: who has a
// ClusterRole with nonResourceURLs ["/metrics"]. It is what k8s.io/apiserver's delegating handlers do, without the
// hundreds of packages that they bring.
type guard struct {
	tokens  creator[*authenticationv1.TokenReview]
	access  creator[*authorizationv1.SubjectAccessReview]
	answers *cache.Expiring
	next    http.Handler
}

// creator is the part of a client that asks for a review.
type creator[T any] interface {
	Create(ctx context.Context, review T, options metav1.CreateOptions) (T, error)
}

// How long an answer of the API server is remembered. Scrapes come every few seconds.
const (
	allowedFor = time.Minute
	refusedFor = 10 * time.Second
)

// maxToken is more than any token is long.
const maxToken = 64 << 10

func newGuard(clients *kube.Clients, next http.Handler) *guard {
	return &guard{
		tokens: clients.Kubernetes.AuthenticationV1().TokenReviews(), access: clients.Kubernetes.AuthorizationV1().SubjectAccessReviews(),
		answers: cache.NewExpiring(), next: next,
	}
}

// ServeHTTP implements http.Handler.
func (g *guard) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	token, ok := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" || len(token) > maxToken {
		http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
		return
	}
	status, err := g.decide(request.Context(), token, request.URL.Path, strings.ToLower(request.Method))
	switch {
	case err != nil:
		klog.ErrorS(nil, "Cannot ask the API server who may read metrics", "reason", kube.Explain(err))
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	case status != http.StatusOK:
		http.Error(w, http.StatusText(status), status)
	default:
		g.next.ServeHTTP(w, request)
	}
}

// question is what an answer is remembered for. The token itself is not kept.
type question struct {
	token      [sha256.Size]byte
	path, verb string
}

// decide returns 200, 401 or 403.
func (g *guard) decide(ctx context.Context, token, path, verb string) (int, error) {
	key := question{sha256.Sum256([]byte(token)), path, verb}
	if known, ok := g.answers.Get(key); ok {
		if status, ok := known.(int); ok {
			return status, nil
		}
	}
	status, err := g.ask(ctx, token, path, verb)
	if err != nil {
		return 0, err
	}
	remember := refusedFor
	if status == http.StatusOK {
		remember = allowedFor
	}
	g.answers.Set(key, status, remember)
	return status, nil
}

func (g *guard) ask(ctx context.Context, token, path, verb string) (int, error) {
	who, err := g.tokens.Create(ctx, &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
	if err != nil {
		return 0, err
	}
	if !who.Status.Authenticated {
		return http.StatusUnauthorized, nil
	}
	user := who.Status.User
	extra := map[string]authorizationv1.ExtraValue{}
	for name, values := range user.Extra {
		extra[name] = authorizationv1.ExtraValue(values)
	}
	may, err := g.access.Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: user.Username, Groups: user.Groups, UID: user.UID, Extra: extra,
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Path: path, Verb: verb},
	}}, metav1.CreateOptions{})
	if err != nil {
		return 0, err
	}
	if !may.Status.Allowed {
		return http.StatusForbidden, nil
	}
	return http.StatusOK, nil
}

// metricsTLS is how metrics are served securely: with tls.crt and tls.key of a folder, which are read for each
// connection, as somebody may renew them; without a folder, with a certificate that this process signs itself.
func metricsTLS(dir string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if dir != "" {
		load := func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"))
			return &pair, err
		}
		if _, err := load(nil); err != nil {
			return nil, err
		}
		config.GetCertificate = load
		return config, nil
	}
	hostname, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	crt, key, err := cert.GenerateSelfSignedCertKey(hostname, []net.IP{net.IPv4(127, 0, 0, 1)}, []string{"localhost"})
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(crt, key)
	config.Certificates = []tls.Certificate{pair}
	return config, err
}

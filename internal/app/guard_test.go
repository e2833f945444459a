package app

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/client-go/util/cert"
)

// reviews answers as an API server would.
type reviews[T any] struct {
	answer func(T) (T, error)
	asked  int
}

func (r *reviews[T]) Create(_ context.Context, review T, _ metav1.CreateOptions) (T, error) {
	r.asked++
	return r.answer(review)
}

// guarded knows the tokens "scraper", who may read /metrics, and "other", who may not.
func guarded() (*guard, *reviews[*authenticationv1.TokenReview]) {
	tokens := &reviews[*authenticationv1.TokenReview]{answer: func(r *authenticationv1.TokenReview) (*authenticationv1.TokenReview, error) {
		if r.Spec.Token == "broken" {
			return nil, errors.New("the server is gone")
		}
		r.Status.Authenticated = r.Spec.Token == "scraper" || r.Spec.Token == "other"
		r.Status.User = authenticationv1.UserInfo{Username: r.Spec.Token, Groups: []string{"g"}, Extra: map[string]authenticationv1.ExtraValue{"k": {"v"}}}
		return r, nil
	}}
	access := &reviews[*authorizationv1.SubjectAccessReview]{answer: func(r *authorizationv1.SubjectAccessReview) (*authorizationv1.SubjectAccessReview, error) {
		s := r.Spec
		r.Status.Allowed = s.User == "scraper" && s.Groups[0] == "g" && s.Extra["k"][0] == "v" &&
			s.NonResourceAttributes.Path == "/metrics" && s.NonResourceAttributes.Verb == "get"
		return r, nil
	}}
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("metrics")) })
	return &guard{tokens: tokens, access: access, answers: cache.NewExpiring(), next: next}, tokens
}

func TestGuard(t *testing.T) {
	cases := map[string]struct {
		reason, authorization string
		path                  string
		want                  int
	}{
		"Allowed":   {"who may read metrics reads them", "Bearer scraper", "/metrics", http.StatusOK},
		"Refused":   {"another user does not", "Bearer other", "/metrics", http.StatusForbidden},
		"OtherPath": {"the permission is for the path", "Bearer scraper", "/metrics/more", http.StatusForbidden},
		"Unknown":   {"nor does a token that is none", "Bearer nobody", "/metrics", http.StatusUnauthorized},
		"Anonymous": {"nor somebody without a token", "", "/metrics", http.StatusUnauthorized},
		"Basic":     {"nor with a password", "Basic c2NyYXBlcg==", "/metrics", http.StatusUnauthorized},
		"Huge":      {"a token of any length is not sent on", "Bearer " + strings.Repeat("x", maxToken+1), "/metrics", http.StatusUnauthorized},
		"Failure":   {"without an answer nobody reads", "Bearer broken", "/metrics", http.StatusInternalServerError},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			g, tokens := guarded()
			for range 2 {
				request := httptest.NewRequest(http.MethodGet, tc.path, http.NoBody)
				request.Header.Set("Authorization", tc.authorization)
				answer := httptest.NewRecorder()
				g.ServeHTTP(answer, request)
				if answer.Code != tc.want || (answer.Body.String() == "metrics") != (tc.want == http.StatusOK) {
					t.Errorf("%s: %d %s", tc.reason, answer.Code, answer.Body)
				}
			}
			if tokens.asked > 1 && tc.want != http.StatusInternalServerError {
				t.Errorf("the API server is asked %d times for one token", tokens.asked)
			}
		})
	}
}

func TestMetricsTLS(t *testing.T) {
	dir := t.TempDir()
	if _, err := metricsTLS(dir); err == nil {
		t.Error("a folder without a certificate is accepted")
	}
	write := func(host string) {
		crt, key, err := cert.GenerateSelfSignedCertKey(host, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{"tls.crt": crt, "tls.key": key} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	write("first")
	for _, tc := range []struct {
		dir, renewed, want string
	}{{dir, "", "first"}, {dir, "second", "second"}, {"", "", "localhost"}} {
		if tc.renewed != "" {
			write(tc.renewed)
		}
		config, err := metricsTLS(tc.dir)
		if err != nil {
			t.Fatal(err)
		}
		var served *tls.Certificate
		if config.GetCertificate != nil {
			served, err = config.GetCertificate(nil)
		} else {
			served = &config.Certificates[0]
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := served.Leaf.VerifyHostname(tc.want); err != nil {
			t.Errorf("%q: %v", tc.dir, err)
		}
	}
}

package e2e_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterimport/clusterimport/test/e2e/testbed"
)

// TestSecureMetrics: with --metrics-secure the API server says who may read metrics, and nobody finds them elsewhere.
func TestSecureMetrics(t *testing.T) {
	f := newFixture(t)
	f.ApplyText(`
apiVersion: v1
kind: ServiceAccount
metadata: {name: scraper, namespace: default}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: stranger, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: metrics-reader}
rules: [{nonResourceURLs: [/metrics], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: metrics-reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: metrics-reader}
subjects: [{kind: ServiceAccount, name: scraper, namespace: default}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: clusterimport-auth-delegator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:auth-delegator}
subjects: [{kind: ServiceAccount, name: clusterimport, namespace: clusterimport-system}]
`)
	plain, secure := testbed.FreeAddress(t), testbed.FreeAddress(t)
	startController(t, "--bind-address", plain, "--metrics-secure", "--metrics-bind-address", secure)
	config, err := plane.Config()
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	token := func(account string) string {
		request, err := client.CoreV1().ServiceAccounts("default").CreateToken(t.Context(), account,
			&authenticationv1.TokenRequest{}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return request.Status.Token
	}
	https := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	cases := []struct {
		reason, url, token string
		want               int
	}{
		{"who may read metrics reads them", "https://" + secure + "/metrics", token("scraper"), http.StatusOK},
		{"who may not is refused", "https://" + secure + "/metrics", token("stranger"), http.StatusForbidden},
		{"a token that is none is refused", "https://" + secure + "/metrics", "nonsense", http.StatusUnauthorized},
		{"so is nobody", "https://" + secure + "/metrics", "", http.StatusUnauthorized},
		{"metrics are not served elsewhere", "http://" + plain + "/metrics", token("scraper"), http.StatusNotFound},
		{"probes need no token", "http://" + plain + "/healthz", "", http.StatusOK},
	}
	for _, tc := range cases {
		f.eventually(soon, func(ctx context.Context) error {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, tc.url, http.NoBody)
			if err != nil {
				return err
			}
			if tc.token != "" {
				request.Header.Set("Authorization", "Bearer "+tc.token)
			}
			response, err := https.Do(request)
			if err != nil {
				return err
			}
			defer func() { _ = response.Body.Close() }()
			if response.StatusCode != tc.want {
				return fmt.Errorf("%s: %s", tc.reason, response.Status)
			}
			return nil
		})
	}
}

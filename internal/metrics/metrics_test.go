package metrics

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// TestNames holds all metrics against Prometheus' rules for names and helps.
func TestNames(t *testing.T) {
	r := NewRegistry()
	r.Observe("policy", time.Second, errors.New("no"))
	r.ObserveWebhook("clusterimportpolicies", "CREATE", false, time.Second)
	r.CertificateExpires("ca", time.Unix(7, 0))
	r.DefinitionCompared("a", true)
	r.DefinitionCompared("b", false)
	r.WebhookTrusted(func() error { return errors.New("not yet") })
	problems, err := testutil.GatherAndLint(r.registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
	answer := httptest.NewRecorder()
	r.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", http.NoBody))
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`clusterimport_reconcile_total{controller="policy",result="error"} 1`,
		`clusterimport_webhook_requests_total{allowed="false",operation="CREATE",resource="clusterimportpolicies"} 1`,
		`clusterimport_webhook_certificate_expiration_timestamp_seconds{kind="ca"} 7`, `clusterimport_webhook_ca_injected 0`,
		`clusterimport_crd_schema_mismatch{crd="a"} 0`, `clusterimport_crd_schema_mismatch{crd="b"} 1`,
	} {
		if !strings.Contains(string(body), line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
}

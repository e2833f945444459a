package chart_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
)

// caBundle is what the API server trusts the webhook by.
func (s *stage) caBundle() string {
	s.t.Helper()
	webhooks, _ := nested(s.t, s.get(configurations, release), "webhooks").([]any)
	webhook, _ := webhooks[0].(map[string]any)
	text, _, err := unstructured.NestedString(webhook, "clientConfig", "caBundle")
	if err != nil {
		s.t.Fatal(err)
	}
	return text
}

// TestInstallWebhook: the API server asks the webhook by its Service, as it is rendered: a typo is refused with a caret
// below it. Upgrades, with either Helm, keep the CA bundle that the controller wrote.
func TestInstallWebhook(t *testing.T) {
	for version, variable := range helms {
		t.Run(version, func(t *testing.T) {
			s := newStage(t, variable)
			s.must(installArgs...)
			before := s.caBundle()
			if before == "" {
				t.Fatal("the release is ready without a CA bundle")
			}
			definition, err := cluster.CAPIDefinition(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			s.ApplyText(string(definition))
			s.refuses()
			s.must(append(upgradeArgs, "--set", "replicas=3,webhook.timeoutSeconds=7")...)
			if after := s.caBundle(); after != before {
				t.Errorf("an upgrade has made of the CA bundle %q", after)
			}
			s.refuses()
			s.must(uninstallArgs...)
			if names := s.names(configurations); len(names) > 0 {
				t.Errorf("the webhook is still configured: %q", names)
			}
			// Nobody is asked any more.
			if err := s.check(t.Context(), ownPolicy("typo", typo)); err != nil {
				t.Error(err)
			}
		})
	}
}

// The conditions of policies that read a field of a Cluster which its definition has, and one that it has not.
const (
	sound = "source.?status.?conditions.orValue([]).size() > 0"
	typo  = "source.?status.?conditionz.orValue([]).size() > 0"
)

// refuses: a policy with a typo in a field of the Cluster API is refused, and one without is taken.
func (s *stage) refuses() {
	s.t.Helper()
	var refusal error
	s.eventually(func(ctx context.Context) error { // the API server takes some seconds to describe what is new
		refusal = s.check(ctx, ownPolicy("typo", typo))
		switch {
		case refusal == nil:
			return errors.New("the typo is taken")
		case strings.Contains(refusal.Error(), "failed calling webhook"):
			s.t.Log(refusal)
			return refusal
		}
		return nil
	})
	lines := strings.Split(refusal.Error(), "\n")
	at := slices.IndexFunc(lines, func(line string) bool { return strings.HasSuffix(line, typo) })
	if !strings.Contains(refusal.Error(), `admission webhook "policies.clusterimport.io" denied the request`) ||
		!strings.Contains(refusal.Error(), "undefined field 'conditionz'") || at < 0 || at+1 == len(lines) {
		s.t.Fatalf("the refusal is %v", refusal)
	}
	if caret, word := strings.Index(lines[at+1], "^"), strings.Index(lines[at], "conditionz"); caret != word {
		s.t.Errorf("the caret stands at %d, not at %d:\n%v", caret, word, refusal)
	}
	s.ApplyText(ownPolicy("sound", sound))
}

// check lets the API server check an object, and whom it asks.
func (s *stage) check(ctx context.Context, document string) error {
	s.t.Helper()
	list, err := cluster.Decode([]byte(document))
	if err != nil {
		s.t.Fatal(err)
	}
	return s.Check(ctx, list[0])
}

// ownPolicy is a user's policy for Clusters that imports none.
func ownPolicy(name, condition string) string {
	return fmt.Sprintf(`
apiVersion: policy.clusterpedia.io/v1alpha1
kind: ClusterImportPolicy
metadata: {name: %s}
spec:
  source: {group: cluster.x-k8s.io, resource: clusters, selectorTemplate: "false"}
  nameTemplate: "%s-${source.metadata.name}"
  template: "spec: {apiserver: 'https://x', syncResources: []}"
  creationCondition: |
    %s
`, name, name, condition)
}

// TestInstallDeadWebhook: while no replica answers, a release installs with its policies all the same, and nothing is
// refused but new specs of our own kind.
func TestInstallDeadWebhook(t *testing.T) {
	s := newStage(t, "HELM4_BIN")
	s.must("install", release, chartDir, "--timeout", "120s", "--set", "extraArgs={--no-such-flag}")
	for _, name := range []string{"cluster-api", "karmada", "vcluster"} {
		if !s.isBundled(name) {
			t.Errorf("the bundled policy %s is not there", name)
		}
	}
	err := s.check(t.Context(), ownPolicy("refused", sound))
	if err == nil || !strings.Contains(err.Error(), "failed calling webhook") {
		t.Errorf("a policy is taken unseen: %v", err)
	}
	allowed := map[string]func() error{
		"another kind": func() error {
			return s.Apply(t.Context(), []byte("{apiVersion: v1, kind: ConfigMap, metadata: {name: any, namespace: default}}"))
		},
		"a label": func() error {
			return s.patch(policies, "karmada", `{"metadata":{"labels":{"a":"b"}}}`)
		},
		"a finalizer": func() error {
			return errors.Join(s.patch(policies, "karmada", `{"metadata":{"finalizers":["example.com/f"]}}`),
				s.patch(policies, "karmada", `{"metadata":{"finalizers":null}}`))
		},
		"a status": func() error {
			_, err := s.Dynamic.Resource(policies).Patch(t.Context(), "karmada", types.MergePatchType,
				[]byte(`{"status":{"observedGeneration":1}}`), metav1.PatchOptions{}, "status")
			return err
		},
		"a lifecycle": func() error {
			return s.Apply(t.Context(), []byte(`
apiVersion: policy.clusterpedia.io/v1alpha1
kind: PediaClusterLifecycle
metadata: {name: any}
spec: {source: {group: "", version: v1, resource: secrets, name: a, namespace: b}, template: "spec: {}", creationCondition: "true"}
`))
		},
		"a deletion": func() error {
			return s.Dynamic.Resource(policies).Delete(t.Context(), "karmada", metav1.DeleteOptions{})
		},
		"an upgrade": func() error {
			_, err := s.run("upgrade", release, chartDir, "--timeout", "120s", "--set", "extraArgs={--no-such-flag}")
			return err
		},
	}
	for _, what := range []string{"another kind", "a label", "a finalizer", "a status", "a lifecycle", "a deletion", "an upgrade"} {
		if err := allowed[what](); err != nil {
			t.Errorf("%s is refused: %v", what, err)
		}
	}
	s.must("upgrade", release, chartDir, "--wait", "--timeout", "120s", "--reset-values")
	s.ApplyText(ownPolicy("taken", sound))
}

func (s *stage) patch(resource schema.GroupVersionResource, name, patch string) error {
	_, err := s.Dynamic.Resource(resource).Patch(s.t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	return err
}

// TestInstallExistingCertificate: with a Secret of one's own the Pods serve its certificate, and are ready as soon as the
// API server trusts it.
func TestInstallExistingCertificate(t *testing.T) {
	s := newStage(t, "HELM4_BIN")
	certificate, key, ca := newCertificate(t, release+"-webhook."+namespace+".svc")
	s.ApplyText(fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata: {name: own, namespace: %s}
type: kubernetes.io/tls
data: {tls.crt: %s, tls.key: %s}
`, namespace, certificate, key))
	s.must("install", release, chartDir, "--set", "webhook.certificates.mode=existing,webhook.certificates.secretName=own")
	if s.caBundle() != "" {
		t.Error("somebody has written a CA bundle")
	}
	bundle := fmt.Sprintf(`{"webhooks":[{"name":"policies.clusterimport.io","clientConfig":{"caBundle":%q}}]}`, ca)
	_, err := s.Dynamic.Resource(configurations).Patch(t.Context(), release, types.StrategicMergePatchType, []byte(bundle), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.must(append(upgradeArgs, "--reuse-values")...)
	if s.caBundle() != ca {
		t.Error("the upgrade has changed the CA bundle")
	}
	if err := s.check(t.Context(), ownPolicy("refused", "source.")); err == nil || !strings.Contains(err.Error(), "denied the request") {
		t.Errorf("the webhook does not answer: %v", err)
	}
}

// newCertificate makes a CA and a serving certificate for host, each as base64 of PEM.
func newCertificate(t *testing.T, host string) (certificate, key, ca string) {
	t.Helper()
	now := time.Now()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "own"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authorityKey := newKey(t)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{host}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafKey := newKey(t)
	encode := func(kind string, der []byte, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	der, err := x509.CreateCertificate(rand.Reader, authority, authority, authorityKey.Public(), authorityKey)
	ca = encode("CERTIFICATE", der, err)
	der, err = x509.CreateCertificate(rand.Reader, leaf, authority, leafKey.Public(), authorityKey)
	certificate = encode("CERTIFICATE", der, err)
	der, err = x509.MarshalECPrivateKey(leafKey)
	return certificate, encode("EC PRIVATE KEY", der, err), ca
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

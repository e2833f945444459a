package certificates

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/util/cert"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)

// yearly is the schedule of the defaults.
var yearly = schedule{lifetime: 360 * 24 * time.Hour, settle: time.Minute}

// reopened is what the next reader of the Secret finds.
func reopened(t *testing.T, k *keyring) *keyring {
	t.Helper()
	data, err := k.encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := decodeKeyring(data)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// serves reports whether what the authority signs now is trusted by the bundle.
func serves(t *testing.T, by *authority, bundle []*x509.Certificate, now time.Time) error {
	t.Helper()
	leaf, err := by.issue(now, time.Hour, []string{"webhook.ns.svc", "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	for _, c := range bundle {
		roots.AddCert(c)
	}
	for _, host := range []string{"webhook.ns.svc", "127.0.0.1"} {
		if _, err := leaf.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, DNSName: host}); err != nil {
			return err
		}
	}
	return nil
}

// TestRotation follows an authority from the first to its successor.
func TestRotation(t *testing.T) {
	const day = 24 * time.Hour
	k := &keyring{}
	var first, second *authority
	steps := []struct {
		reason  string
		at      time.Duration
		trusted bool
		changed bool
		check   func() bool
	}{
		{"nothing becomes an authority", 0, false, true, func() bool { first = k.current; return k.next == nil && len(k.bundle) == 1 }},
		{"it stays", day, false, false, func() bool { return k.current.certificate.Equal(first.certificate) }},
		{"when a third is left its successor is trusted, and does not sign", 240 * day, false, true, func() bool {
			second = k.next
			return k.current.certificate.Equal(first.certificate) && second != nil && len(k.bundle) == 2
		}},
		{"it does not sign before the API server was told", 240*day + time.Hour, false, false, func() bool { return k.current.certificate.Equal(first.certificate) }},
		{"it does not sign at once when the API server was told", 240*day + time.Second, true, false, func() bool { return k.current.certificate.Equal(first.certificate) }},
		{"then it signs, and the first is trusted still", 240*day + time.Minute, true, true, func() bool {
			return k.current.certificate.Equal(second.certificate) && k.next == nil && len(k.bundle) == 2
		}},
		{"an authority that has expired is not trusted any more", 361 * day, true, true, func() bool { return len(k.bundle) == 1 && k.bundle[0].Equal(second.certificate) }},
		{"when all were asleep for a year there is a new one", 1000 * day, false, true, func() bool { return !k.current.certificate.Equal(second.certificate) && len(k.bundle) == 1 }},
	}
	for _, step := range steps {
		now := noon.Add(step.at)
		changed, err := k.advance(now, yearly, step.trusted)
		if err != nil {
			t.Fatal(err)
		}
		k = reopened(t, k)
		if changed != step.changed || !step.check() {
			t.Errorf("%s: changed %v, %d trusted, next %v", step.reason, changed, len(k.bundle), k.next != nil)
		}
		if err := serves(t, k.current, k.bundle, now); err != nil {
			t.Errorf("%s: %v", step.reason, err)
		}
		if again, err := k.advance(now, yearly, false); again || err != nil {
			t.Errorf("%s: a second pass changes it again, or %v", step.reason, err)
		}
	}
}

// TestNextIsLate: a successor whose time came while nobody could tell the API server signs when the first has expired.
func TestNextIsLate(t *testing.T) {
	k := &keyring{}
	for _, at := range []time.Duration{0, 250 * 24 * time.Hour, 361 * 24 * time.Hour} {
		if _, err := k.advance(noon.Add(at), yearly, false); err != nil {
			t.Fatal(err)
		}
	}
	if k.next != nil || len(k.bundle) != 1 || serves(t, k.current, k.bundle, noon.Add(361*24*time.Hour)) != nil {
		t.Errorf("%d are trusted, next %v", len(k.bundle), k.next != nil)
	}
}

func TestForeignSecret(t *testing.T) {
	a, err := newAuthority(noon, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key, err := a.encode()
	if err != nil {
		t.Fatal(err)
	}
	other, err := newAuthority(noon, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, otherKey, err := other.encode()
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := a.issue(noon, time.Hour, []string{"x"})
	if err != nil {
		t.Fatal(err)
	}
	leafPEM, err := cert.EncodeCertificates(leaf.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	leafAuthority := &authority{leaf.Leaf, leaf.PrivateKey.(crypto.Signer)}
	_, leafKey, err := leafAuthority.encode()
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason string
		data   map[string][]byte
		valid  bool
	}{
		"Empty":    {"no data is a Secret to fill", map[string][]byte{}, true},
		"NoBundle": {"a bundle is made anew", map[string][]byte{keyCertificate: certificate, keyKey: key}, true},
		"OtherKey": {"a key that is another's signs nothing", map[string][]byte{keyCertificate: certificate, keyKey: otherKey}, false},
		"NoCA":     {"somebody's serving certificate is not overwritten", map[string][]byte{keyCertificate: leafPEM, keyKey: leafKey}, false},
		"Text":     {"text is no certificate", map[string][]byte{keyCertificate: []byte("c4n4ry"), keyKey: []byte("c4n4ry")}, false},
		"Bundle":   {"text is no bundle", map[string][]byte{keyCertificate: certificate, keyKey: key, keyBundle: []byte("c4n4ry")}, false},
		"Next":     {"half a successor is none", map[string][]byte{keyCertificate: certificate, keyKey: key, keyNextCertificate: certificate}, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := decodeKeyring(tc.data)
			if (err == nil) != tc.valid || err != nil && strings.Contains(err.Error(), "c4n4ry") {
				t.Errorf("%s: %v", tc.reason, err)
			}
		})
	}
}

// eventually waits until check finds nothing wrong.
func eventually(t *testing.T, check func() bool) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 5*time.Millisecond, 10*time.Second, true,
		func(context.Context) (bool, error) { return check(), nil })
	if err != nil {
		t.Fatal("not within 10 seconds")
	}
}

// TestSelf runs a replica: it makes the authority, injects it, and repairs what somebody changes.
func TestSelf(t *testing.T) {
	clients := fake.NewClientset(&admissionregistrationv1.ValidatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: "hooks"}, Webhooks: []admissionregistrationv1.ValidatingWebhook{{Name: "a.example.com"}, {Name: "b.example.com"}},
	})
	hooks := clients.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	expires := make(chan string, 100)
	s := NewSelf(SelfOptions{
		Secrets: clients.CoreV1().Secrets("ns"), Secret: "ca", Configuration: NewConfiguration(clients, "hooks"), Hosts: []string{"webhook.ns.svc"},
		CALifetime: time.Hour, ServingLifetime: time.Hour, Clock: clock.RealClock{},
		Expires: func(kind string, _ time.Time) { expires <- kind },
	})
	if _, err := s.GetCertificate(nil); err == nil || s.Ready() == nil {
		t.Error("it is ready before it runs")
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- s.Run(ctx) }()
	eventually(t, func() bool { return s.Ready() == nil })
	if got := <-expires + " " + <-expires; got != "ca serving" {
		t.Errorf("it tells of %s", got)
	}
	bundles := func() [][]byte {
		live, err := hooks.Get(t.Context(), "hooks", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return [][]byte{live.Webhooks[0].ClientConfig.CABundle, live.Webhooks[1].ClientConfig.CABundle}
	}
	want := bundles()[0]
	live, err := hooks.Get(t.Context(), "hooks", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	live.Webhooks[1].ClientConfig.CABundle = []byte("changed")
	if _, err := hooks.Update(t.Context(), live, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return bytes.Equal(bundles()[1], want) && bytes.Equal(bundles()[0], want) })
	if err := hooks.Delete(t.Context(), "hooks", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return s.Ready() != nil })
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestServingRenewal: the serving certificate is renewed by time, and a new authority signs anew at once.
func TestServingRenewal(t *testing.T) {
	now := clocktesting.NewFakeClock(noon)
	s := NewSelf(SelfOptions{CALifetime: 300 * time.Hour, ServingLifetime: 30 * time.Hour, Hosts: []string{"x"}, Clock: now, Expires: func(string, time.Time) {}})
	by := func(a *authority) *x509.Certificate {
		t.Helper()
		if err := s.sign(a); err != nil {
			t.Fatal(err)
		}
		return s.serving.Load().Leaf
	}
	first, err := newAuthority(noon, 300*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	second, err := newAuthority(noon, 300*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	serving := by(first)
	now.SetTime(noon.Add(19 * time.Hour))
	if !by(first).Equal(serving) {
		t.Error("it is renewed when more than a third is left")
	}
	now.SetTime(noon.Add(21 * time.Hour))
	renewed := by(first)
	if renewed.Equal(serving) {
		t.Error("it is not renewed when less than a third is left")
	}
	if by(second).Equal(renewed) {
		t.Error("a new authority does not sign")
	}
	now.SetTime(noon.Add(290 * time.Hour))
	last := by(second)
	if !last.NotAfter.Equal(second.certificate.NotAfter) {
		t.Error("it outlives its authority")
	}
	now.SetTime(noon.Add(299 * time.Hour))
	if !by(second).Equal(last) {
		t.Error("it is made again and again near the end of its authority")
	}
}

// TestFiles: what can be read is served, and a file that is broken in between takes nothing away.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func() *x509.Certificate {
		t.Helper()
		a, err := newAuthority(time.Now(), time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		certificate, key, err := a.encode()
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{"tls.crt": certificate, "tls.key": key} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return a.certificate
	}
	now := clocktesting.NewFakeClock(noon)
	f := &Files{Dir: dir, Clock: now, Expires: func(string, time.Time) {}}
	if f.Ready() == nil {
		t.Error("it is ready without files")
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	serves := func(want *x509.Certificate) func() bool {
		return func() bool {
			now.Step(reread)
			got, err := f.GetCertificate(&tls.ClientHelloInfo{})
			return err == nil && got.Leaf.Equal(want) && f.Ready() == nil
		}
	}
	first := write()
	eventually(t, serves(first))
	if err := os.WriteFile(filepath.Join(dir, "tls.key"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.read(); err == nil {
		t.Error("half a key is read")
	}
	eventually(t, serves(first))
	eventually(t, serves(write()))
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

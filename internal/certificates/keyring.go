package certificates

import (
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"k8s.io/client-go/util/cert"
)

// The keys of the Secret.
const (
	keyCertificate     = "tls.crt"
	keyKey             = "tls.key"
	keyNextCertificate = "next.crt"
	keyNextKey         = "next.key"
	keyBundle          = "ca.crt"
)

// keyring is what the Secret holds: the authority that signs, the one that will, and all that the API server is to
// trust. A new authority is trusted before it signs, and an old one while what it signed may be served.
type keyring struct {
	current, next *authority
	bundle        []*x509.Certificate
}

// decodeKeyring reads a Secret's data; nothing is an empty keyring.
func decodeKeyring(data map[string][]byte) (*keyring, error) {
	k := &keyring{}
	if len(data[keyCertificate]) == 0 && len(data[keyKey]) == 0 {
		return k, nil
	}
	var err error
	if k.current, err = decodeAuthority(data[keyCertificate], data[keyKey]); err != nil {
		return nil, err
	}
	if len(data[keyNextCertificate]) > 0 {
		if k.next, err = decodeAuthority(data[keyNextCertificate], data[keyNextKey]); err != nil {
			return nil, err
		}
	}
	if len(data[keyBundle]) > 0 {
		if k.bundle, err = cert.ParseCertsPEM(data[keyBundle]); err != nil {
			return nil, errors.New("the bundle holds no certificates")
		}
	}
	return k, nil
}

// encode is the keyring as a Secret's data.
func (k *keyring) encode() (map[string][]byte, error) {
	data := map[string][]byte{}
	var err error
	if data[keyCertificate], data[keyKey], err = k.current.encode(); err != nil {
		return nil, err
	}
	if k.next != nil {
		if data[keyNextCertificate], data[keyNextKey], err = k.next.encode(); err != nil {
			return nil, err
		}
	}
	data[keyBundle], err = cert.EncodeCertificates(k.bundle...)
	return data, err
}

// schedule is when authorities change.
type schedule struct {
	// lifetime is how long an authority is valid. The next one is made when a third of it is left.
	lifetime time.Duration
	// settle is how long the next authority is trusted before it signs: API servers learn of it by watches.
	settle time.Duration
}

// advance takes the keyring as far as it should be, and reports whether that is another one. trusted says that the API
// server has been told of the next authority.
func (k *keyring) advance(now time.Time, s schedule, trusted bool) (changed bool, err error) {
	expired := k.current == nil || !now.Before(k.current.certificate.NotAfter)
	switch {
	case k.next != nil && (expired || trusted && !now.Before(k.next.made().Add(s.settle))):
		k.current, k.next, changed = k.next, nil, true
	case expired:
		if k.current, err = newAuthority(now, s.lifetime); err != nil {
			return false, err
		}
		changed = true
	case k.next == nil && !now.Before(k.current.certificate.NotAfter.Add(-s.lifetime/3)):
		if k.next, err = newAuthority(now, s.lifetime); err != nil {
			return false, err
		}
		changed = true
	}
	return k.trust(now) || changed, nil
}

// trust brings the bundle up to date: both authorities are in it, and expired ones are not.
func (k *keyring) trust(now time.Time) (changed bool) {
	before := len(k.bundle)
	k.bundle = slices.DeleteFunc(k.bundle, func(c *x509.Certificate) bool { return !now.Before(c.NotAfter) })
	changed = len(k.bundle) != before
	for _, a := range []*authority{k.current, k.next} {
		if a != nil && !slices.ContainsFunc(k.bundle, a.certificate.Equal) {
			k.bundle, changed = append(k.bundle, a.certificate), true
		}
	}
	return changed
}

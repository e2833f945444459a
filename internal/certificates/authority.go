package certificates

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"time"

	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// skew is how far clocks may differ: certificates are valid that much earlier than they are made.
const skew = 5 * time.Minute

// authority is a CA that signs serving certificates.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// newAuthority makes a CA that is valid for lifetime from now on.
func newAuthority(now time.Time, lifetime time.Duration) (*authority, error) {
	template, err := newTemplate(now, "clusterimport webhook CA")
	if err != nil {
		return nil, err
	}
	template.NotAfter = now.Add(lifetime)
	template.IsCA, template.BasicConstraintsValid, template.MaxPathLenZero = true, true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	certificate, err := sign(template, template, key.Public(), key)
	return &authority{certificate, key}, err
}

// newTemplate is a certificate with a serial number of its own, so that two CAs of the same name are told apart.
func newTemplate(now time.Time, name string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-skew).UTC()}, nil
}

func sign(template, parent *x509.Certificate, public crypto.PublicKey, by crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// made is when the authority was made.
func (a *authority) made() time.Time { return a.certificate.NotBefore.Add(skew) }

// issue makes a serving certificate for hosts, which are DNS names and IP addresses. It does not outlive the authority.
func (a *authority) issue(now time.Time, lifetime time.Duration, hosts []string) (*tls.Certificate, error) {
	template, err := newTemplate(now, "clusterimport webhook")
	if err != nil {
		return nil, err
	}
	template.NotAfter = now.Add(lifetime).UTC()
	if template.NotAfter.After(a.certificate.NotAfter) {
		template.NotAfter = a.certificate.NotAfter
	}
	template.KeyUsage, template.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	leaf, err := sign(template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// encode is the authority as PEM.
func (a *authority) encode() (certificate, key []byte, err error) {
	if certificate, err = cert.EncodeCertificates(a.certificate); err != nil {
		return nil, nil, err
	}
	key, err = keyutil.MarshalPrivateKeyToPEM(a.key)
	return certificate, key, err
}

// decodeAuthority reads what encode wrote. No error quotes what was read.
func decodeAuthority(certificatePEM, keyPEM []byte) (*authority, error) {
	pair, err := tls.X509KeyPair(certificatePEM, keyPEM)
	if err != nil {
		return nil, errors.New("they are no certificate with its key")
	}
	key, ok := pair.PrivateKey.(crypto.Signer)
	if !ok || !pair.Leaf.IsCA {
		return nil, errors.New("the certificate is no CA")
	}
	return &authority{pair.Leaf, key}, nil
}

package controlplane

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

const frontProxyUser = "front-proxy-client"

// pki is the folder with the control plane's certificates. ca.crt and ca.key sign clients, so that tests can
// make users of their own.
type pki struct{ dir string }

func (p *pki) path(name string) string { return filepath.Join(p.dir, name) }

// loadPKI returns the certificates of dir, making them if it is new.
func loadPKI(dir string) (*pki, error) {
	p := &pki{dir: dir}
	if _, err := os.Stat(p.path("complete")); err == nil {
		return p, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := p.create(); err != nil {
		return nil, fmt.Errorf("cannot make certificates: %w", err)
	}
	return p, os.WriteFile(p.path("complete"), nil, 0o600)
}

func (p *pki) create() error {
	ca, err := p.authority("ca", "kubernetes-ca")
	if err != nil {
		return err
	}
	frontProxyCA, err := p.authority("front-proxy-ca", "front-proxy-ca")
	if err != nil {
		return err
	}
	server := template("kube-apiserver")
	server.DNSNames = []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"}
	server.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 0, 1)}
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	admin := template("admin")
	admin.Subject.Organization = []string{"system:masters"}
	admin.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	proxy := template(frontProxyUser)
	proxy.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return errors.Join(
		p.issue("apiserver", server, ca),
		p.issue("admin", admin, ca),
		p.issue("front-proxy", proxy, frontProxyCA),
		p.keyOnly("service-account"),
	)
}

// authority is a certificate that signs others.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

func (p *pki) authority(file, name string) (*authority, error) {
	t := template(name)
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	key, err := p.key(file)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &authority{certificate, key}, p.writePEM(file+".crt", "CERTIFICATE", der)
}

func (p *pki) issue(file string, t *x509.Certificate, by *authority) error {
	key, err := p.key(file)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, by.certificate, key.Public(), by.key)
	if err != nil {
		return err
	}
	return p.writePEM(file+".crt", "CERTIFICATE", der)
}

func (p *pki) keyOnly(file string) error {
	_, err := p.key(file)
	return err
}

func (p *pki) key(file string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, p.writePEM(file+".key", "EC PRIVATE KEY", der)
}

func (p *pki) writePEM(file, blockType string, der []byte) error {
	return os.WriteFile(p.path(file), pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}), 0o600)
}

func template(commonName string) *x509.Certificate {
	now := time.Now()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		serial = big.NewInt(now.UnixNano())
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: commonName},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

// kubeconfig is the administrator's, with everything inline.
func (p *pki) kubeconfig(port int) *clientcmdapi.Config {
	config := clientcmdapi.NewConfig()
	config.Clusters["local"] = &clientcmdapi.Cluster{
		Server:               fmt.Sprintf("https://127.0.0.1:%d", port),
		CertificateAuthority: p.path("ca.crt"),
	}
	config.AuthInfos["admin"] = &clientcmdapi.AuthInfo{
		ClientCertificate: p.path("admin.crt"), ClientKey: p.path("admin.key"),
	}
	config.Contexts["local"] = &clientcmdapi.Context{Cluster: "local", AuthInfo: "admin"}
	config.CurrentContext = "local"
	if err := clientcmdapi.FlattenConfig(config); err != nil {
		return config // the files are named instead
	}
	return config
}

func (p *pki) adminConfig(port int) (*rest.Config, error) {
	config, err := clientcmd.NewDefaultClientConfig(*p.kubeconfig(port), nil).ClientConfig()
	if err != nil {
		return nil, err
	}
	config.QPS, config.Burst = 500, 1000
	return config, nil
}

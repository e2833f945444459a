// Package preflight looks at the connection that a rendered PediaCluster describes before it is written: whether it
// can work at all, whether it makes Clusterpedia run or read anything that it should not, and when it ends. It connects
// to nothing, verifies no signature, and never repeats a value: its messages name fields only.
package preflight

import (
	"errors"
	"net/url"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
)

// Options are what a policy allows.
type Options struct {
	// AllowInsecure accepts a connection without a CA of its own, one that is not verified, and plain HTTP.
	AllowInsecure bool
}

const (
	hint = "; spec.allowInsecure of the policy accepts that"

	errNoServer      = "spec.apiserver is not an http or https URL with a host"
	errPlainHTTP     = "spec.apiserver is plain http" + hint
	errNoCA          = "spec.caData is missing: Clusterpedia would not verify the API server" + hint
	errNoKey         = "spec.certData has no spec.keyData"
	errNoCert        = "spec.keyData has no spec.certData"
	errNoCredentials = "there is neither spec.tokenData nor spec.certData with spec.keyData"
)

// Check returns when the credentials of a PediaCluster end, or the first reason why it cannot be used, as a sentence
// without a value. Credentials that spec.authenticationFrom names are in Clusterpedia's namespace and are not seen.
func Check(spec v1alpha2.ClusterSpec, o Options) (Expiry, error) {
	// Clusterpedia ignores all other fields when there is a kubeconfig.
	if len(spec.Kubeconfig) > 0 {
		return checkKubeconfig(spec.Kubeconfig, o)
	}
	if from := spec.AuthenticationFrom; from != nil && from.KubeConfig != nil {
		return Expiry{}, nil
	}
	if fault := checkServer(spec.APIServer, o); fault != "" {
		return Expiry{}, errors.New(fault)
	}
	if fault := checkCredentials(spec, o); fault != "" {
		return Expiry{}, errors.New(fault)
	}
	return Expiry{ClientCertificate: certificateEnd(spec.CertData), Token: tokenEnd(spec.TokenData)}, nil
}

func checkCredentials(spec v1alpha2.ClusterSpec, o Options) string {
	from := spec.AuthenticationFrom
	if from == nil {
		from = &v1alpha2.ClusterAuthentication{}
	}
	has := func(data []byte, selector *v1alpha2.SecretKeySelector) bool { return len(data) > 0 || selector != nil }
	cert, key := has(spec.CertData, from.Cert), has(spec.KeyData, from.Key)
	switch {
	case !has(spec.CAData, from.CA) && !o.AllowInsecure:
		return errNoCA
	case cert && !key:
		return errNoKey
	case key && !cert:
		return errNoCert
	case !cert && !has(spec.TokenData, from.Token):
		return errNoCredentials
	default:
		return ""
	}
}

func checkServer(server string, o Options) string {
	switch scheme := schemeOf(server); {
	case scheme == "":
		return errNoServer
	case scheme == "http" && !o.AllowInsecure:
		return errPlainHTTP
	default:
		return ""
	}
}

// schemeOf is the scheme of an http or https URL with a host, else empty.
func schemeOf(server string) string {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.Scheme
}

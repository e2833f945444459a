package preflight_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterimport/clusterimport/api/cluster/v1alpha2"
	"github.com/clusterimport/clusterimport/pkg/lifecycle/preflight"
)

// canary stands for every value that must not be repeated.
const canary = "c4n4ry"

// valid is a kubeconfig that passes. Cases change one thing.
const valid = `apiVersion: v1
kind: Config
current-context: canary-c4n4ry
contexts:
- name: canary-c4n4ry
  context: {cluster: cluster-c4n4ry, user: user-c4n4ry}
clusters:
- name: cluster-c4n4ry
  cluster: {server: "https://c4n4ry:6443", certificate-authority-data: YzRuNHJ5}
users:
- name: user-c4n4ry
  user: {token: c4n4ry}
`

func TestKubeconfig(t *testing.T) {
	cases := map[string]struct {
		reason   string
		old, new string
		insecure bool
		want     string
	}{
		"Valid": {reason: "server, CA and token are all that is needed"},
		"Exec": {
			reason: "a program must not run in Clusterpedia's pods",
			old:    "{token: c4n4ry}", new: "{token: c4n4ry, exec: {command: c4n4ry}}",
			want: "users[0] in spec.kubeconfig has exec: Clusterpedia would run a program or read a file of its own",
		},
		"ExecOfAnotherUser": {
			reason: "an entry that is not in use now is in use when somebody changes the context",
			old:    "users:\n", new: "users:\n- name: other\n  user: {exec: {command: c4n4ry}}\n",
			want: "users[0] in spec.kubeconfig has exec: Clusterpedia would run a program or read a file of its own",
		},
		"ExecByAnchor": {
			reason: "what an alias brings in counts too",
			old:    "users:\n- name: user-c4n4ry\n  user: {token: c4n4ry}\n",
			new:    "x: &x {exec: {command: c4n4ry}}\nusers:\n- name: user-c4n4ry\n  user: {<<: *x, token: c4n4ry}\n",
			want:   "users[0] in spec.kubeconfig has exec: Clusterpedia would run a program or read a file of its own",
		},
		"AuthProvider": {
			reason: "plugins of client-go are programs too", old: "{token: c4n4ry}", new: "{auth-provider: {name: c4n4ry}}",
			want: "users[0] in spec.kubeconfig has auth-provider: Clusterpedia would run a program or read a file of its own",
		},
		"TokenFile": {
			reason: "a file would be one of Clusterpedia's pod", old: "{token: c4n4ry}", new: "{tokenFile: /c4n4ry}",
			want: "users[0] in spec.kubeconfig has tokenFile: Clusterpedia would run a program or read a file of its own",
		},
		"CertificateFile": {
			reason: "as above", old: "{token: c4n4ry}", new: "{client-certificate: /c4n4ry, client-key-data: YQ==}",
			want: "users[0] in spec.kubeconfig has client-certificate: Clusterpedia would run a program or read a file of its own",
		},
		"KeyFile": {
			reason: "as above", old: "{token: c4n4ry}", new: "{client-certificate-data: YQ==, client-key: /c4n4ry}",
			want: "users[0] in spec.kubeconfig has client-key: Clusterpedia would run a program or read a file of its own",
		},
		"CAFile": {
			reason: "as above, whatever allowInsecure says", old: "certificate-authority-data: YzRuNHJ5", new: "certificate-authority: /c4n4ry", insecure: true,
			want: "clusters[0] in spec.kubeconfig names a file (certificate-authority)",
		},
		"NoCA": {
			reason: "a CA is expected", old: ", certificate-authority-data: YzRuNHJ5", new: "",
			want: "the cluster in spec.kubeconfig has no certificate-authority-data: any CA that Clusterpedia's system trusts could vouch for it; " +
				"spec.allowInsecure of the policy accepts that",
		},
		"NoCAAllowed": {reason: "a policy may do without", old: ", certificate-authority-data: YzRuNHJ5", new: "", insecure: true},
		"SkipVerify": {
			reason: "a CA does not help when it is not used", old: "YzRuNHJ5}", new: "YzRuNHJ5, insecure-skip-tls-verify: true}",
			want: "the cluster in spec.kubeconfig has insecure-skip-tls-verify; spec.allowInsecure of the policy accepts that",
		},
		"PlainHTTP": {
			reason: "credentials would be sent in clear", old: "https://", new: "http://",
			want: "the server in spec.kubeconfig is plain http; spec.allowInsecure of the policy accepts that",
		},
		"NoServer": {
			reason: "nothing to connect to", old: `server: "https://c4n4ry:6443", `, new: "",
			want: "the server in spec.kubeconfig is not an http or https URL with a host",
		},
		"NoCredentials": {
			reason: "nothing to connect with", old: "{token: c4n4ry}", new: "{}",
			want: "the user in spec.kubeconfig has no token, no client certificate and no password",
		},
		"Password": {reason: "a proxy may take a password", old: "{token: c4n4ry}", new: "{username: a, password: c4n4ry}"},
		"CertWithoutKey": {
			reason: "half a pair is no credential", old: "{token: c4n4ry}", new: "{client-certificate-data: YQ==}",
			want: "the user in spec.kubeconfig has client-certificate-data and no client-key-data",
		},
		"KeyWithoutCert": {
			reason: "half a pair is no credential", old: "{token: c4n4ry}", new: "{client-key-data: YQ==}",
			want: "the user in spec.kubeconfig has client-key-data and no client-certificate-data",
		},
		"NotBase64": {
			reason: "client-go would refuse the whole file", old: "{token: c4n4ry}", new: "{client-certificate-data: '***c4n4ry', client-key-data: YQ==}",
			want: "the client-certificate-data of users[0] in spec.kubeconfig is not base64",
		},
		"CANotBase64": {
			reason: "as above", old: "YzRuNHJ5}", new: "'***c4n4ry'}",
			want: "the certificate-authority-data of clusters[0] in spec.kubeconfig is not base64",
		},
		"NoCurrentContext": {
			reason: "Clusterpedia chooses no context", old: "current-context: canary-c4n4ry\n", new: "",
			want: "spec.kubeconfig has no current-context",
		},
		"NoContext": {
			reason: "the current context must exist", old: "current-context: canary-c4n4ry", new: "current-context: c4n4ry",
			want: "spec.kubeconfig has no context of the name that current-context has",
		},
		"NoUser": {
			reason: "the current context's user must exist", old: "user: user-c4n4ry", new: "user: c4n4ry",
			want: "spec.kubeconfig has no user of the name that its current context has",
		},
		"NoCluster": {
			reason: "the current context's cluster must exist", old: "cluster: cluster-c4n4ry", new: "cluster: c4n4ry",
			want: "spec.kubeconfig has no cluster of the name that its current context has",
		},
		"SameUser": {
			reason: "client-go refuses two of one name", old: "users:\n", new: "users:\n- name: user-c4n4ry\n  user: {token: other}\n",
			want: "spec.kubeconfig has two users of one name",
		},
		"KeyTwice": {
			reason: "readers differ on which of two equal keys counts", old: "{token: c4n4ry}", new: "{token: c4n4ry, token: c4n4ry}",
			want: "spec.kubeconfig is not a kubeconfig: it is not YAML with unique keys",
		},
		"OtherCase": {
			reason: "field names are exact, as client-go reads them: this one is not known and switches nothing off",
			old:    "YzRuNHJ5}", new: "YzRuNHJ5, insecure-skip-tls-verify: true, Insecure-Skip-TLS-Verify: false}",
			want: "the cluster in spec.kubeconfig has insecure-skip-tls-verify; spec.allowInsecure of the policy accepts that",
		},
		"Shape": {
			reason: "a list is expected", old: "users:\n- name: user-c4n4ry\n  user: {token: c4n4ry}\n", new: "users: c4n4ry\n",
			want: "spec.kubeconfig is not a kubeconfig: a field has another type",
		},
		"Text": {
			reason: "a text is no kubeconfig", old: valid, new: "c4n4ry", want: "spec.kubeconfig is not a kubeconfig: a field has another type",
		},
		"NotYAML": {
			reason: "a parser's message would quote the text", old: valid, new: "c4n4ry: [", want: "spec.kubeconfig is not a kubeconfig: it is not YAML with unique keys",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			config := strings.Replace(valid, tc.old, tc.new, 1)
			if tc.old != "" && config == valid {
				t.Fatal("the case changes nothing")
			}
			spec := v1alpha2.ClusterSpec{Kubeconfig: []byte(config)}
			_, err := preflight.Check(spec, preflight.Options{AllowInsecure: tc.insecure})
			if diff := cmp.Diff(tc.want, message(err)); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
			if strings.Contains(message(err), canary) {
				t.Errorf("the message repeats a value: %v", err)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestFields(t *testing.T) {
	selector := &v1alpha2.SecretKeySelector{Name: "secret", Key: "key"}
	cases := map[string]struct {
		reason   string
		spec     v1alpha2.ClusterSpec
		insecure bool
		want     string
	}{
		"Token": {
			reason: "server, CA and token are all that is needed",
			spec:   v1alpha2.ClusterSpec{APIServer: "https://x:6443", CAData: []byte("ca"), TokenData: []byte(canary)},
		},
		"Certificate": {
			reason: "a client certificate does as well",
			spec:   v1alpha2.ClusterSpec{APIServer: "https://x", CAData: []byte("ca"), CertData: []byte("cert"), KeyData: []byte("key")},
		},
		"NoCA": {
			reason: "Clusterpedia connects without verifying when there is no CA",
			spec:   v1alpha2.ClusterSpec{APIServer: "https://x", TokenData: []byte(canary)},
			want:   "spec.caData is missing: Clusterpedia would not verify the API server; spec.allowInsecure of the policy accepts that",
		},
		"NoCAAllowed": {
			reason: "a policy may allow that", insecure: true,
			spec: v1alpha2.ClusterSpec{APIServer: "https://x", TokenData: []byte(canary)},
		},
		"PlainHTTP": {
			reason: "a token would be sent in clear",
			spec:   v1alpha2.ClusterSpec{APIServer: "http://x", CAData: []byte("ca"), TokenData: []byte(canary)},
			want:   "spec.apiserver is plain http; spec.allowInsecure of the policy accepts that",
		},
		"NoHost": {
			reason: "a template may have interpolated nothing",
			spec:   v1alpha2.ClusterSpec{APIServer: "https://:6443", CAData: []byte("ca"), TokenData: []byte(canary)},
			want:   "spec.apiserver is not an http or https URL with a host",
		},
		"NoScheme": {
			reason: "host:port is no URL",
			spec:   v1alpha2.ClusterSpec{APIServer: "x:6443", CAData: []byte("ca"), TokenData: []byte(canary)},
			want:   "spec.apiserver is not an http or https URL with a host",
		},
		"NoCredentials": {
			reason: "an anonymous import collects nothing",
			spec:   v1alpha2.ClusterSpec{APIServer: "https://x", CAData: []byte("ca")},
			want:   "there is neither spec.tokenData nor spec.certData with spec.keyData",
		},
		"NoKey": {
			reason: "a certificate without its key is of no use",
			spec:   v1alpha2.ClusterSpec{APIServer: "https://x", CAData: []byte("ca"), CertData: []byte("cert")},
			want:   "spec.certData has no spec.keyData",
		},
		"NoCert": {
			reason: "a key without its certificate is of no use",
			spec:   v1alpha2.ClusterSpec{APIServer: "https://x", CAData: []byte("ca"), KeyData: []byte(canary)},
			want:   "spec.keyData has no spec.certData",
		},
		"FromSecrets": {
			reason: "what stands in Clusterpedia's Secrets counts, unseen",
			spec: v1alpha2.ClusterSpec{APIServer: "https://x", AuthenticationFrom: &v1alpha2.ClusterAuthentication{
				CA: selector, Cert: selector, Key: selector,
			}},
		},
		"KubeconfigFromSecret": {
			reason: "as above; the server is in there",
			spec:   v1alpha2.ClusterSpec{AuthenticationFrom: &v1alpha2.ClusterAuthentication{KubeConfig: selector}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := preflight.Check(tc.spec, preflight.Options{AllowInsecure: tc.insecure})
			if diff := cmp.Diff(tc.want, message(err)); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

func TestExpiry(t *testing.T) {
	end := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	cert := certificate(t, end)
	jwt := func(payload string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln"
	}
	kubeconfig := strings.Replace(valid, "{token: c4n4ry}", "{token: "+jwt(`{"exp":1900000000}`)+", client-certificate-data: "+
		base64.StdEncoding.EncodeToString(cert)+", client-key-data: YQ==}", 1)
	fields := func(token string, cert []byte) v1alpha2.ClusterSpec {
		return v1alpha2.ClusterSpec{APIServer: "https://x", CAData: []byte("ca"), TokenData: []byte(token), CertData: cert, KeyData: []byte("key")}
	}
	cases := map[string]struct {
		reason string
		spec   v1alpha2.ClusterSpec
		want   preflight.Expiry
	}{
		"Kubeconfig": {
			reason: "both are read from the current user", spec: v1alpha2.ClusterSpec{Kubeconfig: []byte(kubeconfig)},
			want: preflight.Expiry{ClientCertificate: end, Token: time.Unix(1900000000, 0).UTC()},
		},
		"Fields": {
			reason: "a client shows the first certificate; a token may have a line break behind it",
			spec:   fields(jwt(`{"exp":1.9e9}`)+"\n", append(cert, certificate(t, end.AddDate(9, 0, 0))...)),
			want:   preflight.Expiry{ClientCertificate: end, Token: time.Unix(1900000000, 0).UTC()},
		},
		"Opaque":        {reason: "a token that is no JWT has no end that could be read", spec: fields(canary, []byte("cert"))},
		"NoExp":         {reason: "a JWT need not end", spec: fields(jwt(`{}`), []byte("cert"))},
		"Negative":      {reason: "nonsense is not known", spec: fields(jwt(`{"exp":-5}`), []byte("cert"))},
		"NotAnInteger":  {reason: "nonsense is not known", spec: fields(jwt(`{"exp":"1900000000"}`), []byte("cert"))},
		"NoCertificate": {reason: "a PEM block of another type is passed over", spec: fields(canary, []byte("-----BEGIN X-----\nYQ==\n-----END X-----\n"))},
		"FarFuture": {
			reason: "a time that JSON cannot hold is the last that it can", spec: fields(jwt(`{"exp":1e300}`), []byte("cert")),
			want: preflight.Expiry{Token: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := preflight.Check(tc.spec, preflight.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

func certificate(t *testing.T, end time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: end}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// FuzzKubeconfig holds the check against client-go, which Clusterpedia reads kubeconfigs with: of what passes, client-go
// makes a verified connection that runs no program and reads no file.
func FuzzKubeconfig(f *testing.F) {
	f.Add([]byte(valid))
	f.Add([]byte(strings.Replace(valid, "{token: c4n4ry}", "{exec: {command: x, apiVersion: client.authentication.k8s.io/v1}}", 1)))
	f.Add([]byte(strings.Replace(valid, "{token: c4n4ry}", "{client-certificate-data: YQ==, client-key-data: YQ==}", 1)))
	f.Add([]byte(strings.Replace(valid, "{token: c4n4ry}", "{tokenFile: /x}", 1)))
	f.Add([]byte(`{"current-context":"a","contexts":[{"name":"a","context":{}}],"clusters":[{"cluster":{"server":"https://x"}}],"users":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := preflight.Check(v1alpha2.ClusterSpec{Kubeconfig: data}, preflight.Options{}); err != nil || len(data) == 0 {
			return
		}
		config, err := clientcmd.RESTConfigFromKubeConfig(data)
		if err != nil {
			return // client-go refuses more, such as another apiVersion: Clusterpedia then says so
		}
		tls := config.TLSClientConfig
		if config.ExecProvider != nil || config.AuthProvider != nil || config.BearerTokenFile != "" ||
			tls.CAFile != "" || tls.CertFile != "" || tls.KeyFile != "" || tls.Insecure || len(tls.CAData) == 0 || config.Host == "" {
			t.Errorf("client-go makes this of what passes: %s", config)
		}
	})
}

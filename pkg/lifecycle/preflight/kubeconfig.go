package preflight

import (
	"encoding/base64"
	"errors"
	"fmt"

	sigsjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// maxKubeconfig is more than any API server takes in one object.
const maxKubeconfig = 4 << 20

// kubeconfig is what client-go reads of a kubeconfig, as far as it matters here. Names are as in the file.
type kubeconfig struct {
	CurrentContext string         `json:"current-context"`
	Clusters       []namedCluster `json:"clusters"`
	Contexts       []namedContext `json:"contexts"`
	Users          []namedUser    `json:"users"`
}

type namedCluster struct {
	Name    string  `json:"name"`
	Cluster cluster `json:"cluster"`
}

type cluster struct {
	Server   string `json:"server"`
	CAFile   string `json:"certificate-authority"`
	CAData   string `json:"certificate-authority-data"`
	Insecure bool   `json:"insecure-skip-tls-verify"`
}

type namedContext struct {
	Name    string `json:"name"`
	Context struct {
		Cluster string `json:"cluster"`
		User    string `json:"user"`
	} `json:"context"`
}

type namedUser struct {
	Name string `json:"name"`
	User user   `json:"user"`
}

type user struct {
	Token        string `json:"token"`
	TokenFile    string `json:"tokenFile"`
	CertFile     string `json:"client-certificate"`
	CertData     string `json:"client-certificate-data"`
	KeyFile      string `json:"client-key"`
	KeyData      string `json:"client-key-data"`
	Username     string `json:"username"`
	Password     string `json:"password"`
	AuthProvider any    `json:"auth-provider"`
	Exec         any    `json:"exec"`
}

const (
	errTooLarge     = "spec.kubeconfig is larger than any kubeconfig"
	errNotYAML      = "spec.kubeconfig is not a kubeconfig: it is not YAML with unique keys"
	errShape        = "spec.kubeconfig is not a kubeconfig: a field has another type"
	errNoCurrent    = "spec.kubeconfig has no current-context"
	errNoContext    = "spec.kubeconfig has no context of the name that current-context has"
	errSameContext  = "spec.kubeconfig has two contexts of one name"
	errNoCluster    = "spec.kubeconfig has no cluster of the name that its current context has"
	errSameCluster  = "spec.kubeconfig has two clusters of one name"
	errNoUser       = "spec.kubeconfig has no user of the name that its current context has"
	errSameUser     = "spec.kubeconfig has two users of one name"
	errConfigServer = "the server in spec.kubeconfig is not an http or https URL with a host"
	errConfigHTTP   = "the server in spec.kubeconfig is plain http" + hint
	errConfigNoCA   = "the cluster in spec.kubeconfig has no certificate-authority-data: any CA that Clusterpedia's system trusts could vouch for it" + hint
	errSkipVerify   = "the cluster in spec.kubeconfig has insecure-skip-tls-verify" + hint
	errUserNoKey    = "the user in spec.kubeconfig has client-certificate-data and no client-key-data"
	errUserNoCert   = "the user in spec.kubeconfig has client-key-data and no client-certificate-data"
	errUserNothing  = "the user in spec.kubeconfig has no token, no client certificate and no password"
)

func checkKubeconfig(data []byte, o Options) (Expiry, error) {
	config, err := parse(data)
	if err != nil {
		return Expiry{}, err
	}
	if err := config.checkForeign(); err != nil {
		return Expiry{}, err
	}
	c, u, err := config.current()
	if err != nil {
		return Expiry{}, err
	}
	if fault := c.check(o); fault != "" {
		return Expiry{}, errors.New(fault)
	}
	if fault := u.check(); fault != "" {
		return Expiry{}, errors.New(fault)
	}
	cert, err := base64.StdEncoding.DecodeString(u.CertData)
	if err != nil {
		return Expiry{}, errors.New("the client-certificate-data in spec.kubeconfig is not base64")
	}
	return Expiry{ClientCertificate: certificateEnd(cert), Token: tokenEnd([]byte(u.Token))}, nil
}

// parse reads a kubeconfig the way client-go does, so that both see the same: YAML to JSON, then by exact field names.
// A key that stands twice is refused, because readers differ on which one counts.
func parse(data []byte) (*kubeconfig, error) {
	if len(data) > maxKubeconfig {
		return nil, errors.New(errTooLarge)
	}
	doc, err := yaml.YAMLToJSONStrict(data)
	if err != nil {
		return nil, errors.New(errNotYAML)
	}
	var config kubeconfig
	if err := sigsjson.UnmarshalCaseSensitivePreserveInts(doc, &config); err != nil {
		return nil, errors.New(errShape)
	}
	return &config, nil
}

// checkForeign refuses what makes the reader run a program or read its own files. All entries are looked at, not only
// those of the current context: nothing of the kind belongs into a PediaCluster.
func (k *kubeconfig) checkForeign() error {
	for i, c := range k.Clusters {
		if c.Cluster.CAFile != "" {
			return fmt.Errorf("clusters[%d] in spec.kubeconfig names a file (certificate-authority)", i)
		}
		if !isBase64(c.Cluster.CAData) {
			return fmt.Errorf("the certificate-authority-data of clusters[%d] in spec.kubeconfig is not base64", i)
		}
	}
	for i, u := range k.Users {
		for _, f := range []struct {
			name string
			set  bool
		}{
			{"exec", u.User.Exec != nil},
			{"auth-provider", u.User.AuthProvider != nil},
			{"tokenFile", u.User.TokenFile != ""},
			{"client-certificate", u.User.CertFile != ""},
			{"client-key", u.User.KeyFile != ""},
		} {
			if f.set {
				return fmt.Errorf("users[%d] in spec.kubeconfig has %s: Clusterpedia would run a program or read a file of its own", i, f.name)
			}
		}
		if !isBase64(u.User.CertData) {
			return fmt.Errorf("the client-certificate-data of users[%d] in spec.kubeconfig is not base64", i)
		}
		if !isBase64(u.User.KeyData) {
			return fmt.Errorf("the client-key-data of users[%d] in spec.kubeconfig is not base64", i)
		}
	}
	return nil
}

// isBase64 decides as encoding/json does for bytes.
func isBase64(text string) bool {
	_, err := base64.StdEncoding.DecodeString(text)
	return err == nil
}

// current is the cluster and the user of the current context.
func (k *kubeconfig) current() (*cluster, *user, error) {
	if k.CurrentContext == "" {
		return nil, nil, errors.New(errNoCurrent)
	}
	ctx, err := only(k.Contexts, func(c namedContext) bool { return c.Name == k.CurrentContext }, errNoContext, errSameContext)
	if err != nil {
		return nil, nil, err
	}
	c, err := only(k.Clusters, func(c namedCluster) bool { return c.Name == ctx.Context.Cluster }, errNoCluster, errSameCluster)
	if err != nil {
		return nil, nil, err
	}
	u, err := only(k.Users, func(u namedUser) bool { return u.Name == ctx.Context.User }, errNoUser, errSameUser)
	if err != nil {
		return nil, nil, err
	}
	return &c.Cluster, &u.User, nil
}

// only returns the one item that is meant.
func only[T any](items []T, is func(T) bool, none, several string) (*T, error) {
	var found *T
	for i := range items {
		if !is(items[i]) {
			continue
		}
		if found != nil {
			return nil, errors.New(several)
		}
		found = &items[i]
	}
	if found == nil {
		return nil, errors.New(none)
	}
	return found, nil
}

func (c *cluster) check(o Options) string {
	switch scheme := schemeOf(c.Server); {
	case scheme == "":
		return errConfigServer
	case o.AllowInsecure:
		return ""
	case scheme == "http":
		return errConfigHTTP
	case c.Insecure:
		return errSkipVerify
	case c.CAData == "":
		return errConfigNoCA
	default:
		return ""
	}
}

func (u *user) check() string {
	switch {
	case u.CertData != "" && u.KeyData == "":
		return errUserNoKey
	case u.KeyData != "" && u.CertData == "":
		return errUserNoCert
	case u.Token == "" && u.CertData == "" && (u.Username == "" || u.Password == ""):
		return errUserNothing
	default:
		return ""
	}
}

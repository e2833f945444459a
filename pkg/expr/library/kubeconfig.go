package library

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types/ref"
)

const (
	errNotKubeconfig    Error = "the text is not a kubeconfig, nor the base64 of one"
	errNoCluster        Error = "the kubeconfig has no cluster"
	errWhichCluster     Error = "the kubeconfig has several clusters and no current-context"
	errNoContext        Error = "the kubeconfig has no context of the name that current-context has"
	errNoContextCluster Error = "the kubeconfig has no cluster of the name that the current context has"
	errSameName         Error = "the kubeconfig has two clusters or two contexts of one name"
	errNoServer         Error = "the kubeconfig's cluster has no server"
	errServer           Error = "the server is not an http or https URL with a host"
	errCA               Error = "the CA is not base64 (standard alphabet, padded, no line breaks)"
	errToken            Error = "the token is not the base64 of a token"
)

// kubeconfigFunctions declares what policies do to kubeconfigs:
//
//	kubeconfig.server(string) -> string
//	kubeconfig.withServer(string, string) -> string
//	kubeconfig.fromToken(string, string, string) -> string
//
// The first argument of server and withServer is a kubeconfig: base64, as the data of a Secret has it, or its text,
// YAML or JSON. A kubeconfig's text has a colon and base64 has none, so it is always clear which. Both work on the
// cluster of the current context, or on the only cluster when there is no current-context. withServer returns the
// form that it was given, base64 or text; the text is YAML with keys in their order, all fields kept, comments not.
//
// fromToken makes the kubeconfig of a server URL, a CA and a token, the latter two base64 as in a Secret, and returns
// base64, as PediaCluster has it. An empty CA is left out: the server's certificate is then verified with the CAs of
// the system. White space around a token is dropped.
func kubeconfigFunctions() []cel.EnvOption {
	text := cel.StringType
	replace := ofTexts(2, func(t []string) (string, error) { return withServer(t[0], t[1]) })
	create := ofTexts(3, func(t []string) (string, error) { return kubeconfigFromToken(t[0], t[1], t[2]) })
	return []cel.EnvOption{
		textFunction("kubeconfig.server", "kubeconfig_server_string", serverOf),
		cel.Function("kubeconfig.withServer",
			cel.Overload("kubeconfig_withserver_string_string", []*cel.Type{text, text}, text,
				cel.BinaryBinding(func(config, server ref.Val) ref.Val { return replace(config, server) }))),
		cel.Function("kubeconfig.fromToken",
			cel.Overload("kubeconfig_fromtoken_string_string_string", []*cel.Type{text, text, text}, text,
				cel.FunctionBinding(create))),
	}
}

func serverOf(text string) (string, error) {
	k, err := readKubeconfig(text)
	if err != nil {
		return "", err
	}
	cluster, err := k.cluster()
	if err != nil {
		return "", err
	}
	server, _ := cluster["server"].(string)
	if server == "" {
		return "", errNoServer
	}
	return server, nil
}

func withServer(text, server string) (string, error) {
	if !isServer(server) {
		return "", errServer
	}
	k, err := readKubeconfig(text)
	if err != nil {
		return "", err
	}
	cluster, err := k.cluster()
	if err != nil {
		return "", err
	}
	// The document was made by reading the text: nothing else holds it.
	cluster["server"] = server
	return k.write()
}

func kubeconfigFromToken(server, ca, token string) (string, error) {
	if !isServer(server) {
		return "", errServer
	}
	if max(len(ca), len(token)) > maxKubeconfig {
		return "", errTooLong
	}
	cluster := map[string]any{"server": server}
	if ca != "" {
		if _, err := decodeBase64(ca); err != nil {
			return "", errCA
		}
		cluster["certificate-authority-data"] = ca
	}
	raw, err := decodeBase64(token)
	if err != nil {
		return "", errToken
	}
	bearer := strings.TrimSpace(string(raw))
	if bearer == "" || !utf8.ValidString(bearer) || strings.ContainsFunc(bearer, notInToken) {
		return "", errToken
	}
	const name = "default"
	k := kubeconfig{encoded: true, doc: map[string]any{
		"apiVersion":      "v1",
		"kind":            "Config",
		"clusters":        []any{map[string]any{"name": name, "cluster": cluster}},
		"users":           []any{map[string]any{"name": name, "user": map[string]any{"token": bearer}}},
		"contexts":        []any{map[string]any{"name": name, "context": map[string]any{"cluster": name, "user": name}}},
		"current-context": name,
	}}
	return k.write()
}

// notInToken finds what an HTTP header cannot hold or would split at.
func notInToken(r rune) bool { return r <= ' ' || r >= 0x7f }

func isServer(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != ""
}

// kubeconfig is a kubeconfig as plain values, with the fields that this package does not know, and the form it had.
type kubeconfig struct {
	doc     map[string]any
	encoded bool
}

func readKubeconfig(text string) (kubeconfig, error) {
	encoded := !strings.Contains(text, ":")
	if len(text) > base64.StdEncoding.EncodedLen(maxKubeconfig) {
		return kubeconfig{}, errTooLong
	}
	if encoded {
		raw, err := decodeBase64(text)
		if err != nil {
			return kubeconfig{}, errNotKubeconfig
		}
		text = string(raw)
	}
	value, err := readYAML(text, maxKubeconfig)
	if err != nil {
		return kubeconfig{}, err
	}
	doc, ok := value.(map[string]any)
	if !ok {
		return kubeconfig{}, errNotKubeconfig
	}
	return kubeconfig{doc: doc, encoded: encoded}, nil
}

func (k kubeconfig) write() (string, error) {
	text, err := writeYAML(k.doc, maxKubeconfig)
	if err != nil || !k.encoded {
		return text, err
	}
	return encodeBase64(text)
}

// cluster is the cluster that clients of the kubeconfig connect to.
func (k kubeconfig) cluster() (map[string]any, error) {
	clusters, ok := k.doc["clusters"].([]any)
	if !ok || len(clusters) == 0 {
		return nil, errNoCluster
	}
	current, _ := k.doc["current-context"].(string)
	if current == "" {
		if len(clusters) > 1 {
			return nil, errWhichCluster
		}
		only, _ := clusters[0].(map[string]any)
		return content(only, "cluster", errNoCluster)
	}
	contexts, _ := k.doc["contexts"].([]any)
	context, err := named(contexts, current, "context", errNoContext)
	if err != nil {
		return nil, err
	}
	name, _ := context["cluster"].(string)
	return named(clusters, name, "cluster", errNoContextCluster)
}

// named is the content of the item of a name. Clients refuse a kubeconfig in which two have it.
func named(items []any, name, field string, missing Error) (map[string]any, error) {
	var found map[string]any
	for _, i := range items {
		item, ok := i.(map[string]any)
		if !ok || item["name"] != name {
			continue
		}
		if found != nil {
			return nil, errSameName
		}
		found = item
	}
	return content(found, field, missing)
}

func content(item map[string]any, field string, missing Error) (map[string]any, error) {
	object, ok := item[field].(map[string]any)
	if !ok {
		return nil, missing
	}
	return object, nil
}

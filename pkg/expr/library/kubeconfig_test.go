package library_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// twoClusters has a current context, fields that nobody knows, and values that a careless writer would change.
const twoClusters = `# made by hand
kind: Config
apiVersion: v1
current-context: admin@b
clusters:
- name: a
  cluster: {server: "https://a:6443"}
- name: b
  cluster:
    server: https://b:6443
    certificate-authority-data: Q0E=
    extensions: [{name: x, extension: {big: 9007199254740993, text: "yes", ratio: 1.5}}]
contexts:
- name: admin@b
  context: {cluster: b, user: admin, namespace: "0x10"}
users:
- name: admin
  user: {token: "1e3"}
preferences: {}
`

const oneCluster = `{"clusters": [{"name": "only", "cluster": {"server": "https://only"}}]}`

func kubeconfigs(config string) map[string]any {
	return map[string]any{"references": map[string]any{
		"text": config, "kubeconfig": map[string]any{"data": map[string]any{"value": b64(config)}},
	}}
}

func TestKubeconfigServer(t *testing.T) {
	const server = `kubeconfig.server(references.text)`
	named := func(list string) map[string]any { return kubeconfigs("current-context: c\n" + list) }
	run(t, map[string]testCase{
		"Base64": {
			reason: "The data of a Secret is read as it is.",
			expr:   `kubeconfig.server(references.kubeconfig.data.value)`, vars: kubeconfigs(twoClusters),
			want: "https://b:6443",
		},
		"YAML": {reason: "Text has a colon.", expr: server, vars: kubeconfigs(twoClusters), want: "https://b:6443"},
		"JSON": {reason: "JSON is YAML.", expr: server, vars: kubeconfigs(oneCluster), want: "https://only"},
		"NoContextButOneCluster": {
			reason: "An empty current-context is none.",
			expr:   server, vars: kubeconfigs("current-context: ''\nclusters: [{name: a, cluster: {server: 'https://a'}}]"),
			want: "https://a",
		},
		"NoContextSeveralClusters": {
			reason: "Nothing says which cluster is meant.",
			expr:   server, vars: kubeconfigs("clusters: [{name: a}, {name: b}]"),
			wantErr: "the kubeconfig has several clusters and no current-context",
		},
		"NoClusters": {
			reason: "A kubeconfig of users only has no server.",
			expr:   server, vars: kubeconfigs("clusters: []"), wantErr: "the kubeconfig has no cluster",
		},
		"ClusterIsNoObject": {
			reason: "What is not a kubeconfig is refused, whatever its shape.",
			expr:   server, vars: kubeconfigs("clusters: [a]"), wantErr: "the kubeconfig has no cluster",
		},
		"NoSuchContext": {
			reason: "A wrong current-context is not ignored, even with one cluster.",
			expr:   server, vars: named("clusters: [{name: a, cluster: {server: 'https://a'}}]"),
			wantErr: "the kubeconfig has no context of the name that current-context has",
		},
		"NoSuchCluster": {
			reason: "A context of a missing cluster is broken.",
			expr:   server, vars: named("clusters: [{name: a}]\ncontexts: [{name: c, context: {cluster: b}}]"),
			wantErr: "the kubeconfig has no cluster of the name that the current context has",
		},
		"SameName": {
			reason: "Clients refuse two clusters of one name.",
			expr:   server, vars: named("clusters: [{name: a}, {name: a}]\ncontexts: [{name: c, context: {cluster: a}}]"),
			wantErr: "the kubeconfig has two clusters or two contexts of one name",
		},
		"NoServer": {
			reason: "There is nothing to return.",
			expr:   server, vars: kubeconfigs("clusters: [{name: a, cluster: {}}]"),
			wantErr: "the kubeconfig's cluster has no server",
		},
		"Empty": {
			reason: "An empty value is no kubeconfig.",
			expr:   `kubeconfig.server("")`, wantErr: "the text is not a kubeconfig, nor the base64 of one",
		},
		"NotBase64": {
			reason: "Text without a colon can be base64 only.",
			expr:   `kubeconfig.server("no kubeconfig")`, wantErr: "the text is not a kubeconfig, nor the base64 of one",
		},
		"NotYAML": {
			reason: "Base64 of something else is no kubeconfig.",
			expr:   `kubeconfig.server(b64enc("a: ["))`, wantErr: "the text is not YAML with JSON values",
		},
		"Long": {
			reason: "No kubeconfig is this long.",
			expr:   server, vars: kubeconfigs("a: " + strings.Repeat("a", 128<<10)), wantErr: "the text is too long",
		},
	})
}

func TestKubeconfigWithServer(t *testing.T) {
	run(t, map[string]testCase{
		"JSONBecomesYAML": {
			reason: "Text stays text and is YAML, with keys in their order.",
			expr:   `kubeconfig.withServer(references.text, "https://new:1/path")`, vars: kubeconfigs(oneCluster),
			want: "clusters:\n- cluster:\n    server: https://new:1/path\n  name: only\n",
		},
		"Base64StaysBase64": {
			reason: "The data of a Secret stays fit for PediaCluster's field.",
			expr:   `kubeconfig.withServer(references.kubeconfig.data.value, "https://new").b64dec()`, vars: kubeconfigs(oneCluster),
			want: "clusters:\n- cluster:\n    server: https://new\n  name: only\n",
		},
		"NoServerBefore": {
			reason: "A cluster without a server gets one.",
			expr:   `kubeconfig.server(kubeconfig.withServer("clusters: [{name: a, cluster: {}}]", "http://a"))`,
			want:   "http://a",
		},
		"NotAURL": {
			reason: "A host alone is a guess.",
			expr:   `kubeconfig.withServer(references.text, "host:6443")`, vars: kubeconfigs(oneCluster),
			wantErr: "the server is not an http or https URL with a host",
		},
		"NoHost": {
			reason: "A URL without a host leads nowhere.",
			expr:   `kubeconfig.withServer(references.text, "https://:6443")`, vars: kubeconfigs(oneCluster),
			wantErr: "the server is not an http or https URL with a host",
		},
		"NoCluster": {
			reason: "A cluster is never added.",
			expr:   `kubeconfig.withServer("a: b", "https://a")`, wantErr: "the kubeconfig has no cluster",
		},
	})
}

// TestWithServerChangesNothingElse compares everything but the one server.
func TestWithServerChangesNothingElse(t *testing.T) {
	got, err := evaluate(t, newEnv(t), `kubeconfig.withServer(references.text, "https://new")`, kubeconfigs(twoClusters))
	if err != nil {
		t.Fatal(err)
	}
	want := decode(t, strings.Replace(twoClusters, "https://b:6443", "https://new", 1))
	if diff := cmp.Diff(want, decode(t, got.Value().(string))); diff != "" {
		t.Errorf("kubeconfig (-want +got):\n%s", diff)
	}
	if !strings.Contains(got.Value().(string), "9007199254740993") {
		t.Error("a large integer lost its last digits")
	}
}

func TestKubeconfigFromToken(t *testing.T) {
	text := func(cluster, token string) string {
		return "apiVersion: v1\nclusters:\n- cluster:\n" + cluster + "  name: default\ncontexts:\n- context:\n    cluster: default\n" +
			"    user: default\n  name: default\ncurrent-context: default\nkind: Config\nusers:\n- name: default\n  user:\n    token: " + token + "\n"
	}
	const server = "    server: https://a:6443\n"
	run(t, map[string]testCase{
		"Full": {
			reason: "Server, CA and token make a whole kubeconfig, in base64.",
			expr:   `kubeconfig.fromToken("https://a:6443", "Q0E=", "dG9rZW4=").b64dec()`,
			want:   text("    certificate-authority-data: Q0E=\n"+server, "token"),
		},
		"NoCA": {
			reason: "Without a CA, verification is not turned off.",
			expr:   `kubeconfig.fromToken("https://a:6443", "", "dG9rZW4=").b64dec()`,
			want:   text(server, "token"),
		},
		"TokenLikeANumber": {
			reason: "A token stays a string.",
			expr:   `kubeconfig.fromToken("https://a:6443", "", b64enc("1e3")).b64dec()`,
			want:   text(server, `"1e3"`),
		},
		"TokenLine": {
			reason: "A line break at the end is not part of a token.",
			expr:   `kubeconfig.fromToken("https://a:6443", "", b64enc("token\n")).b64dec()`,
			want:   text(server, "token"),
		},
		"ServerOfResult": {
			reason: "The result is a kubeconfig for the other functions.",
			expr:   `kubeconfig.server(kubeconfig.fromToken("https://a:6443", "", "dG9rZW4="))`, want: "https://a:6443",
		},
		"WrongServer": {
			reason: "A server is a URL.",
			expr:   `kubeconfig.fromToken("a:6443", "", "dG9rZW4=")`, wantErr: "the server is not an http or https URL with a host",
		},
		"WrongCA": {
			reason:  "A PEM text is not yet base64.",
			expr:    `kubeconfig.fromToken("https://a", "-----BEGIN CERTIFICATE-----", "dG9rZW4=")`,
			wantErr: "the CA is not base64 (standard alphabet, padded, no line breaks)",
		},
		"PlainToken": {
			reason: "A token comes as in a Secret.",
			expr:   `kubeconfig.fromToken("https://a", "", "a.b.c")`, wantErr: "the token is not the base64 of a token",
		},
		"EmptyToken": {
			reason: "A kubeconfig without credentials is never made.",
			expr:   `kubeconfig.fromToken("https://a", "", b64enc(" \n"))`, wantErr: "the token is not the base64 of a token",
		},
		"LongCA": {
			reason: "What goes into a kubeconfig is bounded as a kubeconfig is.",
			expr:   `kubeconfig.fromToken("https://a", references.text, "dG9rZW4=")`,
			vars:   kubeconfigs(strings.Repeat("A", 128<<10+4)), wantErr: "the text is too long",
		},
		"TokenOfTwoLines": {
			reason: "A line break would end the header that a token is sent in.",
			expr:   `kubeconfig.fromToken("https://a", "", b64enc("a\nb"))`, wantErr: "the token is not the base64 of a token",
		},
	})
}

// decode reads YAML as the clients of kubeconfigs do.
func decode(t testing.TB, text string) any {
	t.Helper()
	var value any
	if err := yaml.UnmarshalStrict([]byte(text), &value); err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return value
}

func FuzzKubeconfig(f *testing.F) {
	for _, seed := range []string{twoClusters, oneCluster, b64(oneCluster), "clusters: [{name: a, cluster: {server: 1}}]", "a: &a b\nc: *a", "", "::"} {
		f.Add(seed)
	}
	const server = "https://new:6443"
	env := newEnv(f)
	replace := compile(f, env, `kubeconfig.withServer(source, "`+server+`")`)
	read := compile(f, env, `kubeconfig.server(source)`)
	f.Fuzz(func(t *testing.T, text string) {
		changed, err := evalText(replace, text)
		if err != nil {
			return
		}
		if strings.Contains(text, ":") != strings.Contains(changed, ":") {
			t.Errorf("%q comes back in another form: %q", text, changed)
		}
		if got, err := evalText(read, changed); err != nil || got != server {
			t.Errorf("the server of %q is %q, error %v", changed, got, err)
		}
		if again, err := evalText(replace, changed); err != nil || again != changed {
			t.Errorf("%q changes again to %q, error %v", changed, again, err)
		}
	})
}

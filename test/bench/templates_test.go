package bench

import (
	"testing"

	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/policy"
)

// translated is a condition or selector in both languages, as policies have it, for which the object answers true.
type translated struct {
	// name is the policy's. Of a selector it says so.
	name, template, cel string
	object              map[string]any
	// shape is the part of the object's schema that the condition reads; nil is what is known of every kind.
	shape *expr.Schema
}

// vclusterSelector decodes a kubeconfig and searches it.
const vclusterSelector = "selector of vcluster"

// anyCondition is that one of the object's conditions has a type and the status True.
func anyCondition(typ string) (template, cel string) {
	return `{{ range .source.status.conditions }}{{ if eq .type "` + typ + `" }}{{ if eq .status "True" }} true {{ end }}{{ end }}{{ end }}`,
		`source.?status.?conditions.orValue([]).exists(c, c.?type.orValue("") == "` + typ + `" && c.?status.orValue("") == "True")`
}

// translations are the creation conditions of Clusterpedia's five policies and of the one of its documentation (mcp), and
// the two selectors that are more than a comparison. Two of the conditions are a word.
func translations() []translated {
	capi, capiCEL := anyCondition("ControlPlaneInitialized")
	ready, readyCEL := anyCondition("Ready")
	endpoint := `{{ if ne .source.spec.apiEndpoint "" }}` + ready + `{{ end }}`
	endpointCEL := `source.?spec.?apiEndpoint.orValue("") != "" && ` + readyCEL
	return []translated{
		{name: "cluster-api", template: capi, cel: capiCEL, object: capiCluster("True"), shape: statusSchema()},
		{name: "karmada", template: endpoint, cel: endpointCEL, object: memberCluster("cluster.karmada.io/v1alpha1"), shape: statusSchema()},
		{name: "mcp", template: endpoint, cel: endpointCEL, object: memberCluster("cluster.mcp.io/v1"), shape: statusSchema()},
		{name: "kubevela", template: "true", cel: "true", object: credentialSecret(), shape: secretSchema()},
		{name: "vcluster", template: "true", cel: "true", object: vclusterSecret("one"), shape: secretSchema()},
		{
			name: "selector of kubevela", object: credentialSecret(), shape: secretSchema(),
			template: `{{ if eq .source.metadata.namespace "vela-system" }}{{ if .source.metadata.labels }}` +
				`{{ eq (index .source.metadata.labels "cluster.core.oam.dev/cluster-credential-type") "X509Certificate" }}{{ end }}{{ end }}`,
			cel: `source.metadata.?namespace.orValue("") == "vela-system" && ` +
				`source.metadata.?labels[?"cluster.core.oam.dev/cluster-credential-type"].orValue("") == "X509Certificate"`,
		},
		{
			name: "secret", object: credentialSecret(), shape: secretSchema(),
			template: `{{ if eq .source.metadata.namespace "vela-system" }}{{ if eq .source.metadata.name "one" }}true{{ end }}{{ end }}`,
			cel:      `source.metadata.?namespace.orValue("") == "vela-system" && source.metadata.name == "one"`,
		},
		{
			name: vclusterSelector, object: vclusterSecret("one"), shape: secretSchema(),
			template: `{{ if hasPrefix "vc-" .source.metadata.name }}{{ $ca := get .source.data "certificate-authority" }}` +
				`{{ $key := get .source.data "client-key" }}{{ if and $ca $key (hasKey .source.data "config") }}` +
				`{{ $config := b64dec .source.data.config }}{{ and (contains $ca $config) (contains $key $config) }}{{ end }}{{ end }}`,
			cel: `source.metadata.name.startsWith("vc-") && ` +
				`cel.bind(ca, source.?data[?"certificate-authority"].orValue(""), cel.bind(key, source.?data[?"client-key"].orValue(""), ` +
				`ca != "" && key != "" && source.?data.?config.hasValue() && ` +
				`cel.bind(config, b64dec(source.data.config), config.contains(ca) && config.contains(key))))`,
		},
	}
}

// memberCluster is a cluster of a platform that keeps an endpoint and conditions.
func memberCluster(apiVersion string) map[string]any {
	return map[string]any{
		"apiVersion": apiVersion, "kind": "Cluster", "metadata": map[string]any{"name": "one"},
		"spec": map[string]any{"apiEndpoint": "https://10.0.0.10:6443"},
		"status": map[string]any{"conditions": []any{
			map[string]any{"type": "Joined", "status": "True"}, map[string]any{"type": "CompleteAPIEnablements", "status": "True"},
			map[string]any{"type": "Ready", "status": "True"},
		}},
	}
}

func credentialSecret() map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "Secret",
		"metadata": map[string]any{
			"name": "one", "namespace": "vela-system",
			"labels": map[string]any{"cluster.core.oam.dev/cluster-credential-type": "X509Certificate"},
		},
		"data": map[string]any{"endpoint": "aHR0cHM6Ly8xMC4wLjAuMTA6NjQ0Mw=="},
	}
}

func statusSchema() *expr.Schema {
	text := &expr.Schema{Kind: expr.String}
	condition := &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{"type": text, "status": text, "reason": text}}
	return &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{
		"apiVersion": text, "kind": text, "metadata": expr.ObjectMeta(),
		"spec":   {Kind: expr.Object, Fields: map[string]*expr.Schema{"apiEndpoint": text}},
		"status": {Kind: expr.Object, Fields: map[string]*expr.Schema{"conditions": {Kind: expr.List, Elem: condition}}},
	}}
}

func secretSchema() *expr.Schema {
	text := &expr.Schema{Kind: expr.String}
	return &expr.Schema{Kind: expr.Object, Fields: map[string]*expr.Schema{
		"apiVersion": text, "kind": text, "metadata": expr.ObjectMeta(), "type": text,
		"data": {Kind: expr.Map, Elem: &expr.Schema{Kind: expr.String, Base64: true}},
	}}
}

// rivals are the ways to evaluate one of them; all must say that it is true.
func (c translated) rivals(tb testing.TB) []rival {
	tb.Helper()
	evaluate := func(src string, shape *expr.Schema) func(b *testing.B) {
		env, err := expr.NewEnv(expr.Scope{Source: shape})
		if err != nil {
			tb.Fatal(err)
		}
		condition, list := policy.CompileCondition(env, "f", src)
		if condition == nil {
			tb.Fatal(list)
		}
		return func(b *testing.B) {
			binding := expr.NewBinding(c.object, nil)
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := condition.Bool(b.Context(), binding); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		}
	}
	data := map[string]any{"source": c.object}
	return []rival{
		{parse, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if got := parseAndExecute(b, c.template, data); got != "true" {
					b.Fatal(got)
				}
			}
		}},
		{cel, evaluate(c.cel, nil)},
		{gocel, evaluate(c.template, nil)},
		{typed, evaluate(c.template, c.shape)},
	}
}

// The bounds of a translated condition: over the same one in CEL, and under parsing and executing the template. What the
// selector of vcluster takes is the decoding of a kubeconfig and searches in it most of all, whoever asks for them.
const (
	mostOverCEL    = 2 * noise
	leastUnder     = 50.0
	leastUnderData = 4.0
)

// checkTranslations compares the translated conditions, with a schema and without.
func checkTranslations(t *testing.T, results map[string]map[string]measured) {
	t.Helper()
	for _, c := range translations() {
		m := results["translated, "+c.name]
		least := leastUnder
		if c.name == vclusterSelector {
			least = leastUnderData
		}
		for _, name := range []string{gocel, typed} {
			if over := m[name].nanoseconds / m[cel].nanoseconds; over > mostOverCEL {
				t.Errorf("%s: %s takes %.2f times what cel takes, the target is %.2f at most", c.name, name, over, mostOverCEL)
			}
			if under := m[parse].nanoseconds / m[name].nanoseconds; under < least {
				t.Errorf("%s: parse takes %.0f times what %s takes, the target is %.0f", c.name, under, name, least)
			}
		}
	}
}

package cli

import (
	"encoding/base64"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// encodeStringData moves a Secret's stringData into its data, as the API server does.
func encodeStringData(o *unstructured.Unstructured) {
	texts, ok, err := unstructured.NestedStringMap(o.Object, "stringData")
	if err != nil || !ok {
		return
	}
	data, _, err := unstructured.NestedMap(o.Object, "data")
	if err != nil || data == nil {
		data = map[string]any{}
	}
	for key, text := range texts {
		data[key] = base64.StdEncoding.EncodeToString([]byte(text))
	}
	o.Object["data"] = data
	unstructured.RemoveNestedField(o.Object, "stringData")
}

// redactor hides what comes from Secrets.
type redactor struct{ values []string }

// minSecret is the length from which a Secret's value is looked for within other text: shorter ones, such as
// "true", stand in innocent text too.
const minSecret = 6

// newRedactor knows every value of the Secrets among the objects, encoded and decoded.
func newRedactor(m *manifests) *redactor {
	r := &redactor{}
	for _, o := range m.objects {
		if o.GroupVersionKind().GroupKind() != (schema.GroupKind{Kind: "Secret"}) {
			continue
		}
		data, _, err := unstructured.NestedStringMap(o.Object, "data")
		if err != nil {
			continue
		}
		for _, encoded := range data {
			r.values = append(r.values, encoded)
			if decoded, err := base64.StdEncoding.DecodeString(encoded); err == nil {
				r.values = append(r.values, string(decoded))
			}
		}
	}
	return r
}

// credentialFields are hidden whatever their origin.
var credentialFields = map[string]bool{"kubeconfig": true, "tokenData": true, "caData": true, "certData": true, "keyData": true}

// cluster returns a copy of a PediaCluster without values of Secrets.
func (r *redactor) cluster(object map[string]any) map[string]any {
	out, _ := r.redact("", object).(map[string]any)
	return out
}

func (r *redactor) redact(key string, val any) any {
	switch v := val.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, item := range v {
			out[k] = r.redact(k, item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = r.redact(key, item)
		}
		return out
	case string:
		if credentialFields[key] && v != "" || r.holds(v) {
			return fmt.Sprintf("<redacted: %d bytes>", len(v))
		}
	}
	return val
}

func (r *redactor) holds(text string) bool {
	for _, secret := range r.values {
		if secret != "" && (text == secret || len(secret) >= minSecret && strings.Contains(text, secret)) {
			return true
		}
	}
	return false
}

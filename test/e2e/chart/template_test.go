package chart_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write what the templates give")

// variants are the sets of values that all templates are rendered with: each has a file of values, and one of what they
// give.
var variants = []string{"default", "minimal", "everything"}

func valuesFile(variant string) string { return filepath.Join("testdata", variant+".values.yaml") }

// TestTemplateLint: Helm finds nothing to complain of, be it 3 or 4.
func TestTemplateLint(t *testing.T) {
	for name, variable := range helms {
		for _, variant := range variants {
			t.Run(name+"/"+variant, func(t *testing.T) {
				out, err := helm(t.Context(), binary(t, variable), "lint", "--strict", chartDir,
					"--kube-version", "1.37.0", "--values", valuesFile(variant))
				if err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
}

// TestTemplateGolden: the templates give the same text each time, that of the files, and the same objects with both
// versions of Helm.
func TestTemplateGolden(t *testing.T) {
	for _, variant := range variants {
		t.Run(variant, func(t *testing.T) {
			got := render(t, "HELM4_BIN", "--values", valuesFile(variant))
			if again := render(t, "HELM4_BIN", "--values", valuesFile(variant)); again != got {
				t.Errorf("a second rendering differs (-first +second)\n%s", cmp.Diff(got, again))
			}
			file := filepath.Join("testdata", variant+".golden.yaml")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(objects(t, got), objects(t, render(t, "HELM3_BIN", "--values", valuesFile(variant)))); diff != "" {
				t.Errorf("Helm 3 gives something else (-4 +3)\n%s", diff)
			}
		})
	}
}

// TestTemplateSchema: a mistake in the values is refused with the name of the value.
func TestTemplateSchema(t *testing.T) {
	cases := map[string]struct{ reason, set, want string }{
		"Unknown":       {"a value that is not there is a typo", "replica=3", "replica"},
		"UnknownPolicy": {"so is a policy", "policies.capi.enabled=true", "capi"},
		"UnknownField":  {"and a value of a policy", "policies.vcluster.prefix=a", "prefix"},
		"Enum":          {"values that are names are of a list", "rbac.secrets=None", "/rbac/secrets"},
		"Namespaces":    {"Namespaced needs namespaces", "rbac.secrets=Namespaced", "/rbac/secretNamespaces"},
		"Type":          {"a number is no text", "replicas=many", "/replicas"},
		"Prefix":        {"a prefix begins a DNS name", "policies.karmada.namePrefix=Karmada_", "/policies/karmada/namePrefix"},
		"Operator":      {"a selector has the operators of Kubernetes", "policies.karmada.labelSelector.matchExpressions[0].key=a,policies.karmada.labelSelector.matchExpressions[0].operator=Gt", "operator"},
		"NoValues":      {"In needs values", "policies.karmada.labelSelector.matchExpressions[0].key=a,policies.karmada.labelSelector.matchExpressions[0].operator=In", "values"},
		"Digest":        {"a digest is whole", "image.digest=sha256:abc", "/image/digest"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := helm(t.Context(), binary(t, "HELM4_BIN"), "template", release, chartDir, "--set", tc.set)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: %q must be named, got %v", tc.reason, tc.want, err)
			}
		})
	}
}

// TestTemplateCertificates: each mode has what it needs, and no rights that only another needs.
func TestTemplateCertificates(t *testing.T) {
	const role, service = "Role clusterimport-webhook", "clusterimport-webhook.clusterimport-system.svc"
	cases := map[string]struct {
		reason string
		set    string
		args   []string
		// has and hasNot are objects.
		has, hasNot []string
		patches     bool
	}{
		"Self": {
			"the controller keeps a Secret and writes the CA bundle", "webhook.certificates.mode=self",
			[]string{"--webhook-cert-mode=Self", "--webhook-ca-secret=clusterimport-webhook-ca"},
			[]string{role}, []string{"Certificate clusterimport-webhook"}, true,
		},
		"CertManager": {
			"cert-manager does both, with an issuer of the release", "webhook.certificates.mode=certManager",
			[]string{"--webhook-cert-mode=Files", "--webhook-cert-dir=/etc/clusterimport/webhook"},
			[]string{"Certificate clusterimport-webhook", "Issuer clusterimport-webhook"}, []string{role}, false,
		},
		"Issuer": {
			"or with one that is there", "webhook.certificates.mode=certManager,webhook.certificates.issuerRef.name=own",
			[]string{"--webhook-cert-mode=Files"},
			[]string{"Certificate clusterimport-webhook"}, []string{role, "Issuer clusterimport-webhook"}, false,
		},
		"Existing": {
			"nobody does either", "webhook.certificates.mode=existing,webhook.certificates.secretName=own",
			[]string{"--webhook-cert-mode=Files"}, nil, []string{role, "Certificate clusterimport-webhook"}, false,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			found := objects(t, render(t, "HELM4_BIN", "--set", tc.set))
			pod := podOf(found["Deployment clusterimport"])
			text, err := json.Marshal(pod)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range append(tc.args, "--webhook-service=clusterimport-system/clusterimport-webhook") {
				if !strings.Contains(string(text), `"`+want+`"`) {
					t.Errorf("%s: there is no argument %s", tc.reason, want)
				}
			}
			for _, key := range tc.has {
				if found[key] == nil {
					t.Errorf("%s: there is no %s", tc.reason, key)
				}
			}
			for _, key := range tc.hasNot {
				if found[key] != nil {
					t.Errorf("%s: there is %s", tc.reason, key)
				}
			}
			if c := found["Certificate clusterimport-webhook"]; c != nil {
				if diff := cmp.Diff([]any{service, service + ".cluster.local"}, nested(t, c, "spec", "dnsNames")); diff != "" {
					t.Errorf("names (-want +got)\n%s", diff)
				}
				nested(t, found["ValidatingWebhookConfiguration clusterimport"], "metadata", "annotations", "cert-manager.io/inject-ca-from")
			}
			rules, err := json.Marshal(found["ClusterRole clusterimport-webhook"])
			if err != nil || strings.Contains(string(rules), `"patch"`) != tc.patches {
				t.Errorf("%s: the configuration may be written: %s", tc.reason, rules)
			}
		})
	}
}

// TestTemplateDocumented: the README says what each value is for, and has no value that is not there any more.
func TestTemplateDocumented(t *testing.T) {
	data, err := os.ReadFile(chartDir + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(data), "|-----|")
	rows := strings.Split(strings.TrimSpace(table), "\n")[1:]
	if !found || len(rows) < 50 {
		t.Fatalf("the README has %d values", len(rows))
	}
	for _, row := range rows {
		if cells := strings.Split(row, " | "); len(cells) < 4 || strings.Trim(cells[3], "| ") == "" {
			t.Errorf("not documented: %s", row)
		}
	}
}

// TestTemplateUmbrella: an umbrella chart may pass on what it passes to every chart.
func TestTemplateUmbrella(t *testing.T) {
	render(t, "HELM4_BIN", "--set", "enabled=true,global.imageRegistry=registry.example")
}

// policyFiles are the bundled policies by name.
func policyFiles(t *testing.T) map[string]*unstructured.Unstructured {
	t.Helper()
	files, err := filepath.Glob(chartDir + "/policies/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no policies: %v", err)
	}
	policies := map[string]*unstructured.Unstructured{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(data, &p.Object); err != nil {
			t.Fatal(err)
		}
		policies[strings.TrimSuffix(filepath.Base(file), ".yaml")] = p
	}
	return policies
}

// renderedPolicies are the policies of a rendered chart, by name.
func renderedPolicies(t *testing.T, args ...string) map[string]*unstructured.Unstructured {
	t.Helper()
	data, ok := nested(t, objects(t, render(t, "HELM4_BIN", args...))["ConfigMap clusterimport-policies"], "data").(map[string]any)
	if !ok {
		return nil
	}
	policies := map[string]*unstructured.Unstructured{}
	for key, text := range data {
		p := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(fmt.Append(nil, text), &p.Object); err != nil {
			t.Fatal(err)
		}
		policies[strings.TrimSuffix(key, ".yaml")] = p
	}
	return policies
}

// TestTemplatePolicies: without values of one's own a policy is what its file says, whatever its name.
func TestTemplatePolicies(t *testing.T) {
	var all []string
	files := policyFiles(t)
	for name := range files {
		all = append(all, "--set", "policies."+name+".enabled=true")
	}
	rendered := renderedPolicies(t, all...)
	for name, file := range files {
		if file.GetName() != name {
			t.Errorf("%s.yaml has the policy %q", name, file.GetName())
		}
		if rendered[name] == nil {
			t.Errorf("%s is not rendered", name)
			continue
		}
		if diff := cmp.Diff(file.Object["spec"], rendered[name].Object["spec"]); diff != "" {
			t.Errorf("%s (-file +rendered)\n%s", name, diff)
		}
	}
	var on []string
	for name := range renderedPolicies(t) {
		on = append(on, name)
	}
	slices.Sort(on)
	if diff := cmp.Diff([]string{"cluster-api", "karmada", "vcluster"}, on); diff != "" {
		t.Errorf("on by default (-want +got)\n%s", diff)
	}
}

// TestTemplateRights: for each policy the controller may read what the policy names, and nothing else.
func TestTemplateRights(t *testing.T) {
	for name, p := range policyFiles(t) {
		t.Run(name, func(t *testing.T) {
			set := []string{"--set", "policies." + name + ".enabled=true"}
			want := map[string]bool{}
			spec, _ := p.Object["spec"].(map[string]any)
			references, _ := spec["references"].([]any)
			for _, item := range append(references, spec["source"]) {
				kind, _ := item.(map[string]any)
				want[fmt.Sprintf("%s/%s", kind["group"], kind["resource"])] = true
			}
			role := objects(t, render(t, "HELM4_BIN", set...))["ClusterRole clusterimport-policy-"+name]
			if diff := cmp.Diff(want, readable(t, role)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			delete(want, "/secrets")
			namespaced := objects(t, render(t, "HELM4_BIN", append(set, "--set", "rbac.secrets=Namespaced,rbac.secretNamespaces={a}")...))
			if role := namespaced["ClusterRole clusterimport-policy-"+name]; len(want) > 0 {
				if diff := cmp.Diff(want, readable(t, role)); diff != "" {
					t.Errorf("Secrets of namespaces (-want +got)\n%s", diff)
				}
			} else if role != nil {
				t.Errorf("a role without rules is rendered")
			}
			if diff := cmp.Diff(map[string]bool{"/secrets": true}, readable(t, namespaced["Role clusterimport-secrets in a"])); diff != "" {
				t.Errorf("the Secrets of the namespace (-want +got)\n%s", diff)
			}
		})
	}
}

// TestTemplateOwnRights: what the controller may do, whatever it imports, is what it may without Helm.
func TestTemplateOwnRights(t *testing.T) {
	data, err := os.ReadFile(root + "/examples/controller-rbac.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := nested(t, objects(t, string(data))["ClusterRole clusterimport"], "rules")
	got := nested(t, objects(t, render(t, "HELM4_BIN"))["ClusterRole clusterimport"], "rules")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-without Helm +chart)\n%s", diff)
	}
}

// readable are the resources, as group/resource, that a role lets read, which is all that it may do.
func readable(t *testing.T, role *unstructured.Unstructured) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	rules, _ := nested(t, role, "rules").([]any)
	for _, item := range rules {
		rule, _ := item.(map[string]any)
		if diff := cmp.Diff([]any{"get", "list", "watch"}, rule["verbs"]); diff != "" {
			t.Errorf("verbs (-want +got)\n%s", diff)
		}
		groups, _ := rule["apiGroups"].([]any)
		resources, _ := rule["resources"].([]any)
		for _, group := range groups {
			for _, resource := range resources {
				found[fmt.Sprintf("%s/%s", group, resource)] = true
			}
		}
	}
	return found
}

// TestTemplateNever: whatever the values, no role has a wildcard, and nothing is rendered that a controller writes: a
// CA bundle, the data of a Secret, the rules of an aggregated role.
func TestTemplateNever(t *testing.T) {
	for _, variant := range variants {
		for key, o := range objects(t, render(t, "HELM4_BIN", "--values", valuesFile(variant))) {
			text, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			if o.GetKind() == "Secret" || strings.Contains(string(text), `"caBundle"`) {
				t.Errorf("%s: %s", variant, key)
			}
			if strings.HasSuffix(o.GetKind(), "Role") && strings.Contains(string(text), `"*"`) {
				t.Errorf("%s: %s has a wildcard", variant, key)
			}
			if _, found := o.Object["aggregationRule"]; found && o.Object["rules"] != nil {
				t.Errorf("%s: %s names the rules that are aggregated", variant, key)
			}
		}
	}
}

// TestTemplateValues: the values of a policy change what it selects and how it names, as the command line shows on the
// objects of the examples.
func TestTemplateValues(t *testing.T) {
	both := []string{"default-capi-quickstart", "default-capi-quickstart-2"}
	cases := map[string]struct {
		reason, policy, values string
		// want are the names of the PediaClusters of the example's objects.
		want []string
	}{
		"Default":    {"all clusters", "cluster-api", `{}`, both},
		"Prefix":     {"a prefix is added", "cluster-api", `{namePrefix: prod-}`, []string{"prod-default-capi-quickstart", "prod-default-capi-quickstart-2"}},
		"NoPrefix":   {"or taken away", "karmada", `{namePrefix: ""}`, []string{"member1", "member3"}},
		"OtherOne":   {"or replaced", "vcluster", `{namePrefix: virtual-}`, []string{"virtual-default-vcluster-1"}},
		"Label":      {"by a label", "cluster-api", `{labelSelector: {matchLabels: {env: prod}}}`, both[:1]},
		"OtherLabel": {"by a label that none has", "cluster-api", `{labelSelector: {matchLabels: {env: dev}}}`, nil},
		"In":         {"In needs the label", "cluster-api", `{labelSelector: {matchExpressions: [{key: env, operator: In, values: [prod]}]}}`, both[:1]},
		"NotIn":      {"NotIn does not", "cluster-api", `{labelSelector: {matchExpressions: [{key: env, operator: NotIn, values: [prod]}]}}`, both[1:]},
		"Exists":     {"with the label", "cluster-api", `{labelSelector: {matchExpressions: [{key: env, operator: Exists}]}}`, both[:1]},
		"NotExists":  {"without the label", "cluster-api", `{labelSelector: {matchExpressions: [{key: env, operator: DoesNotExist}]}}`, both[1:]},
		"Namespaces": {"by namespace", "cluster-api", `{namespaces: [default, other]}`, both},
		"Elsewhere":  {"in another namespace", "vcluster", `{namespaces: [other]}`, nil},
		"Both":       {"a policy's own selector stays", "vcluster", `{labelSelector: {matchLabels: {app: vcluster}}}`, []string{"vc-default-vcluster-1"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range imported(t, tc.policy, tc.values) {
				got = append(got, r.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

// TestTemplateSyncResources: what is collected is what the values say, and the rest of the template stays.
func TestTemplateSyncResources(t *testing.T) {
	want := imported(t, "karmada", `{}`)[0].PediaCluster["spec"]
	got := imported(t, "karmada", `{syncResources: [{group: batch, versions: [v1], resources: [jobs]}]}`)[0].PediaCluster["spec"]
	spec, _ := want.(map[string]any)
	spec["syncResources"] = []any{map[string]any{"group": "batch", "versions": []any{"v1"}, "resources": []any{"jobs"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestTemplateAllowInsecure: what may not be verified is a value too.
func TestTemplateAllowInsecure(t *testing.T) {
	for values, want := range map[string]any{"karmada.allowInsecure=false": nil, "vcluster.allowInsecure=true": true} {
		policy, _, _ := strings.Cut(values, ".")
		spec, _ := renderedPolicies(t, "--set", "policies."+values)[policy].Object["spec"].(map[string]any)
		if got := spec["allowInsecure"]; got != want {
			t.Errorf("%s gives %v", values, got)
		}
	}
}

// result is what the command line says of one object.
type result struct {
	Selected     bool           `json:"selected"`
	Name         string         `json:"name"`
	PediaCluster map[string]any `json:"pediaCluster"`
}

// imported renders the chart with values of one policy, and returns what the policy makes of the objects of its example
// that it selects.
func imported(t *testing.T, policy, values string) []result {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	rendered := renderedPolicies(t, "--values", write("values.yaml", "policies: {"+policy+": "+values+"}"))[policy]
	data, err := yaml.Marshal(rendered.Object)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), binary(t, "CLI_BIN"), "render", "--show-secrets", "-o", "json",
		"-f", write("policy.yaml", string(data)), root+"/examples/"+policy+"/objects.yaml")
	var stderr strings.Builder
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	var results []result
	if err := json.Unmarshal(out, &results); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(results, func(r result) bool { return !r.Selected })
}

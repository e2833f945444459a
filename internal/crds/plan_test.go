package crds

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/api/crd"
)

// definition makes a definition with one version v1 of that schema.
func definition(t *testing.T, schema string) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	text := "metadata: {name: things.example.com}\nspec: {group: example.com, scope: Cluster, names: {plural: things, kind: Thing}, versions: [" +
		"{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: " + schema + "}}}}]}"
	return parse(t, text)
}

func parse(t *testing.T, text string) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	d := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict([]byte(text), d); err != nil {
		t.Fatal(err)
	}
	return d
}

// applied marks a definition as one that Apply wrote.
func applied(t *testing.T, d *apiextensionsv1.CustomResourceDefinition) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	value, err := digest(d.Spec.Versions)
	if err != nil {
		t.Fatal(err)
	}
	d.Annotations = map[string]string{digestAnnotation: value}
	return d
}

// describe is a plan as text: what it found, and the schema of spec that it comes to.
func describe(t *testing.T, p *Plan) string {
	t.Helper()
	var b strings.Builder
	for _, group := range []struct {
		what  string
		paths []string
	}{{"missing", p.Missing}, {"beyond", p.Beyond}, {"differs", p.Differs}} {
		for _, path := range group.paths {
			fmt.Fprintf(&b, "%s %s\n", group.what, path)
		}
	}
	fmt.Fprintf(&b, "changed %v\n", p.Changed)
	if p.Incompatible != "" {
		return b.String() + p.Incompatible
	}
	text, err := yaml.Marshal(p.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"])
	if err != nil {
		t.Fatal(err)
	}
	json, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	return b.String() + string(json)
}

func TestPlan(t *testing.T) {
	cases := map[string]struct {
		reason        string
		live, builtin string
		// ours says that Apply wrote the live definition.
		ours bool
		want string
	}{
		"Same": {
			reason:  "Somebody else applied the same: only the mark is added.",
			live:    `{type: object, properties: {a: {type: string}}}`,
			builtin: `{type: object, properties: {a: {type: string}}}`,
			want:    "changed true\n" + `{"properties":{"a":{"type":"string"}},"type":"object"}`,
		},
		"SameOurs": {
			reason: "What is there already is not written again.", ours: true,
			live:    `{type: object, properties: {a: {type: string}}}`,
			builtin: `{type: object, properties: {a: {type: string}}}`,
			want:    "changed false\n" + `{"properties":{"a":{"type":"string"}},"type":"object"}`,
		},
		"OlderClusterpedia": {
			reason:  "Fields, limits, rules and list types are added.",
			live:    `{type: object, required: [a], properties: {a: {type: string}, l: {type: array, items: {type: object, properties: {k: {type: string}}, required: [k]}}}}`,
			builtin: `{type: object, required: [a], properties: {a: {type: string, maxLength: 9}, b: {type: boolean}, l: {type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, properties: {k: {type: string}, more: {type: integer}}, required: [k]}}}, x-kubernetes-validations: [{rule: "true"}]}`,
			want: "missing v1.spec.b\nmissing v1.spec.l[].more\nchanged true\n" +
				`{"properties":{"a":{"maxLength":9,"type":"string"},"b":{"type":"boolean"},"l":{"items":{"properties":{"k":{"type":"string"},"more":{"type":"integer"}},"required":["k"],"type":"object"},"type":"array","x-kubernetes-list-map-keys":["k"],"x-kubernetes-list-type":"map"}},"required":["a"],"type":"object","x-kubernetes-validations":[{"rule":"true"}]}`,
		},
		"NewerClusterpedia": {
			reason:  "Fields, values, wider limits, rules and demands that are not ours stay; our field is added.",
			live:    `{type: object, required: [new], x-kubernetes-validations: [{rule: self.a != "x"}], properties: {a: {type: string, maxLength: 99}, e: {type: string, enum: [x, z]}, new: {type: string}, any: {type: object, x-kubernetes-preserve-unknown-fields: true}, open: {type: string}}}`,
			builtin: `{type: object, required: [a], properties: {a: {type: string, maxLength: 9}, b: {type: boolean}, e: {type: string, enum: [x, w]}, any: {type: object, properties: {i: {type: integer}}}, open: {type: string, enum: [x]}}}`,
			want: "missing v1.spec.any.i\nmissing v1.spec.b\n" +
				"beyond v1.spec: without a\nbeyond v1.spec.a: maxLength\nbeyond v1.spec.any: x-kubernetes-preserve-unknown-fields\nbeyond v1.spec.e: \"z\"\nbeyond v1.spec.new\nbeyond v1.spec.open: any value\nchanged true\n" +
				`{"properties":{"a":{"maxLength":99,"type":"string"},"any":{"properties":{"i":{"type":"integer"}},"type":"object","x-kubernetes-preserve-unknown-fields":true},"b":{"type":"boolean"},"e":{"enum":["x","z","w"],"type":"string"},"new":{"type":"string"},"open":{"type":"string"}},"required":["new"],"type":"object","x-kubernetes-validations":[{"rule":"self.a != \"x\""}]}`,
		},
		"NewerThanAll": {
			reason:  "A definition that has all of ours and more is not written.",
			live:    `{type: object, properties: {a: {type: string}, new: {type: string}}}`,
			builtin: `{type: object, properties: {a: {type: string}}}`,
			want:    "beyond v1.spec.new\nchanged false\n" + `{"properties":{"a":{"type":"string"},"new":{"type":"string"}},"type":"object"}`,
		},
		"OlderRelease": {
			reason:  "An older release's rules and patterns are replaced, its limits are not lowered, its required field may become optional.",
			ours:    true,
			live:    `{type: object, required: [a], x-kubernetes-validations: [{rule: wrong}], properties: {a: {type: string, pattern: a, maxLength: 99, minLength: 1}, e: {type: string, enum: [x]}}}`,
			builtin: `{type: object, x-kubernetes-validations: [{rule: right}], properties: {a: {type: string, pattern: b, maxLength: 9, minLength: 2}, b: {type: boolean}, e: {type: string, enum: [x, w]}}}`,
			want: "missing v1.spec.b\nbeyond v1.spec.a: maxLength\nbeyond v1.spec.a: minLength\nchanged true\n" +
				`{"properties":{"a":{"maxLength":99,"minLength":1,"pattern":"b","type":"string"},"b":{"type":"boolean"},"e":{"enum":["x","w"],"type":"string"}},"type":"object","x-kubernetes-validations":[{"rule":"right"}]}`,
		},
		"NewerRelease": {
			reason:  "A newer release's definition is left as it is, its rules too.",
			ours:    true,
			live:    `{type: object, x-kubernetes-validations: [{rule: right}], properties: {a: {type: string}, new: {type: string}}}`,
			builtin: `{type: object, x-kubernetes-validations: [{rule: wrong}], properties: {a: {type: string}}}`,
			want: "beyond v1.spec.new\nchanged false\n" +
				`{"properties":{"a":{"type":"string"},"new":{"type":"string"}},"type":"object","x-kubernetes-validations":[{"rule":"right"}]}`,
		},
		"OtherType": {
			reason:  "A field that is something else stays what it is.",
			live:    `{type: object, properties: {a: {type: integer}, m: {type: object, additionalProperties: true}, f: {type: string, format: byte}, l: {type: array, x-kubernetes-list-type: atomic, items: {type: string}}}}`,
			builtin: `{type: object, properties: {a: {type: string, maxLength: 9}, m: {type: object, additionalProperties: {type: string}}, f: {type: string, format: date-time}, l: {type: array, x-kubernetes-list-type: set, items: {type: string}}}}`,
			want: "beyond v1.spec.m{}\ndiffers v1.spec.a: type\ndiffers v1.spec.f: format\ndiffers v1.spec.l: x-kubernetes-list-type\nchanged false\n" +
				`{"properties":{"a":{"type":"integer"},"f":{"format":"byte","type":"string"},"l":{"items":{"type":"string"},"type":"array","x-kubernetes-list-type":"atomic"},"m":{"additionalProperties":true,"type":"object"}},"type":"object"}`,
		},
		"Descriptions": {
			reason: "Words alone are no reason to write.", ours: true,
			live:    `{type: object, description: old}`,
			builtin: `{type: object, description: new}`,
			want:    "changed false\n" + `{"description":"new","type":"object"}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			live := definition(t, tc.live)
			if tc.ours {
				applied(t, live)
			}
			before := live.DeepCopy()
			builtin := definition(t, tc.builtin)
			p, err := NewPlan(live, builtin)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, describe(t, p)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(before, live); diff != "" {
				t.Errorf("the live definition was changed:\n%s", diff)
			}
			// What a plan comes to needs no second one.
			live.Spec.Versions = p.Versions
			if p.adopt {
				applied(t, live)
			}
			again, err := NewPlan(live, builtin)
			if err != nil {
				t.Fatal(err)
			}
			if again.Changed || again.Missing != nil {
				t.Errorf("the result would be changed again: %s", describe(t, again))
			}
		})
	}
}

func TestVersions(t *testing.T) {
	const ours = `{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}`
	const text = "spec: {group: example.com, scope: SCOPE, names: {plural: things, kind: Thing}, versions: [VERSIONS]}"
	cases := map[string]struct {
		reason, scope, versions, want string
	}{
		"Newer": {
			reason: "A version that we do not know stays, and so does which one is stored.", scope: "Cluster",
			versions: `{name: v1, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}, {name: v2, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}`,
			want:     "[v1 v2] beyond [v2] stored v2",
		},
		"NotServed": {
			reason: "A version that was switched off is not switched on again.", scope: "Cluster",
			versions: `{name: v1, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}, {name: v2, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}`,
			want:     "it does not serve v1",
		},
		"Gone": {
			reason: "A version that was removed is not added again.", scope: "Cluster",
			versions: `{name: v2, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}`,
			want:     "it does not serve v1",
		},
		"Scope": {
			reason: "The scope of a kind cannot be changed.", scope: "Namespaced", versions: ours,
			want: "its scope is Namespaced, not Cluster",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			live := parse(t, strings.NewReplacer("SCOPE", tc.scope, "VERSIONS", tc.versions).Replace(text))
			p, err := NewPlan(live, parse(t, strings.NewReplacer("SCOPE", "Cluster", "VERSIONS", ours).Replace(text)))
			if err != nil {
				t.Fatal(err)
			}
			got := p.Incompatible
			if got == "" {
				var names, stored []string
				for _, v := range p.Versions {
					names = append(names, v.Name)
					if v.Storage {
						stored = append(stored, v.Name)
					}
				}
				got = fmt.Sprint(names, " beyond ", p.Beyond, " stored ", strings.Join(stored, ","))
			}
			if got != tc.want {
				t.Errorf("%s: got %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

// TestColumnsAndSubresources: what kubectl shows and where status is written is added too.
func TestColumnsAndSubresources(t *testing.T) {
	live := definition(t, `{type: object}`)
	live.Spec.Versions[0].AdditionalPrinterColumns = []apiextensionsv1.CustomResourceColumnDefinition{{Name: "Theirs"}, {Name: "Both", JSONPath: ".theirs"}}
	ours := definition(t, `{type: object}`)
	ours.Spec.Versions[0].AdditionalPrinterColumns = []apiextensionsv1.CustomResourceColumnDefinition{{Name: "Both", JSONPath: ".ours"}, {Name: "Ours"}}
	ours.Spec.Versions[0].Subresources = &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}}
	p, err := NewPlan(live, ours)
	if err != nil {
		t.Fatal(err)
	}
	want := []apiextensionsv1.CustomResourceColumnDefinition{{Name: "Theirs"}, {Name: "Both", JSONPath: ".theirs"}, {Name: "Ours"}}
	if diff := cmp.Diff(want, p.Versions[0].AdditionalPrinterColumns); diff != "" || !p.Changed {
		t.Errorf("changed %v, columns (-want +got):\n%s", p.Changed, diff)
	}
	if s := p.Versions[0].Subresources; s == nil || s.Status == nil {
		t.Error("there is no status subresource")
	}
	if p, err = NewPlan(applied(t, live), ours); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ours.Spec.Versions, p.Versions); diff != "" {
		t.Errorf("an older release's columns are replaced (-want +got):\n%s", diff)
	}
}

// TestBuiltin: every built-in definition reads, and is a plan's fixed point.
func TestBuiltin(t *testing.T) {
	for _, name := range crd.Names {
		builtin, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewPlan(applied(t, builtin.DeepCopy()), builtin)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(builtin.Spec.Versions, p.Versions); diff != "" || p.Changed || p.Beyond != nil || p.Differs != nil {
			t.Errorf("%s differs from itself: %+v\n%s", name, p, diff)
		}
	}
	if _, err := Builtin("things.example.com"); err == nil {
		t.Error("there is a definition that is not built in")
	}
}

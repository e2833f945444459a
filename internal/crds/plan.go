// Package crds brings the built-in CustomResourceDefinitions into a cluster, and says how a cluster's differ from them.
//
// The definitions are Clusterpedia's as much as this project's, so a live one is never taken backwards: what it knows and
// the built-in one does not stays. The package owns that decision; the documents are in api/crd.
package crds

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// FieldManager is who the API server says wrote what Apply writes.
const FieldManager = "clusterimport"

// digestAnnotation holds the digest of spec.versions as Apply wrote it, when all of it came from releases of this
// project. A definition whose versions still have that digest is one of ours, so a newer release may replace its rules;
// from any other definition nothing is taken away.
const digestAnnotation = "clusterimport.io/versions-digest"

// Plan is what becomes of a live definition.
type Plan struct {
	// Versions are what the definition should have.
	Versions []apiextensionsv1.CustomResourceDefinitionVersion
	// Changed reports whether that is more than it has; a difference in descriptions is none.
	Changed bool
	// Missing are the versions and fields that it lacks, such as v1alpha1.spec.deletionPolicy. An API server drops a
	// field that its schema lacks without a word.
	Missing []string
	// Beyond are the versions, fields and values that it accepts and the built-in definition does not.
	Beyond []string
	// Differs are the facets that are something else in it. Its own stay.
	Differs []string
	// Incompatible says why it cannot serve this release at all; empty is that it can.
	Incompatible string

	// adopt is true when all of Versions comes from releases of this project.
	adopt bool
	// fields is true when Beyond has a version or a field, and not only values.
	fields bool
}

// NewPlan compares a live definition with the built-in one of the same name.
func NewPlan(live, builtin *apiextensionsv1.CustomResourceDefinition) (*Plan, error) {
	before, err := digest(live.Spec.Versions)
	if err != nil {
		return nil, err
	}
	ours := live.Annotations[digestAnnotation] == before
	p := merge(live, builtin, false)
	switch {
	case ours && p.fields: // a newer release's
		p.Versions, p.Changed = live.Spec.Versions, false
	case ours: // an older release's, or this one's: rules that this release does not have any more go
		p = merge(live, builtin, true)
	}
	after, err := digest(p.Versions)
	if err != nil {
		return nil, err
	}
	want, err := digest(builtin.Spec.Versions)
	if err != nil {
		return nil, err
	}
	p.adopt = ours || after == want
	p.Changed = p.Changed || p.adopt && !ours
	return p, nil
}

// merge adds to the live versions what the built-in ones have; with replace what both state is the built-in's.
func merge(live, builtin *apiextensionsv1.CustomResourceDefinition, replace bool) *Plan {
	p := &Plan{}
	if live.Spec.Scope != builtin.Spec.Scope {
		p.Incompatible = fmt.Sprintf("its scope is %s, not %s", live.Spec.Scope, builtin.Spec.Scope)
	}
	m := &merger{plan: p, replace: replace}
	for i := range live.Spec.Versions {
		version := live.Spec.Versions[i].DeepCopy()
		if ours := versionOf(builtin, version.Name); ours != nil {
			m.version(version, ours)
		} else {
			m.beyondField(version.Name)
		}
		p.Versions = append(p.Versions, *version)
	}
	for _, v := range builtin.Spec.Versions {
		if have := versionOf(live, v.Name); have == nil || !have.Served {
			// Adding a version that somebody removed would take the definition backwards.
			p.Missing = append(p.Missing, v.Name)
			p.Incompatible = "it does not serve " + v.Name
		}
	}
	p.Changed = m.changed
	return p
}

func versionOf(of *apiextensionsv1.CustomResourceDefinition, name string) *apiextensionsv1.CustomResourceDefinitionVersion {
	i := slices.IndexFunc(of.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name == name })
	if i < 0 {
		return nil
	}
	return &of.Spec.Versions[i]
}

// version merges one version into out, which is a copy of the live one.
func (m *merger) version(out, ours *apiextensionsv1.CustomResourceDefinitionVersion) {
	if out.Schema == nil {
		out.Schema = &apiextensionsv1.CustomResourceValidation{}
	}
	out.Schema.OpenAPIV3Schema = m.schema(out.Name, out.Schema.OpenAPIV3Schema, ours.Schema.OpenAPIV3Schema)
	m.subresources(out, ours)
	out.AdditionalPrinterColumns = merged(m, out.AdditionalPrinterColumns, ours.AdditionalPrinterColumns,
		func(c apiextensionsv1.CustomResourceColumnDefinition) string { return c.Name })
	out.SelectableFields = merged(m, out.SelectableFields, ours.SelectableFields,
		func(f apiextensionsv1.SelectableField) string { return f.JSONPath })
}

// subresources adds the status and scale subresources that the live version lacks.
func (m *merger) subresources(out, ours *apiextensionsv1.CustomResourceDefinitionVersion) {
	if ours.Subresources == nil {
		return
	}
	if out.Subresources == nil {
		out.Subresources = &apiextensionsv1.CustomResourceSubresources{}
	}
	if out.Subresources.Status == nil && ours.Subresources.Status != nil {
		out.Subresources.Status, m.changed = ours.Subresources.Status, true
	}
	if out.Subresources.Scale == nil && ours.Subresources.Scale != nil {
		out.Subresources.Scale, m.changed = ours.Subresources.Scale, true
	}
}

// merged is the live list with the built-in's items that it lacks; with replace it is the built-in's list.
func merged[T any](m *merger, live, ours []T, key func(T) string) []T {
	if m.replace {
		m.changed = m.changed || len(live)+len(ours) > 0 && !reflect.DeepEqual(live, ours)
		return ours
	}
	out := live
	for _, item := range ours {
		if !slices.ContainsFunc(live, func(have T) bool { return key(have) == key(item) }) {
			out, m.changed = append(out, item), true
		}
	}
	return out
}

// digest is the same for versions that say the same, whoever wrote them down.
func digest(versions []apiextensionsv1.CustomResourceDefinitionVersion) (string, error) {
	text, err := json.Marshal(versions)
	if err != nil {
		return "", fmt.Errorf("cannot write the versions as JSON: %w", err)
	}
	var plain any // raw parts, such as defaults, have keys in any order
	if err := json.Unmarshal(text, &plain); err != nil {
		return "", err
	}
	if text, err = json.Marshal(plain); err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]), nil
}

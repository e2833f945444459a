package cli

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterimport/clusterimport/api/policy/v1alpha1"
)

// verify renders objects with both policies and says in which fields the results differ. Values are not shown: they may
// come from Secrets.
func verify(cmd *cobra.Command, objects *manifests, before, after renderer) error {
	var results [2][]*renderResult
	for i, r := range []*renderer{&before, &after} {
		r.objects, r.names = objects, map[string]v1alpha1.DependentResource{}
		results[i] = r.all(cmd.Context())
	}
	if len(results[0]) == 0 {
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "no object is one of %s\n", before.policy.Spec.Source.Resource)
		return errFindings
	}
	different := 0
	for i, old := range results[0] {
		found := differences(old, results[1][i])
		if len(found) == 0 {
			continue
		}
		different++
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%s differs:\n  %s\n", old.Source, strings.Join(found, "\n  "))
	}
	if different > 0 {
		_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%d of %d results differ\n", different, len(results[0]))
		return errFindings
	}
	_, err := fmt.Fprintf(cmd.ErrOrStderr(), "%d results are the same\n", len(results[0]))
	return err
}

// differences are those of two results for one source.
func differences(old, now *renderResult) []string {
	var out []string
	decision := func(name string, a, b *bool) {
		if !reflect.DeepEqual(a, b) {
			out = append(out, fmt.Sprintf("%s: %s in Go templates, %s in CEL", name, decided(a), decided(b)))
		}
	}
	decision("selected", old.Selected, now.Selected)
	if old.Name != now.Name {
		out = append(out, "name")
	}
	if !reflect.DeepEqual(old.References, now.References) {
		out = append(out, "references")
	}
	decision("ready", old.Ready, now.Ready)
	out = append(out, changed("pediaCluster", old.PediaCluster, now.PediaCluster)...)
	if len(out) == 0 && old.Reason != now.Reason {
		out = append(out, fmt.Sprintf("reason: %q in Go templates, %q in CEL", old.Reason, now.Reason))
	}
	return out
}

func decided(b *bool) string {
	if b == nil {
		return "not known"
	}
	return strconv.FormatBool(*b)
}

// changed are the paths of fields that differ.
func changed(path string, a, b any) []string {
	if reflect.DeepEqual(a, b) {
		return nil
	}
	left, ok := a.(map[string]any)
	right, same := b.(map[string]any)
	if !ok || !same || left == nil || right == nil {
		return []string{path}
	}
	keys := map[string]bool{}
	for _, object := range []map[string]any{left, right} {
		for key := range object {
			keys[key] = true
		}
	}
	var out []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		out = append(out, changed(path+"."+key, left[key], right[key])...)
	}
	return out
}

// Package chart_test tests the Helm chart: what its templates give, and what becomes of it on a real API server, where
// the Pods that it asks for run as local processes.
package chart_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/clusterimport/clusterimport/test/e2e/cluster"
)

const (
	root      = "../../.."
	chartDir  = root + "/charts/clusterimport"
	namespace = "clusterimport-system"
	release   = "clusterimport"
)

// helms are the supported major versions and the variables that name their binaries.
var helms = map[string]string{"Helm4": "HELM4_BIN", "Helm3": "HELM3_BIN"}

// binary returns the path that a variable of the Makefile holds.
func binary(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Fatalf("%s is not set: make test-chart and make e2e-chart set it", variable)
	}
	return path
}

// helm runs one of the helms and returns what it prints, or an error with what it complains of.
func helm(ctx context.Context, bin string, args ...string) (string, error) {
	command := exec.CommandContext(ctx, bin, args...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w\n%s", filepath.Base(bin), err, stderr.String())
	}
	return stdout.String(), nil
}

// render is what helm template gives.
func render(t *testing.T, variable string, args ...string) string {
	t.Helper()
	out, err := helm(t.Context(), binary(t, variable), append([]string{
		"template", release, chartDir, "--namespace", namespace, "--kube-version", "1.37.0",
	}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// objects are the documents of a rendered chart, by kind and name.
func objects(t *testing.T, manifest string) map[string]*unstructured.Unstructured {
	t.Helper()
	list, err := cluster.Decode([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatal("there are no objects")
	}
	found := map[string]*unstructured.Unstructured{}
	for _, o := range list {
		key := o.GetKind() + " " + o.GetName()
		if o.GetNamespace() != namespace && o.GetNamespace() != "" {
			key += " in " + o.GetNamespace()
		}
		if found[key] != nil {
			t.Errorf("there are two of %s", key)
		}
		found[key] = o
	}
	return found
}

// nested is a value within an object.
func nested(t *testing.T, o *unstructured.Unstructured, path ...string) any {
	t.Helper()
	if o == nil {
		t.Fatal("there is no such object")
	}
	val, found, err := unstructured.NestedFieldNoCopy(o.Object, path...)
	if err != nil || !found {
		t.Fatalf("%s %s has no %q: %v", o.GetKind(), o.GetName(), path, err)
	}
	return val
}

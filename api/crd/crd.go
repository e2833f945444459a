// Package crd holds the CustomResourceDefinitions of the API packages, generated from their types.
// It owns the documents; it neither parses nor applies them.
package crd

import (
	"embed"
	"fmt"
	"slices"
)

//go:embed *.yaml
var files embed.FS

// Names are the definitions of this package: the metadata.name of each, in the order to apply them.
var Names = []string{
	"clustersyncresources.cluster.clusterpedia.io",
	"pediaclusters.cluster.clusterpedia.io",
	"clusterimportpolicies.policy.clusterpedia.io",
	"pediaclusterlifecycles.policy.clusterpedia.io",
}

// YAML returns the definition of that name as one YAML document.
func YAML(name string) ([]byte, error) {
	if slices.Contains(Names, name) {
		return files.ReadFile(fileName(name))
	}
	return nil, fmt.Errorf("no CustomResourceDefinition %q is built in", name)
}

// fileName turns plural.group into controller-gen's group_plural.yaml.
func fileName(name string) string {
	for i := range name {
		if name[i] == '.' {
			return name[i+1:] + "_" + name[:i] + ".yaml"
		}
	}
	return name
}

package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const clusterAPI = "sigs.k8s.io/cluster-api@v1.14.2"

// CAPIDefinition returns Cluster API's own definition of its Cluster, as data from the project's Go module.
func CAPIDefinition(ctx context.Context) ([]byte, error) {
	return ModuleFile(ctx, clusterAPI, "core/config/crd/bases/cluster.x-k8s.io_clusters.yaml")
}

// ModuleFile returns a file of a Go module, which is given as PATH@VERSION.
func ModuleFile(ctx context.Context, path, file string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", path).Output()
	if err != nil {
		return nil, fmt.Errorf("cannot download %s: %w", path, err)
	}
	var module struct {
		Dir string `json:"Dir"` //nolint:tagliatelle // the go command's
	}
	if err := json.Unmarshal(out, &module); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(module.Dir, filepath.FromSlash(file)))
}

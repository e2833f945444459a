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
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", clusterAPI).Output()
	if err != nil {
		return nil, fmt.Errorf("cannot download %s: %w", clusterAPI, err)
	}
	var module struct {
		Dir string `json:"Dir"` //nolint:tagliatelle // the go command's
	}
	if err := json.Unmarshal(out, &module); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(module.Dir, "core", "config", "crd", "bases", "cluster.x-k8s.io_clusters.yaml"))
}

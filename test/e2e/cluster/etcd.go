package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Compact makes etcd forget every state but the latest: who watches from an older one has to list again.
func (c *Cluster) Compact(ctx context.Context) error {
	data, err := os.ReadFile(filepath.Join(c.dir, "ports.json"))
	if err != nil {
		return err
	}
	var ports struct {
		EtcdClient int `json:"etcdClient"`
	}
	if err := json.Unmarshal(data, &ports); err != nil {
		return err
	}
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{fmt.Sprintf("http://127.0.0.1:%d", ports.EtcdClient)}})
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	latest, err := client.Get(ctx, "any")
	if err != nil {
		return fmt.Errorf("cannot ask for the latest revision: %w", err)
	}
	if _, err := client.Compact(ctx, latest.Header.GetRevision(), clientv3.WithCompactPhysical()); err != nil {
		return fmt.Errorf("cannot compact: %w", err)
	}
	return nil
}

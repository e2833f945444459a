package controlplane

import (
	"context"
	"os"
	"time"
)

// UntilParentEnds returns a context that ends when the process that started this one does, so that a test that
// is killed leaves no server behind.
func UntilParentEnds(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	parent := os.Getppid()
	go func() {
		defer cancel()
		ticker := time.NewTicker(500 * time.Millisecond)
		defer ticker.Stop()
		for os.Getppid() == parent {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
		}
	}()
	return ctx
}

package controlplane

import (
	"context"
	"os"
	"time"
)

// UntilParentEnds returns a context that ends when the process that started this one does, so that a test that
// is killed leaves no server behind. The kernel's own signal for that is of no use: it comes when the parent's thread
// ends, and a Go program has threads that end before it does.
func UntilParentEnds(ctx context.Context) context.Context {
	parent := os.Getppid()
	ctx, cancel := context.WithCancel(ctx)
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

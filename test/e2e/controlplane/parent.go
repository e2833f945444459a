package controlplane

import (
	"context"
	"os"
	"time"
)

// UntilParentEnds returns a context that ends when the process that started this one does, so that a test that
// is killed leaves no server behind. Where the kernel can, it also sends a SIGTERM then; that alone would miss
// a parent that ends before it is asked to.
func UntilParentEnds(ctx context.Context) context.Context {
	parent := os.Getppid()
	terminateWithParent()
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

//go:build !linux

package controlplane

// terminateWithParent does nothing where the kernel does not tell of a parent's end.
func terminateWithParent() {}

package controlplane

import "golang.org/x/sys/unix"

// terminateWithParent has the kernel send SIGTERM when the parent ends. An error is no harm: the parent is
// looked after by polling too.
func terminateWithParent() {
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGTERM), 0, 0, 0)
}

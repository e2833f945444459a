package policy

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

// FuzzIsSubdomain compares isSubdomain with what the API server checks.
func FuzzIsSubdomain(f *testing.F) {
	for _, name := range []string{
		"", "a", "A", "a.b", "a..b", ".a", "a.", "-a", "a-", "a-.b", "a.-b", "a--b", "1", "a_b", "ä", "a b",
		strings.Repeat("a", 253), strings.Repeat("a", 254), strings.Repeat("a.", 126) + "a",
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		faults := validation.IsDNS1123Subdomain(name)
		if got := isSubdomain(name); got != (len(faults) == 0) {
			t.Errorf("isSubdomain(%q) is %v; Kubernetes says %q", name, got, faults)
		}
	})
}

package compat_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestCodes shows that every code is explained to users, and that the text of its diagnostic is tested.
func TestCodes(t *testing.T) {
	documented := read(t, "../../docs/compat.md")
	tested := read(t, "../policy/testdata/diagnostics/*.txtar")
	// A translation that does not type-check is a mistake of this package, which no template is known to cause; the
	// other one is said by a conversion, and not of a policy.
	untested := []string{"CT-TYPE", "CT-NATIVE"}
	codes := regexp.MustCompile(`"(CT-[A-Z0-9-]+)"`).FindAllStringSubmatch(read(t, "*.go")+read(t, "sprig/*.go"), -1)
	if len(codes) < 20 {
		t.Errorf("only %d codes were found", len(codes))
	}
	for _, code := range codes {
		if !strings.Contains(documented, "`"+code[1]+"`") {
			t.Errorf("docs/compat.md does not explain %s", code[1])
		}
		if !strings.Contains(tested, "["+code[1]+"]") && !slices.Contains(untested, code[1]) {
			t.Errorf("no test of pkg/policy has the diagnostic %s", code[1])
		}
	}
}

// read is the text of files.
func read(t *testing.T, pattern string) string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatal(pattern, err)
	}
	var b strings.Builder
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	return b.String()
}

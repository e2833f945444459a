package simulation

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReliabilityTable holds docs/reliability.md to naming tests, planted bugs and scripts that exist.
func TestReliabilityTable(t *testing.T) {
	const root = "../.."
	tests := map[string]bool{}
	declaration := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, found := range declaration.FindAllSubmatch(source, -1) {
			tests[string(found[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plants {
		tests[p.name] = true
	}
	text, err := os.ReadFile(filepath.Join(root, "docs", "reliability.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (\d+) \| [^|]+ \| (.+) \|$`).FindAllStringSubmatch(string(text), -1)
	if len(rows) < 40 {
		t.Errorf("the table has %d rows", len(rows))
	}
	for _, row := range rows {
		named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(row[2], -1)
		if len(named) == 0 {
			t.Errorf("row %s names no test", row[1])
		}
		for _, name := range named {
			if !tests[name[1]] {
				t.Errorf("row %s: there is no %s", row[1], name[1])
			}
		}
		for _, part := range regexp.MustCompile(`\(([\w-]+)\)`).FindAllStringSubmatch(row[2], -1) {
			if _, err := os.Stat(filepath.Join("testdata", part[1]+".script")); err != nil && !tests[part[1]] {
				t.Errorf("row %s: there is no planted bug and no script %s", row[1], part[1])
			}
		}
	}
}

package sourcemap_test

import (
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/clusterimport/clusterimport/internal/sourcemap"
)

const file = `# a comment
kind: First
---
kind: Second
spec:
  plain: abc "def"
  single: 'it''s X'
  double: "a\tb\u0041\"X\n next"
  literal: |
    one
      two X

    four
  folded: >-
    one
    two X

    four
  long: one two
    three X
  quoted: "one
    two \
    three X"
  tagged: !!str &anchor tag X
  indented: |2
      deep X
  list:
    - name: a
      text: |-
        first
        äöü X
    - {flow: [x, "y X"]}
  alias: *anchor
  empty: ""
`

func documents(t *testing.T, text string) []*sourcemap.Document {
	t.Helper()
	all := sourcemap.Split([]byte(text))
	for _, d := range all {
		if err := d.Parse(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestPosition looks for the X of each field: where it is in the value, and where in the file.
func TestPosition(t *testing.T) {
	d := documents(t, file)[1]
	lines := strings.Split(file, "\n")
	var values map[string]any
	if err := yaml.Unmarshal(d.Text, &values); err != nil {
		t.Fatal(err)
	}
	spec := values["spec"].(map[string]any)
	cases := map[string]struct {
		reason string
		value  any
	}{
		"single":          {"a doubled quote is one character", spec["single"]},
		"double":          {"an escape is one character", spec["double"]},
		"literal":         {"lines of a literal block are lines", spec["literal"]},
		"folded":          {"the end of a line is a space", spec["folded"]},
		"long":            {"a plain text may go on", spec["long"]},
		"quoted":          {"a quoted text may go on, and an escaped line break is nothing", spec["quoted"]},
		"tagged":          {"a tag and an anchor are not the value", spec["tagged"]},
		"indented":        {"an indentation that is given is not more than it says", spec["indented"]},
		"list[0].text":    {"columns count characters", spec["list"].([]any)[0].(map[string]any)["text"]},
		"list[1].flow[1]": {"items are found by their number", spec["list"].([]any)[1].(map[string]any)["flow"].([]any)[1]},
		"alias":           {"an alias is where its anchor is", spec["alias"]},
	}
	for field, tc := range cases {
		t.Run(field, func(t *testing.T) {
			line, column := 0, 0
			for i, text := range strings.Split(tc.value.(string), "\n") {
				if before, _, ok := strings.Cut(text, "X"); ok {
					line, column = i+1, len([]rune(before))+1
				}
			}
			fileLine, fileColumn := d.Position("spec."+field, line, column)
			if text := []rune(lines[fileLine-1]); fileColumn > len(text) || text[fileColumn-1] != 'X' {
				t.Errorf("%s: %d:%d is %d:%d", tc.reason, line, column, fileLine, fileColumn)
			}
		})
	}
}

// TestFields: a field without a place in its text, and fields that are not there.
func TestFields(t *testing.T) {
	d := documents(t, file)[1]
	cases := map[string]struct {
		reason       string
		field        string
		line, column int
		want         string
	}{
		"Value":     {"a field is where its key is", "spec.plain", 0, 0, "6:3"},
		"Document":  {"the document is where it begins", "", 0, 0, "4:1"},
		"Missing":   {"a field that is missing is where its mapping is", "spec.nothing", 1, 1, "5:1"},
		"InMissing": {"a field of a missing one too", "spec.nothing.more[3]", 0, 0, "5:1"},
		"InScalar":  {"a field of a text is where the text is", "spec.plain.more", 3, 3, "6:3"},
		"InItem":    {"an item is where it begins", "spec.list[0]", 0, 0, "28:7"},
		"Item":      {"an item that is missing is where its list is", "spec.list[9].name", 0, 0, "27:3"},
		"TooFar":    {"a place that the text does not have is where the field is", "spec.plain", 9, 9, "6:3"},
		"End":       {"the end of a text is behind it", "spec.plain", 1, 10, "6:19"},
		"Empty":     {"an empty text has a begin", "spec.empty", 1, 1, "34:11"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			line, column := d.Position(tc.field, tc.line, tc.column)
			if got := fmt.Sprintf("%d:%d", line, column); got != tc.want {
				t.Errorf("%s: got %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

func TestSplit(t *testing.T) {
	cases := map[string]struct {
		reason, text string
		want         []string
	}{
		"Empty":    {"nothing is no document", "", nil},
		"Comments": {"white space is none", "\n \n---\n\n---", nil},
		"Two":      {"a separator may be the first line, and have words", "--- # one\na: 1\n---\nb: 2", []string{"1 a: 1\n", "3 b: 2"}},
		"CRLF":     {"lines may end as on Windows", "a: 1\r\n---\r\nb: 2\r\n", []string{"0 a: 1\r\n", "2 b: 2\r\n"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, d := range sourcemap.Split([]byte(tc.text)) {
				padding := len(d.Padded()) - len(d.Text)
				got = append(got, fmt.Sprintf("%d %s", padding, d.Text))
			}
			if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", tc.want) {
				t.Errorf("%s: got %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// FuzzPosition: whatever is written, a place is one of the file.
func FuzzPosition(f *testing.F) {
	f.Add(file, 2, 3)
	f.Add("a: |9\n  x", 1, 1)
	f.Add("a: \"\\", 1, 1)
	f.Add("{\"a\": \"b\\u0041\"}", 1, 2)
	f.Add("a: &b |\n x\nc: *b", 1, 1)
	f.Fuzz(func(t *testing.T, text string, line, column int) {
		lines := strings.Split(text, "\n")
		for _, d := range sourcemap.Split([]byte(text)) {
			if d.Parse() != nil {
				continue
			}
			for _, field := range []string{"a", "spec.literal", "spec.folded", "spec.list[0].text", "c"} {
				fileLine, fileColumn := d.Position(field, line, column)
				if fileLine < 1 || fileLine > len(lines)+1 || fileColumn < 1 {
					t.Fatalf("%q %s:%d:%d is %d:%d", text, field, line, column, fileLine, fileColumn)
				}
			}
		}
	})
}

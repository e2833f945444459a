package diag_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterimport/clusterimport/pkg/diag"
)

func TestString(t *testing.T) {
	cases := map[string]struct {
		reason, text string
		offset       int
		want         string
	}{
		"Line":    {"the caret stands under the place", "one\ntwo three\n", 8, "error: f:2:5: m [C]\n  | two three\n  |     ^"},
		"Unicode": {"columns count characters", "äöü x", 7, "error: f:1:5: m [C]\n  | äöü x\n  |     ^"},
		"Tab":     {"a tab before the caret stays a tab", "\tx", 1, "error: f:1:2: m [C]\n  | \tx\n  | \t^"},
		"End":     {"an offset past the end is the end", "ab", 9, "error: f:1:3: m [C]\n  | ab\n  |   ^"},
		"Long": {
			"a long line is cut around the place", strings.Repeat("a", 500) + "X" + strings.Repeat("b", 500), 500,
			"error: f:1:501: m [C]\n  | " + strings.Repeat("a", 60) + "X" + strings.Repeat("b", 59) + "\n  | " + strings.Repeat(" ", 60) + "^",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := diag.At(diag.Error, "C", "f", tc.text, tc.offset, "m").String()
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: (-want +got)\n%s", tc.reason, diff)
			}
		})
	}
}

func TestList(t *testing.T) {
	list := diag.List{
		{Severity: diag.Warning, Code: "W", Field: "b", Message: "careful"},
		{Severity: diag.Error, Code: "E", Field: "a", Message: "wrong", Hint: "right"},
	}
	list.Sort()
	if diff := cmp.Diff("error: a: wrong [E]\n  hint: right\nwarning: b: careful [W]", list.String()); diff != "" {
		t.Errorf("a list is sorted by field (-want +got)\n%s", diff)
	}
	if !list.HasErrors() || list[1:].HasErrors() || list[1:].Err() != nil || list.Err() == nil {
		t.Error("only errors refuse")
	}
	if errs := list.FieldErrors(); len(errs) != 1 || errs[0].Field != "a" {
		t.Errorf("field errors are %v", errs)
	}
}

func TestFull(t *testing.T) {
	var list diag.List
	for range diag.Most {
		if list.Full(diag.Warning) {
			t.Fatalf("%d warnings are full", len(list))
		}
		list = append(list, diag.Diagnostic{Severity: diag.Warning}, diag.Diagnostic{Severity: diag.Info})
	}
	if !list.Full(diag.Warning) || list.Full(diag.Error) {
		t.Error("the warnings are not full, or the errors are")
	}
}

// TestLongLine shows the part of a long line that a diagnostic speaks of.
func TestLongLine(t *testing.T) {
	line := strings.Repeat("é", 100) + "X" + strings.Repeat("é", 100)
	d := diag.At(diag.Error, "C", "f", "first\r\n"+line+"\r\nlast", len("first\r\n")+200, "m")
	want := "error: f:2:101: m [C]\n  | " + strings.Repeat("é", 60) + "X" + strings.Repeat("é", 59) + "\n  | " + strings.Repeat(" ", 60) + "^"
	if d.Excerpt != line || d.String() != want {
		t.Errorf("%q\n%s", d.Excerpt, d)
	}
}

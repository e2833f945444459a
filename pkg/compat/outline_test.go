package compat

import (
	"strings"
	"testing"

	"github.com/clusterimport/clusterimport/pkg/diag"
)

// TestOutline shows that what is refused before it is parsed is what nests too deep or looks up too much, and nothing
// that only looks like it.
func TestOutline(t *testing.T) {
	ifs := func(n int, body, end string) string {
		return strings.Repeat("{{if 1}}"+body, n) + strings.Repeat(end, n)
	}
	cases := map[string]struct {
		reason, template string
		want             diag.Code
	}{
		"Deep":        {"actions nest", ifs(maxNesting+1, "", "{{end}}"), CodeTooLarge},
		"NotDeep":     {"as many are fine, for the parser", ifs(maxNesting, "", "{{end}}"), ""},
		"Sequence":    {"what is closed does not nest", strings.Repeat("{{if 1}}{{else if 2}}{{else}}{{end}}", 500), ""},
		"Trimmed":     {"signs that trim are none of keywords", strings.Repeat("{{- if 1 -}}x{{- end -}}", 500), ""},
		"NoSpace":     {"a keyword ends with its letters", strings.Repeat("{{if(1)}}", maxNesting+1), CodeTooLarge},
		"Space":       {"white space does not hide one", strings.Repeat("{{"+strings.Repeat(" \t\r\n", 20)+"if 1}}", maxNesting+1), CodeTooLarge},
		"ElseIf":      {"an else if nests in the one before it", "{{if 1}}" + strings.Repeat("{{else   with 1}}", maxNesting), CodeTooLarge},
		"Define":      {"templates within templates nest too", strings.Repeat(`{{block "x" .}}`, maxNesting+1), CodeTooLarge},
		"Comment":     {"a comment closes nothing", ifs(maxNesting+1, "{{- /* }} {{end}} */ -}}", ""), CodeTooLarge},
		"Quoted":      {"nor does a literal", ifs(maxNesting+1, `{{"}}\"{{end}}"}}{{'"'}}`+"{{`{{end}}`}}", ""), CodeTooLarge},
		"InComment":   {"a comment opens nothing", strings.Repeat("{{/* {{if 1}} */}}", 500), ""},
		"InLiteral":   {"nor does a literal", strings.Repeat("{{`{{if 1}}`}}", 500), ""},
		"Unclosed":    {"an action without an end is for the parser to refuse", "{{if `", ""},
		"Parentheses": {"parentheses nest too", "{{" + strings.Repeat("(", maxNesting+1), CodeTooLarge},
		"Sums":        {"those after each other do not", "{{print" + strings.Repeat(" (1)", 500) + "}}", ""},
		"Variables":   {"each use looks at each variable", strings.Repeat("{{$x := 1}}", 5_000) + strings.Repeat("{{$x}}", 5_000), CodeTooLarge},
		"ManyUses":    {"few variables may be used often", "{{$x := 1}}" + strings.Repeat("{{$x}}", 20_000), ""},
		"ShellScript": {"text is none", strings.Repeat("${x:=1} ", 20_000), ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := source{"f", tc.template}
			got := diag.Code("")
			if err := s.outlined(); err != nil {
				got = s.refusals(err)[0].Code
			}
			if got != tc.want {
				t.Errorf("%s: %q, not %q", tc.reason, got, tc.want)
			}
		})
	}
}

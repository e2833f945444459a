package compat_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

// mostBytes is what translating, and what evaluating, any template may allocate in all.
const mostBytes = 32 << 20

// nested puts n openings before a text and n ends after it.
func nested(n int, open, text, end string) string {
	return strings.Repeat(open, n) + text + strings.Repeat(end, n)
}

// doubled defines n templates, each of which prints the one before it twice.
func doubled(n int) string {
	var b strings.Builder
	b.WriteString(`{{ define "t0" }}x{{ end }}`)
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, `{{ define "t%d" }}{{ template "t%d" . }}{{ template "t%d" . }}{{ end }}`, i, i-1, i-1)
	}
	fmt.Fprintf(&b, `{{ template "t%d" . }}`, n)
	return b.String()
}

// doubledVariable declares a variable and doubles it 40 times.
func doubledVariable(double string) string {
	return `{{ $v := "xxxxxxxxxxxxxxxx" }}` + strings.Repeat("{{ $v = "+double+" }}", 40) + `{{ len $v }}`
}

// hostileTemplates try to take time or memory. stops is the code of the diagnostic or error that stops them; those
// without one are evaluated, within bounds.
var hostileTemplates = map[string]struct {
	src   string
	stops diag.Code
}{
	"Text":            {strings.Repeat("x", 257<<10) + "{{ 1 }}", compat.CodeTooLarge},
	"LongText":        {strings.Repeat("x", 250<<10) + "{{ 1 }}", ""},
	"Actions":         {strings.Repeat("{{ 1 }}", 21_000), compat.CodeTooLarge},
	"ManyActions":     {strings.Repeat("{{ .a }}", 6_000), compat.CodeTooLarge},
	"FieldActions":    {strings.Repeat("{{ .source.a }}", 500), ""},
	"MoreFields":      {strings.Repeat("{{ .source.a }}", 2_500), compat.CodeTooLarge},
	"Variables":       {strings.Repeat("{{ $x := .source.a }}", 50) + "{{ $x }}", ""},
	"MoreVariables":   {strings.Repeat("{{ $x := .source.a }}", 500) + "{{ $x }}", compat.CodeTooLarge},
	"Parentheses":     {"{{ " + nested(100_000, "(", "1", ")") + " }}", compat.CodeParse},
	"SomeParentheses": {"{{ " + nested(300, "(", "1", ")") + " }}", compat.CodeTooLarge},
	"Ifs":             {nested(15_000, "{{if 1}}", "x", "{{end}}"), compat.CodeTooLarge},
	"SomeIfs":         {nested(90, "{{if .source.a}}", "x", "{{end}}"), ""},
	"ElseIfs":         {"{{if .source.a}}" + strings.Repeat("{{else if .source.a}}x", 5_000) + "{{end}}", compat.CodeTooLarge},
	"Ranges":          {nested(30, "{{range $.source.list}}", "x", "{{end}}"), expr.CodeTooExpensive},
	"WideRanges":      {nested(3, "{{range until 1000}}", "x", "{{end}}"), expr.CodeTooExpensive},
	"RangeNumber":     {"{{range 1000000000}}x{{end}}", expr.CodeTooExpensive},
	"RangeUntil":      {"{{range until 1000000000}}x{{end}}", expr.CodeTooExpensive},
	"RangeBreak":      {"{{range 100000}}{{if eq . 99999}}{{break}}{{end}}{{end}}", expr.CodeTooExpensive},
	"Recursion":       {`{{define "x"}}{{template "x" .}}{{end}}{{template "x" .}}`, compat.CodeRecursion},
	"MutualRecursion": {`{{define "x"}}{{template "y" .}}{{end}}{{define "y"}}{{template "x" .}}{{end}}{{template "x" .}}`, compat.CodeRecursion},
	"Doubled":         {doubled(40), compat.CodeTooLarge},
	"Assignments":     {`{{$x := 1}}` + strings.Repeat("{{if .source.a}}{{$x = 2}}{{end}}", 300) + "{{$x}}", compat.CodeTooLarge},
	"SomeAssignments": {`{{$x := 1}}` + strings.Repeat("{{if .source.a}}{{$x = 2}}{{end}}", 60) + "{{$x}}", ""},
	"Breaks":          {"{{range .source.list}}" + strings.Repeat("{{if .a}}{{break}}{{end}}", 300) + "{{end}}", compat.CodeTooLarge},
	"Repeat":          {`{{ repeat 1000000000 "x" }}`, expr.CodeTooExpensive},
	"RepeatData":      {`{{ repeat 1000 .source.big }}`, expr.CodeTooExpensive},
	"Indent":          {`{{ indent 1000000000 "x" }}`, expr.CodeTooExpensive},
	"Width":           {`{{ printf "%1000000000d" 1 }}`, expr.CodeTooExpensive},
	"Precision":       {`{{ printf "%.1000000000f" 1.0 }}`, expr.CodeTooExpensive},
	"Sequence":        {`{{ seq 1000000000 }}`, expr.CodeTooExpensive},
	"Steps":           {`{{ untilStep 0 1000000000 1 }}`, expr.CodeTooExpensive},
	"DoubleText":      {doubledVariable("print $v $v"), expr.CodeTooExpensive},
	"DoubleList":      {doubledVariable("list $v $v"), ""},
	"PrintDoubleList": {strings.Replace(doubledVariable("list $v $v"), "len $v", "$v", 1), expr.CodeTooExpensive},
	"EqualDoubled":    {strings.Replace(doubledVariable("list $v $v"), "len $v", "deepEqual $v (list $v)", 1), expr.CodeTooExpensive},
	"JoinOften":       {`{{range until 10000}}{{ join "," $.source.list }}{{end}}`, expr.CodeTooExpensive},
	"SortOften":       {`{{range until 10000}}{{ sortAlpha $.source.list | len }}{{end}}`, expr.CodeTooExpensive},
	"Pattern":         {`{{ regexMatch "` + strings.Repeat("(a|b)", 2000) + `" .source.big }}`, expr.CodeTooExpensive},
	"ContainsOften":   {`{{range until 10000}}{{ contains "zzz" $.source.big }}{{end}}`, expr.CodeTooExpensive},
	"Decode":          {`{{range until 10000}}{{ b64dec $.source.big | len }}{{end}}`, expr.CodeTooExpensive},
}

// TestHostileTemplates shows that every hostile template is refused or stopped, as text, as a condition and in a
// document, and that what it allocates is bounded.
func TestHostileTemplates(t *testing.T) {
	env, err := expr.NewEnv(expr.Scope{})
	if err != nil {
		t.Fatal(err)
	}
	if p, list := compat.Text(env, "f", "{{ 1 }}"); p == nil { // what is made once, and not by the first template
		t.Fatal(list)
	}
	list := make([]any, 1000)
	for i := range list {
		list[i] = fmt.Sprintf("item-%d", i)
	}
	source := map[string]any{"big": strings.Repeat("ab", 500_000), "list": list, "a": map[string]any{}}
	for name, tc := range hostileTemplates {
		t.Run(name, func(t *testing.T) {
			b := expr.NewBinding(source, nil)
			var p *expr.Program
			var list diag.List
			began := time.Now()
			compiling := allocated(func() { p, list = compat.Text(env, "f", tc.src) })
			took := time.Since(began)
			var failed error
			evaluating := uint64(0)
			if p != nil {
				evaluating = allocated(func() { _, failed = p.Text(t.Context(), b) })
			}
			t.Logf("%d KiB and %v to translate, %d KiB and %v to evaluate", compiling>>10, took, evaluating>>10, time.Since(began)-took)
			if compiling > mostBytes || evaluating > mostBytes {
				t.Errorf("translating takes %d KiB, evaluating %d KiB", compiling>>10, evaluating>>10)
			}
			if got := stopped(list, failed); got != tc.stops {
				t.Errorf("it is stopped by %q, not %q: %.300v %v", got, tc.stops, list, failed)
			}
			document := "spec:\n  server: \"" + tc.src + "\"\n"
			if made := allocated(func() {
				_, _ = compat.Condition(env, "f", tc.src)
				_, _ = compat.Document(env, "f", document, documentSchema())
				_, _ = compat.Document(env, "f", "spec:\n"+tc.src+"\n", documentSchema())
			}); made > 3*mostBytes {
				t.Errorf("translating it as a condition and in documents takes %d KiB", made>>10)
			}
		})
	}
}

func stopped(list diag.List, err error) diag.Code {
	if errs := list.Errors(); len(errs) > 0 {
		return errs[0].Code
	}
	if failed, ok := errors.AsType[*expr.Error](err); ok {
		return failed.Code()
	}
	return ""
}

// allocated is how many bytes f allocates in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

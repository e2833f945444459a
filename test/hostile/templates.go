package hostile

import (
	"fmt"
	"maps"
	"strings"

	"github.com/clusterimport/clusterimport/pkg/compat"
	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
)

const (
	parses    = compat.CodeParse
	large     = compat.CodeTooLarge
	recursion = compat.CodeRecursion
	expensive = expr.CodeTooExpensive
	evaluated = diag.Code("")
)

// times is a text n times.
func times(n int, text string) string { return strings.Repeat(text, n) }

// each is a format with each of the numbers from 0 to n-1.
func each(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// nested puts n openings before a text and n ends after it.
func nested(n int, open, text, end string) string { return times(n, open) + text + times(n, end) }

// doubled defines n templates, each of which prints the one before it twice, and the first of which prints a text.
func doubled(n int, text string) string {
	var b strings.Builder
	b.WriteString(`{{ define "t0" }}` + text + `{{ end }}`)
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, `{{ define "t%d" }}{{ template "t%d" . }}{{ template "t%d" . }}{{ end }}`, i, i-1, i-1)
	}
	fmt.Fprintf(&b, `{{ template "t%d" . }}`, n)
	return b.String()
}

// doubledVariable declares a variable and doubles it 40 times.
func doubledVariable(double, last string) string {
	return `{{ $v := "xxxxxxxxxxxxxxxx" }}` + times(40, "{{ $v = "+double+" }}") + `{{ ` + last + ` }}`
}

// often does something in each round of a loop.
func often(action string) string { return `{{range until 10000}}{{if ` + action + `}}x{{end}}{{end}}` }

// Templates are all hostile templates by their names.
func Templates() map[string]Template {
	all := map[string]Template{}
	for _, part := range []map[string]Template{sizes(), nestings(), loops(), functions(), documents()} {
		maps.Copy(all, part)
	}
	return all
}

// sizes are templates with much of something.
func sizes() map[string]Template {
	return map[string]Template{
		"Text":            {Text: times(257<<10, "x") + "{{ 1 }}", Stops: refused(large)},
		"LongText":        {Text: times(250<<10, "x") + "{{ 1 }}", Stops: always(evaluated)},
		"Actions":         {Text: times(21_000, "{{ 1 }}"), Stops: refused(large)},
		"ManyActions":     {Text: times(6_000, "{{ .a }}"), Stops: refused(large)},
		"FieldActions":    {Text: times(500, "{{ .source.a }}"), Stops: always(evaluated)},
		"MoreFields":      {Text: times(2_500, "{{ .source.a }}"), Stops: refused(large)},
		"Arguments":       {Text: "{{ print" + times(7_000, " .source.a") + " }}", Stops: refused(large)},
		"SomeArguments":   {Text: "{{ print" + times(1_900, " .source.a") + " }}", Stops: always(evaluated)},
		"Pipeline":        {Text: "{{ .source.a" + times(7_000, " | len") + " }}", Stops: refused(large)},
		"Fields":          {Text: "{{ .source" + times(120_000, ".a") + " }}", Stops: refused(large)},
		"Literals":        {Text: times(2_000, `{{"`+times(100, "x")+`"}}`), Stops: always(evaluated)},
		"Number":          {Text: "{{ " + times(200_000, "9") + ".5 }}", Stops: refused(parses)},
		"Name":            {Text: "{{ $" + times(200_000, "n") + " := 1 }}", Stops: always(evaluated)},
		"Comments":        {Text: times(15_000, "{{/**/}}"), Stops: always(evaluated)},
		"Defines":         {Text: each(8_000, `{{define "t%d"}}x{{end}}`), Stops: always(evaluated)},
		"Blocks":          {Text: each(5_000, `{{block "b%d" .}}x{{end}}`), Stops: refused(large)},
		"Variables":       {Text: times(50, "{{ $x := .source.a }}") + "{{ $x }}", Stops: always(evaluated)},
		"MoreVariables":   {Text: times(500, "{{ $x := .source.a }}") + "{{ $x }}", Stops: refused(large)},
		"Lookups":         {Text: each(9_000, "{{$%04d:=1}}") + "{{print" + times(25_000, " $8999") + "}}", Stops: refused(large)},
		"Refused":         {Text: "{{print" + times(18_000, " now") + "}}", Stops: refused("CT-NONDET")},
		"RefusedLines":    {Text: times(9_000, "{{now}}\n"), Stops: refused("CT-NONDET")},
		"Warnings":        {Text: times(9_000, "<a>{{1}}"), Stops: refused(large)},
		"Unused":          {Text: each(5_000, "{{$a%d:=.a}}"), Stops: refused(large)},
		"FarWarnings":     {Text: times(9_000, "xxxxxxx\n") + times(900, `{{b64dec "YQ=="}}`), Stops: always(evaluated)},
		"FarTemplates":    {Text: `{{define "t"}}{{.source.a}}{{end}}` + times(60_000, "é") + times(600, `{{template "t" .}}x`), Stops: always(evaluated)},
		"Characters":      {Text: times(20_000, "é") + times(500, "{{.source.a}}é"), Stops: always(evaluated)},
		"Bytes":           {Text: times(60_000, "\xff") + "{{1}}", Stops: map[Form]diag.Code{Text: evaluated, Condition: evaluated, Scalar: compat.CodeYAMLContext}},
		"Ifs":             {Text: times(800, "{{if .source.a}}x{{end}}"), Stops: refused(large)},
		"SomeIfs":         {Text: times(250, "{{if .source.a}}x{{end}}"), Stops: always(evaluated)},
		"Loops":           {Text: times(200, `{{range .source.list}}{{if .}}true{{end}}{{end}}`), Stops: always(large)},
		"Assignments":     {Text: `{{$x := 1}}` + times(300, "{{if .source.a}}{{$x = 2}}{{end}}") + "{{$x}}", Stops: refused(large)},
		"SomeAssignments": {Text: `{{$x := 1}}` + times(50, "{{if .source.a}}{{$x = 2}}{{end}}") + "{{$x}}", Stops: always(evaluated)},
		"Breaks":          {Text: "{{range .source.list}}" + times(300, "{{if .a}}{{break}}{{end}}") + "x{{end}}", Stops: refused(large)},
		"SomeBreaks":      {Text: "{{range .source.list}}" + times(30, "{{if .a}}{{break}}{{end}}x") + "{{end}}", Stops: refused(large)},
	}
}

// nestings are templates with much in each other.
func nestings() map[string]Template {
	return map[string]Template{
		"Parentheses":     {Text: "{{ " + nested(100_000, "(", "1", ")") + " }}", Stops: refused(large)},
		"SomeParentheses": {Text: "{{ " + nested(300, "(", "1", ")") + " }}", Stops: refused(large)},
		"DeepIfs":         {Text: nested(15_000, "{{if 1}}", "x", "{{end}}"), Stops: refused(large)},
		"OpenIfs":         {Text: times(30_000, "{{if 1}}"), Stops: refused(large)},
		"HiddenIfs":       {Text: times(7_000, "{{if 1}}{{/*{{end}}*/}}{{`{{end}}`}}"), Stops: refused(large)},
		"SomeDeepIfs":     {Text: nested(90, "{{if .source.a}}", "x", "{{end}}"), Stops: always(evaluated)},
		"ElseIfs":         {Text: "{{if .source.a}}" + times(5_000, "{{else if .source.a}}x") + "{{end}}", Stops: refused(large)},
		"Withs":           {Text: nested(60, "{{with .source.a}}", "x", "{{end}}"), Stops: always(evaluated)},
		"Ors":             {Text: "{{ " + nested(60, "or (", ".source.a", ") .source.b") + " }}", Stops: always(evaluated)},
		"Lists":           {Text: "{{ " + nested(60, "list (", ".source.a", ") 1") + " }}", Stops: always(evaluated)},
		"DeepBreaks":      {Text: nested(30, "{{range .source.a}}{{if .b}}{{break}}{{end}}", "x", "{{end}}"), Stops: refused(large)},
		"DeepAssignments": {Text: each(20, "{{$a%d:=1}}") + nested(20, "{{range .source.a}}", each(20, "{{$a%d = 2}}")+"x", "{{end}}"), Stops: refused(large)},
		"DeepBlocks":      {Text: each(2_000, `{{block "b%d" .}}`) + times(2_000, "{{end}}"), Stops: refused(large)},
		"Recursion":       {Text: `{{define "x"}}{{template "x" .}}{{end}}{{template "x" .}}`, Stops: refused(recursion)},
		"MutualRecursion": {Text: `{{define "x"}}{{template "y" .}}{{end}}{{define "y"}}{{template "x" .}}{{end}}{{template "x" .}}`, Stops: refused(recursion)},
		"Doubled":         {Text: doubled(40, "x"), Stops: refused(large)},
		"DoubledNothing":  {Text: doubled(40, ""), Stops: refused(large)},
	}
}

// loops are templates that go around often.
func loops() map[string]Template {
	return map[string]Template{
		"Ranges":      {Text: nested(30, "{{range $.source.list}}", "x", "{{end}}"), Stops: always(expensive)},
		"WideRanges":  {Text: nested(3, "{{range until 1000}}", "x", "{{end}}"), Stops: always(expensive)},
		"RangeNumber": {Text: "{{range 1000000000}}x{{end}}", Stops: always(expensive)},
		"RangeUntil":  {Text: "{{range until 1000000000}}x{{end}}", Stops: always(expensive)},
		"RangeBreak":  {Text: "{{range 100000}}{{if eq . 99999}}x{{break}}{{end}}{{end}}", Stops: always(expensive)},
		"RangeOnce":   {Text: "{{range until 10000}}{{range 100000}}x{{break}}{{end}}{{end}}", Stops: always(expensive)},
		"RangePairs":  {Text: "{{range until 10000}}{{range $i, $x := $.source.list}}x{{break}}{{end}}{{end}}", Stops: always(expensive)},
		"RangeKeys":   {Text: "{{range until 10000}}{{range $.source.map}}x{{break}}{{end}}{{end}}", Stops: always(expensive)},
		"RangeWaste":  {Text: often("len (until 10000)"), Stops: always(expensive)},
		"RangeList":   {Text: "{{range .source.list}}{{.}}{{end}}", Stops: always(evaluated), Costs: 3_000},
	}
}

// functions are templates whose calls take or make much.
func functions() map[string]Template {
	list := doubledVariable("list $v $v", "len $v")
	return map[string]Template{
		"Repeat":          {Text: `{{ repeat 1000000000 "x" }}`, Stops: always(expensive)},
		"RepeatData":      {Text: `{{ repeat 1000 .source.big }}`, Stops: always(expensive)},
		"RepeatOften":     {Text: often(`repeat 100000 "x"`), Stops: always(expensive)},
		"Indent":          {Text: `{{ indent 1000000000 "x" }}`, Stops: always(expensive)},
		"IndentOften":     {Text: often(`indent 100000 "x"`), Stops: always(expensive)},
		"Width":           {Text: `{{ printf "%1000000000d" 1 }}`, Stops: always(expensive)},
		"WidthOften":      {Text: often(`printf "%4096d%4096d%4096d%4096d" 1 1 1 1`), Stops: always(expensive)},
		"Precision":       {Text: `{{ printf "%.1000000000f" 1.0 }}`, Stops: always(expensive)},
		"Sequence":        {Text: `{{ seq 1000000000 }}`, Stops: always(expensive)},
		"SequenceOften":   {Text: often(`seq 1 10000`), Stops: always(expensive)},
		"Steps":           {Text: `{{ untilStep 0 1000000000 1 }}`, Stops: always(expensive)},
		"DoubleText":      {Text: doubledVariable("print $v $v", "len $v"), Stops: always(expensive)},
		"DoubleList":      {Text: list, Stops: always(evaluated)},
		"PrintDoubleList": {Text: strings.Replace(list, "len $v", "$v", 1), Stops: always(expensive)},
		"EqualDoubled":    {Text: strings.Replace(list, "len $v", "deepEqual $v (list $v)", 1), Stops: always(expensive)},
		"EqualOften":      {Text: often("eq $.source.big $.source.same"), Stops: always(expensive)},
		"JoinOften":       {Text: `{{range until 10000}}{{ join "," $.source.list }}{{end}}`, Stops: always(expensive)},
		"SortOften":       {Text: `{{range until 10000}}{{ sortAlpha $.source.list | len }}{{end}}`, Stops: always(expensive)},
		"UniqOften":       {Text: often("uniq $.source.some"), Stops: always(expensive)},
		"DictOften":       {Text: often("dict $.source.some 1"), Stops: always(expensive)},
		"SplitOften":      {Text: often(`splitList "" $.source.part`), Stops: always(expensive)},
		"MarshalOften":    {Text: often("toPrettyJson $.source.some"), Stops: always(expensive)},
		"EscapeOften":     {Text: often("js $.source.part"), Stops: always(expensive)},
		"CaseOften":       {Text: often("snakecase $.source.part"), Stops: always(expensive)},
		"ReplaceOften":    {Text: often(`replace "a" "` + times(100, "y") + `" $.source.part`), Stops: always(expensive)},
		"ContainsOften":   {Text: `{{range until 10000}}{{ contains "zzz" $.source.big }}{{end}}`, Stops: always(expensive)},
		"Decode":          {Text: `{{range until 10000}}{{ b64dec $.source.big | len }}{{end}}`, Stops: always(expensive)},
		"Pattern":         {Text: `{{ regexMatch "` + times(2_000, "(a|b)") + `" .source.big }}`, Stops: always(expensive)},
		"PatternFold":     {Text: `{{ regexMatch "(?i)` + times(200, `[B-\\x{10FFFF}]`) + `" "x" }}`, Stops: always(expensive)},
		"PatternClasses":  {Text: `{{ regexMatch "` + times(1_000, `\\pL`) + `" "x" }}`, Stops: always(expensive)},
		"PatternData":     {Text: `{{ regexMatch .source.pattern "x" }}`, Stops: always(expensive)},
		"PatternOften":    {Text: often(`regexMatch "(a|b|ab)*c" $.source.part`), Stops: always(expensive)},
		"PatternCompiled": {Text: often(`regexMatch "` + times(500, `\\w\\W`) + `" "x"`), Stops: always(expensive)},
		"PatternSquare":   {Text: often(`regexReplaceAll "(a|ab)*c|." $.source.part ""`), Stops: always(expensive)},
		"Upper":           {Text: "{{ upper .source.big | len }}", Stops: always(evaluated), Costs: 200_000},
		"Join":            {Text: `{{ join "," .source.list | len }}`, Stops: always(evaluated), Costs: 4_000},
		"Encode":          {Text: "{{ toJson .source.some | len }}", Stops: always(evaluated), Costs: 8_000},
		"Keys":            {Text: "{{ keys .source.map | len }}", Stops: always(evaluated), Costs: 4_000},
		"Hash":            {Text: "{{ sha256sum .source.big }}", Stops: always(evaluated), Costs: 100_000},
		"Search":          {Text: `{{ regexMatch "a*c" .source.part }}`, Stops: always(evaluated), Costs: 4_000},
	}
}

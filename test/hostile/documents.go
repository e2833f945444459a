package hostile

import "github.com/clusterimport/clusterimport/pkg/compat"

// Parts of documents.
const (
	items  = "spec:\n  items:\n"
	labels = "spec:\n  labels:\n"
	line   = " some text in a block of many lines, with long lines, which are text"
)

// documents are templates of documents with much in them: values that YAML's parser makes, expressions that CEL checks,
// faults to point at.
func documents() map[string]Template {
	const schema, context = compat.CodeYAMLSchema, compat.CodeYAMLContext
	return map[string]Template{
		"Items":             {Text: items + times(4_500, "  - {{.source.a}}\n"), Stops: whole(large)},
		"SomeItems":         {Text: items + times(100, "  - {{.source.a}}\n"), Stops: whole(evaluated)},
		"LongItems":         {Text: items + times(1_000, "  - {{.source.a}}"+line+line+line+"\n"), Stops: whole(large)},
		"FlowItems":         {Text: "spec:\n  items: [" + times(4_500, `"{{.source.a}}",`) + "]\n", Stops: whole(large)},
		"FixedItems":        {Text: items + times(40_000, "  - a\n"), Stops: whole(large)},
		"SomeFixedItems":    {Text: items + times(19_000, "  - a\n"), Stops: whole(evaluated)},
		"FixedFlowItems":    {Text: "spec:\n  items: [" + times(120_000, "a,") + "]\n", Stops: whole(large)},
		"SomeFlowItems":     {Text: "spec:\n  items: [" + times(19_000, "a,") + "]\n", Stops: whole(evaluated)},
		"AnyItems":          {Text: "spec:\n  any:\n" + times(19_000, "  - 1\n"), Stops: whole(large)},
		"SomeAnyItems":      {Text: "spec:\n  any:\n" + times(1_900, "  - 1\n"), Stops: whole(evaluated)},
		"Labels":            {Text: labels + each(15_000, "    a%d: b\n"), Stops: whole(evaluated)},
		"ComputedLabels":    {Text: labels + each(2_000, "    \"{{.source.a}}%d\": \"{{.source.a}}\"\n"), Stops: whole(large)},
		"UnknownFields":     {Text: each(18_000, "a%d: b\n"), Stops: whole(schema)},
		"SameFields":        {Text: labels + times(7_000, "    a: b\n"), Stops: whole(context)},
		"MergeKeys":         {Text: labels + times(6_000, "    <<: 1\n"), Stops: whole(context)},
		"Aliases":           {Text: "spec:\n  items: [&a 1," + times(19_000, "*a,") + "]\n", Stops: whole(context)},
		"Brackets":          {Text: "spec:\n  any: " + nested(9_000, "[", "", "]") + "\n", Stops: whole(evaluated)},
		"MoreBrackets":      {Text: "spec:\n  any: " + times(100_000, "["), Stops: whole(large)},
		"Dashes":            {Text: "spec:\n  any: " + times(30_000, "- "), Stops: whole(context)},
		"Questions":         {Text: "spec:\n  any: " + times(30_000, "? "), Stops: whole(context)},
		"Colons":            {Text: "spec: " + times(30_000, "a:"), Stops: whole(context)},
		"Tags":              {Text: items + times(15_000, "  - !x 1\n"), Stops: whole(evaluated)},
		"Folded":            {Text: "spec:\n  server: " + times(120_000, "a "), Stops: whole(evaluated)},
		"Escapes":           {Text: "spec:\n  server: \"" + times(40_000, "\\u0041") + "\"", Stops: whole(evaluated)},
		"Spaces":            {Text: "spec:" + times(250_000, " ") + "{{1}}", Stops: whole(evaluated)},
		"Block":             {Text: "spec:\n  server: |\n" + times(2_000, "    {{.source.a}}"+line+"\n"), Stops: whole(large)},
		"Declarations":      {Text: each(60, "{{$x%d := .source.a}}\n") + items + times(1_000, "  - {{$x1}}\n"), Stops: whole(large)},
		"AssignedOften":     {Text: "{{$x := 1}}" + times(50, "{{if .source.a}}{{$x = 2}}{{end}}\n") + items + times(1_000, "  - {{$x}}\n"), Stops: whole(large)},
		"IfLines":           {Text: labels + each(2_000, "{{if .source.a}}\n    a%d: a\n{{end}}\n"), Stops: whole(large)},
		"DeepIfLines":       {Text: labels + nested(60, "{{if .source.a}}\n    a: a\n", "", "{{end}}\n"), Stops: whole(evaluated)},
		"RangeLines":        {Text: items + times(500, "{{range .source.list}}\n  - {{.}}\n{{end}}\n"), Stops: whole(large)},
		"RangeOftenLines":   {Text: items + "{{range .source.list}}{{range $.source.list}}\n  - {{.}}\n{{end}}{{end}}\n", Stops: whole(expensive)},
		"TemplateLines":     {Text: "{{define \"t\"}}  - {{.source.a}}\n{{end}}" + items + times(1_000, "{{template \"t\" .}}\n"), Stops: whole(large)},
		"InlineIfs":         {Text: items + times(1_000, "  - {{if .source.a}}\"a\"{{else}}'b'{{end}}\n"), Stops: whole(large)},
		"JSONItems":         {Text: items + times(1_000, "  - {{toJson .source.a}}\n"), Stops: whole(large)},
		"BigItems":          {Text: items + times(100, "  - \"{{.source.big}}x\"\n"), Stops: whole(expensive)},
		"ExpensiveItems":    {Text: items + times(100, "  - \"{{range until 20000}}x{{end}}\"\n"), Stops: whole(expensive)},
		"ManyContexts":      {Text: items + times(1_500, "  - {{range .source.a}}'{{end}}\n"), Stops: whole(large)},
		"TextOften":         {Text: "spec:\n  items: [{{range .source.list}}{{range $.source.list}}{{.}},{{end}}{{end}}]\n", Stops: whole(expensive)},
		"TextLong":          {Text: "spec:\n  items: [{{range until 60000}}a,{{end}}]\n", Stops: whole(expensive)},
		"TextDeep":          {Text: "spec:\n  any: {{range until 9000}}[{{end}}{{range until 9000}}]{{end}}\n", Stops: whole(evaluated)},
		"TextUnknown":       {Text: "spec: [{{range .source.a}}{{end}}]\n" + each(10_000, "a%d: b\n"), Stops: whole(schema)},
		"TextUnknownBranch": {Text: times(6, "{{if .source.a}} {{end}}") + each(8_000, "a%d: b\n") + "spec: [{{range .source.a}}{{end}}]\n", Stops: whole(schema)},
		"TextBranches":      {Text: "spec:\n  server: |\n" + times(100, "    {{if .source.a}}x{{end}}\n"), Stops: whole(evaluated)},
	}
}

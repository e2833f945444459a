package compat_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/clusterimport/clusterimport/pkg/compat"
)

// randomDocuments is how many random documents are translated for a seed.
const randomDocuments = 200

// document is a random document: lines with values, under conditions and in loops. A value is written as a call of hold.
func (g *generator) document() string {
	g.condition, g.variables, g.dot, g.loops, g.defined, g.left = false, nil, 0, 0, nil, 100
	var b strings.Builder
	if g.one(3) {
		value := g.expression(kindText, 1)
		b.WriteString("{{- " + g.declared(kindText) + " := " + value + " }}\n")
	}
	b.WriteString("metadata:\n  labels:\n    fixed: x\n")
	b.WriteString(g.lines(4, 2, func() string { return g.label() }))
	b.WriteString("spec:\n")
	if g.one(3) {
		b.WriteString(g.brackets())
		return b.String()
	}
	b.WriteString(g.lines(2, 1, func() string { return choose(g, []string{"server", "ca"}) + ": " + g.leaf1() }))
	b.WriteString("  groups:\n  - group: first\n")
	b.WriteString(g.items())
	return b.String()
}

// lines are fields, some under an if; each field stands once.
func (g *generator) lines(indent, most int, field func() string) string {
	var b strings.Builder
	space := strings.Repeat(" ", indent)
	for range 1 + g.IntN(most) {
		line := space + field() + "\n"
		switch g.IntN(4) {
		case 0:
			b.WriteString(space + "{{- if " + g.expression(kindBool, 1) + " }}\n" + line + space + "{{- end }}\n")
		case 1:
			other := strings.Replace(line, ": ", ": other-", 1)
			if strings.Contains(other, `other-"`) || strings.Contains(other, "other-'") {
				other = line
			}
			b.WriteString(space + "{{ if " + g.expression(kindBool, 1) + " }}\n" + line + space + "{{ else }}\n" + other + space + "{{ end }}\n")
		default:
			b.WriteString(line)
		}
		if most == 1 {
			break
		}
	}
	return b.String()
}

// label is a field with a name of its own.
func (g *generator) label() string {
	g.left--
	return "l" + strconv.Itoa(g.left) + ": " + g.leaf1()
}

// items are items of a list from a loop.
func (g *generator) items() string {
	if g.one(3) {
		return "  - group: " + g.leaf1() + "\n    resources: [a, " + g.quoted() + "]\n"
	}
	scope, dot := len(g.variables), g.dot
	over, item := g.rooted("source.status.conditions"), kindMap
	if g.one(2) {
		over, item = g.rooted("source.spec.names"), kindText
	}
	head := "range " + over
	if g.one(3) {
		head = "range " + g.declared(item) + " := " + over
	}
	g.dot = item
	body := "  - group: " + g.leaf1() + "\n"
	if g.one(2) {
		body += "    resources:\n    - " + g.leaf1() + "\n"
	}
	if g.one(3) {
		body = "  {{- if " + g.expression(kindBool, 1) + " }}\n" + body + "  {{- end }}\n"
	}
	g.variables, g.dot = g.variables[:scope], dot
	return "  {{- " + head + " }}\n" + body + "  {{- end }}\n"
}

// brackets are fields that only a document that is text can have: items between brackets, and lines of a block scalar.
func (g *generator) brackets() string {
	scope, dot := len(g.variables), g.dot
	opened, comma, after := "", "", ", "
	switch g.IntN(3) {
	case 0:
		opened, comma, after = "{{ $first := true }}", "{{ if $first }}{{ $first = false }}{{ else }},{{ end }}", ""
	case 1:
		opened, comma, after = "{{ $comma := \"\" }}", "{{ $comma }}{{ $comma = \",\" }}", ""
	}
	over, item := g.rooted("source.spec.names"), kindText
	if g.one(2) {
		over, item = g.rooted("source.status.conditions"), kindMap
	}
	head := opened + "{{ range $i, $x := " + over + " }}"
	g.dot = item
	if g.one(3) {
		head += "{{ if " + g.expression(kindBool, 1) + " }}" + choose(g, []string{"{{ break }}", "{{ continue }}"}) + "{{ end }}"
	}
	groups := "  groups: [" + head + comma + "{group: " + g.quoted() + ", resources: [" + g.leaf1() + ", x]}" + after + "{{ end }}]\n"
	lines := "  ca: " + choose(g, []string{"|", "|-", ">", ">-"}) + "\n    first\n    {{ range " + over + " }}\n    - {{ if " + g.expression(kindBool, 1) + " }}\n" +
		"    " + g.held() + "\n    {{ else }}" + g.held() + " b{{ end }}\n    {{ end }}\n    end\n"
	g.variables, g.dot = g.variables[:scope], dot
	return groups + lines
}

// leaf1 is a scalar with one value or more.
func (g *generator) leaf1() string {
	if g.one(2) {
		return g.quoted()
	}
	if g.one(3) {
		return "a-" + g.held() + "." + g.held()
	}
	return g.held()
}

func (g *generator) quoted() string {
	quote := choose(g, []string{`"`, "'"})
	if g.one(4) {
		return quote + "{{ if " + g.expression(kindBool, 1) + " }}" + g.held() + "{{ else }}b c{{ end }}: " + g.held() + quote
	}
	return quote + g.held() + quote
}

// held is a value. Calls that are more than text where they are all of a scalar are left out.
func (g *generator) held() string {
	for {
		if e := g.expression(choose(g, kinds), 1); !moreThanText.MatchString(e) {
			return "{{ hold (" + e + ") }}"
		}
	}
}

var moreThanText = regexp.MustCompile(`toJson|quote|indent|^"[,:\[\]{} -]+"$`)

var holds = regexp.MustCompile(`\{\{ hold \((.*?)\) \}\}`)

// TestRandomDocuments compares random documents with what the template engine prints, read as YAML. The engine prints a
// word for each value, so that YAML cannot take a value for structure; values go into the document that is read (D3).
func TestRandomDocuments(t *testing.T) {
	fresh := uint64(time.Now().UnixNano())
	for _, seed := range []uint64{1, fresh} {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			g, env := newGenerator(seed, 4), languageEnv(t)
			compared, failing, texts := 0, 0, 0
			for range randomDocuments / slower {
				g.conforming = g.one(2)
				held := g.document()
				src := holds.ReplaceAllString(held, "{{ $1 }}")
				doc, list := compat.Document(env, "spec.template", src, linesSchema())
				if doc == nil {
					t.Fatalf("%s\nis refused:\n%s", src, list)
				}
				if hasCode(list, compat.CodeTextMode) {
					texts++
				}
				for range randomData {
					data := g.data()
					got, err := doc.Render(t.Context(), binding(data))
					want, wantErr := printedDocument(t, held, data)
					switch compared++; {
					case wantErr != nil:
						failing++ // CEL may not have evaluated what fails; TestRandom looks at that
					case err != nil:
						t.Fatalf("%s\nwith %v: %v", src, data, err)
					default:
						if diff := cmp.Diff(want, onlyText(got)); diff != "" {
							t.Fatalf("%s\nwith %v (-want +got)\n%s", src, data, diff)
						}
					}
				}
			}
			t.Logf("%d documents, %d fail; %d templates are text", compared, failing, texts)
			if failing*10 > compared*9 || texts*10 < randomDocuments/slower {
				t.Error("nearly all fail, or hardly any is text")
			}
		})
	}
}

// printedDocument is what the engine prints, as YAML reads it.
func printedDocument(t *testing.T, src string, data map[string]any) (any, error) {
	t.Helper()
	var values []string
	hold := func(v any) string {
		if v == nil {
			v = ""
		}
		values = append(values, fmt.Sprint(v))
		return fmt.Sprintf("zq%dqz", len(values)-1)
	}
	parsed, err := template.Must(bare.Clone()).Funcs(template.FuncMap{"hold": hold}).Parse(src)
	if err != nil {
		t.Fatalf("%s\n%v", src, err)
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, data); err != nil {
		return nil, err
	}
	var doc any
	if err := yaml.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatalf("%s\nprints\n%s\n%v", src, out.String(), err)
	}
	return withValues(onlyText(doc), values), nil
}

// onlyText makes all scalars text without white space around it: that is for the schema to decide.
func onlyText(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, item := range v {
			out[key] = onlyText(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = onlyText(item)
		}
		return out
	case nil:
		return ""
	default:
		return strings.TrimSpace(fmt.Sprint(v))
	}
}

var heldWord = regexp.MustCompile(`zq(\d+)qz`)

// withValues puts the values into a document in the place of their words.
func withValues(doc any, values []string) any {
	switch doc := doc.(type) {
	case map[string]any:
		for key, item := range doc {
			doc[key] = withValues(item, values)
		}
	case []any:
		for i, item := range doc {
			doc[i] = withValues(item, values)
		}
	case string:
		return strings.TrimSpace(heldWord.ReplaceAllStringFunc(doc, func(word string) string {
			i, _ := strconv.Atoi(word[2 : len(word)-2])
			return values[i]
		}))
	}
	return doc
}

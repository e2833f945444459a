package compat_test

import (
	"strings"

	"github.com/clusterimport/clusterimport/pkg/compat/sprig"
	"github.com/clusterimport/clusterimport/pkg/diag"
)

// differenceRows are what differs from Clusterpedia on purpose, by the number of the difference.
var differenceRows = map[string]row{
	"verbatim": {reason: "D1, D2: text/template is what counts; nothing is escaped and nothing is read as HTML", templates: []string{
		`{{ .source.metadata.labels }}`, `{{ index .source.metadata.labels "a/b" }}`, `{{ .source.spec.quoted }}`, `{{ .source.spec.b64 }}`, `{{ .references.secret.data.token }}`, `{{ toJson .source.spec.quoted }}`, `{{ quote .source.spec.quoted }}`, `<!-- a -->{{ .source.metadata.name }}`, `<{{ .source.metadata.name }}>`, `# <cluster {{ .source.metadata.name }}`,
		`<a href={{ .source.spec.quoted }}>`, `https://h/?a={{ .source.spec.n }}&b={{ .source.metadata.name }}`, "a\x00b{{ 1 }}", `<script>{{ .source.metadata.name }}</script>`, `{{ .source.spec.big }}`,
	}},
	"novalue": {reason: "the words that stand for nothing", templates: []string{
		`{{ .source.missing }}{{ .missing }}`, `{{ print .source.missing }}`, `a{{ .source.missing }}b`, `{{ "<no value>" | upper }}`,
	}, differs: map[string]difference{
		`{{ "<no value>" }}`: {"D9", "<no value>"},
		`a<no value>b`:       {"D9", "a<no value>b"},
		`<no {{ "value" }}>`: {"D9", "<no value>"},
	}},
	"lazy": {reason: "D10: what cannot reach the output is not evaluated", differs: map[string]difference{
		`{{ $x := index .source.spec.list 9 }}a`:                                {"D10", "a"},
		`{{ if true }}{{ $x := .source.spec.n.x }}{{ end }}a`:                   {"D10", "a"},
		`{{ range .source.spec.list }}{{ $x := .x }}{{ end }}a`:                 {"D10", "a"},
		`{{ $x := 1 }}{{ $x = index .source.spec.list 9 }}a`:                    {"D10", "a"},
		`{{ $x := index .source.spec.list 9 }}{{ if false }}{{ $x }}{{ end }}a`: {"D10", "a"},
	}},
	"environment": {reason: "D5: nothing reads the controller's surroundings, or changes each time", differs: map[string]difference{
		`{{ env "HOME" }}`: {"D5", "refused: CT-ENV"},
		`{{ if false }}{{ expandenv "$HOME" }}{{ end }}`: {"D5", "refused: CT-ENV"},
		`{{ randAlphaNum 5 }}`:                           {"D5", "refused: CT-NONDET"},
		`{{ now | date "2006" }}`:                        {"D5", "refused: CT-NONDET"},
		`{{ uuidv4 }}`:                                   {"D5", "refused: CT-NONDET"},
		`{{ shuffle "abc" }}`:                            {"D5", "refused: CT-NONDET"},
		`{{ derivePassword 1 "long" "a" "b" "c" }}`:      {"D5", "refused: CT-CRYPTO"},
	}},
	"mutation": {reason: "D6: data is only read", templates: []string{
		`{{ merge (dict "a" 1) .source.metadata.labels | len }}`, `{{ mergeOverwrite (dict) .source.metadata.labels }}`, `{{ pick .source.metadata.labels "env" }}`, `{{ omit .source.metadata.labels "env" }}`,
	}, differs: map[string]difference{
		`{{ set .source.metadata.labels "a" "b" }}`: {"D6", "refused: CT-MUTATION"},
		`{{ unset .source.metadata.labels "a" }}`:   {"D6", "refused: CT-MUTATION"},
	}},
	"unbounded": {reason: "D7: work has an end", templates: []string{
		`{{ repeat 3 "ab" }}`, `{{ printf "%10d" 1 }}`, `{{ range until 5 }}{{ . }}{{ end }}`,
	}, differs: map[string]difference{
		`{{ range 200000 }}{{ end }}x`:   {"D7", "error"},
		`{{ repeat 2000000 "a" | len }}`: {"D7", "error"},
		`{{ indent 2000000 "a" | len }}`: {"D7", "error"},
		`{{ printf "%9999d" 1 | len }}`:  {"D7", "error"},
		`{{ until 200000 | len }}`:       {"D7", "error"},
		`{{ define "r" }}{{ if . }}{{ template "r" (rest .) }}{{ end }}x{{ end }}{{ template "r" .source.spec.list }}`: {"D7", "refused: CT-RECURSION"},
	}},
	"reference": {reason: "D14: a reference that is not declared is refused", differs: map[string]difference{
		`{{ .references.tokenData }}`:         {"D14", "refused: CT-UNKNOWN-REFERENCE"},
		`{{ $.references.tokenData.data.x }}`: {"D14", "refused: CT-UNKNOWN-REFERENCE"},
		`{{ index .references "none" }}`:      {"D14", "refused: CT-UNKNOWN-REFERENCE"},
	}},
	"kept": {reason: "what surprises and stays", templates: []string{
		`{{ if ne .source.spec.missing "" }}true{{ end }}`, `{{ range .source.spec.list }}true{{ end }}`, `{{ b64dec .source.spec.notB64 }}`, `{{ range .source.status.conditions }}{{ if eq .type "Odd" }}{{ eq .status "True" }}{{ end }}{{ end }}`,
	}},
	"refused": {reason: "what has no counterpart", differs: map[string]difference{
		`{{ (semver "1.2.3").Minor }}`: {"§6", "refused: CT-UNSUPPORTED"},
		`{{ hello }}`:                  {"§6", "refused: CT-UNSUPPORTED"},
		`{{ typeOf .source.spec.n }}`:  {"§6", "refused: CT-UNSUPPORTED"},
		`{{ 1i }}`:                     {"§5", "refused: CT-UNSUPPORTED"},
		`{{ $x := 1 }}{{ range $x = .source.spec.list }}{{ end }}{{ $x }}`: {"§5", "refused: CT-RANGE-ASSIGN"},
	}},
}

// refusedFunctions are the codes of the functions that are refused.
func refusedFunctions() map[string]string {
	out := map[string]string{}
	for _, name := range sprig.Names() {
		if f, _ := sprig.Lookup(name); f.Refused != "" {
			out[name] = string(f.Refused)
		}
	}
	return out
}

func codes(list diag.List) []string {
	var out []string
	for _, d := range list {
		out = append(out, strings.TrimSpace(string(d.Code)))
	}
	return out
}

package compat_test

// valueRows are about values: how fields are read, compared and printed.
var valueRows = map[string]row{
	"absent": {reason: "an absent key is absent, and so is all below it", templates: []string{
		`{{ .source.missing }}`, `{{ .source.missing.a.b.c }}`, `{{ .missing.a }}`, `[{{ .source.spec.missing }}]`, `{{ if .source.missing.a }}a{{ else }}b{{ end }}`, `{{ range .source.missing }}a{{ else }}none{{ end }}`,
		`{{ eq .source.missing "x" }}`, `{{ ne .source.missing "" }}`, `{{ eq .source.missing nil }}`, `{{ eq .source.missing .source.gone }}`, `{{ ne .source.missing nil }}`, `{{ with .source.missing }}a{{ else }}b{{ end }}`,
		`{{ not .source.missing }}`, `{{ .source.metadata.labels.missing }}`, `{{ .references.secret.data.missing }}`, `{{ .references.secret.missing.x }}`, `{{ $x := .source.missing }}{{ $x.a.b }}|{{ $x }}`, `{{ (.source.missing).a }}`,
	}},
	"null": {reason: "an explicit null is no absent value until it has been through a pipeline", templates: []string{
		`{{ .source.spec.null }}`, `{{ .source.spec.null.x }}`, `{{ .source.spec.nested.n.x }}`, `{{ (.source.spec.null).x }}`, `{{ $x := .source.spec.null }}{{ $x.a }}`, `{{ if .source.spec.null }}a{{ end }}`, `{{ range .source.spec.null }}a{{ else }}b{{ end }}`,
		`{{ range list .source.spec.null }}{{ .x }}{{ end }}`, `{{ range list .source.spec.null }}[{{ . }}]{{ end }}`, `{{ range $v := list .source.spec.null }}{{ $v.x }}{{ end }}`, `{{ with .source.spec.nested }}{{ .n.x }}{{ end }}`, `{{ eq .source.spec.null nil }}`, `{{ eq .source.spec.null "" }}`,
		`{{ ne .source.spec.null "" }}`, `{{ .source.spec.null | default "d" }}`, `{{ list .source.spec.null }}`, `{{ dict "a" .source.spec.null }}`, `{{ print .source.spec.null }}`, `{{ printf "%v" .source.spec.null }}`, `{{ .source.spec.null | print }}`, `{{ $x := dict "a" .source.spec.null }}{{ $x.a.b }}`,
	}},
	"field": {reason: "a scalar and a list have no fields", templates: []string{
		`{{ .source.metadata.name.x }}`, `{{ .source.spec.n.x }}`, `{{ .source.spec.f.x }}`, `{{ .source.spec.yes.x }}`, `{{ .source.spec.list.x }}`, `{{ .source.spec.empty.x }}`, `{{ (index .source.spec.list 0).x }}`, `{{ range .source.spec.list }}{{ .x }}{{ end }}`,
		`{{ with .source.spec.n }}{{ .x }}{{ end }}`, `{{ .source.metadata.labels.env.x }}`, `{{ .references.secret.data.token.x }}`, `{{ .source.status.conditions.type }}`, `{{ $x := "a" }}{{ $x.b }}`, `{{ (print "a").b }}`, `{{ .source.spec.nested.x.y }}`, `{{ ((.source.spec).nested).x }}`,
	}},
	"index": {reason: "a missing key is absent at the last step only", templates: []string{
		`{{ index .source.metadata.labels "env" }}`, `{{ index .source.metadata.labels "a/b" }}`, `{{ index .source.metadata.labels "no" }}`, `{{ index .source.spec "nested" "x" "y" }}`, `{{ index .source.spec "no" "x" }}`, `{{ index .source.spec "null" "x" }}`, `{{ index .source.missing "x" }}`,
		`{{ index .source.spec.null "x" }}`, `{{ index .source.spec.list 0 }}`, `{{ index .source.spec.list 3 }}`, `{{ index .source.spec.list -1 }}`, `{{ index .source.spec.list 1.0 }}`, `{{ index .source.spec.list "0" }}`, `{{ index .source.metadata.name 0 }}`, `{{ index .source.metadata.name 9 }}`,
		`{{ index .source.spec.n 0 }}`, `{{ index .source.spec.list .source.spec.zero }}`, `{{ index .source.status.conditions 1 "type" }}`, `{{ (index .source.status.conditions 1).type }}`, `{{ index .references.secret.data "ca.crt" }}`, `{{ index .references "secret" "data" "token" }}`, `{{ index .source.spec.list .source.missing }}`, `{{ index .source }}`,
	}},
	"parameter": {reason: "a parameter of a fixed type takes that type only", templates: []string{
		`{{ lower .source.missing }}`, `{{ lower .source.spec.null }}`, `{{ lower .source.spec.n }}`, `{{ lower nil }}`, `{{ get .source.missing "a" }}`, `{{ get .source.spec.null "a" }}`, `{{ hasKey .source.missing "a" }}`, `{{ get .source.spec.list "a" }}`, `{{ trunc .source.spec.n "abc" }}`, `{{ until .source.spec.n }}`,
		`{{ trunc (int .source.spec.n) "abc" }}`, `{{ repeat (len .source.spec.list) "x" }}`, `{{ .source.spec.n | repeat 2 }}`, `{{ "x" | repeat .source.spec.n }}`, `{{ trunc 3.0 "abcd" }}`, `{{ round .source.spec.f 1 }}`, `{{ hasPrefix .source.spec.yes "x" }}`, `{{ ternary "a" "b" .source.spec.n }}`, `{{ ternary "a" "b" .source.missing }}`,
	}},
	"truth": {reason: "empty, zero, false, null and absent are false; all else is true", templates: []string{
		`{{ if "" }}a{{ else }}b{{ end }}`, `{{ if 0 }}a{{ else }}b{{ end }}`, `{{ if 0.0 }}a{{ else }}b{{ end }}`, `{{ if false }}a{{ else }}b{{ end }}`, `{{ if .source.spec.emptyList }}a{{ else }}b{{ end }}`, `{{ if .source.spec.emptyMap }}a{{ else }}b{{ end }}`, `{{ if "false" }}a{{ end }}`, `{{ if " " }}a{{ end }}`,
		`{{ if .source.spec.no }}a{{ else }}b{{ end }}`, `{{ if .source.spec.zero }}a{{ else }}b{{ end }}`, `{{ if .source.spec.n }}a{{ end }}`, `{{ if .source.spec.list }}a{{ end }}`, `{{ if .source.spec.f }}a{{ end }}`, `{{ if .source.metadata.labels }}a{{ end }}`, `{{ if .source.metadata.annotations }}a{{ else }}b{{ end }}`,
		`{{ if .source.metadata.generation }}a{{ end }}`, `{{ if .source.metadata.deletionTimestamp }}a{{ else }}b{{ end }}`, `{{ if . }}a{{ end }}`, `{{ if .source }}a{{ end }}`, `{{ if not (index .source.spec.list 0) }}a{{ else }}b{{ end }}`,
	}},
	"logic": {reason: "and and or give an operand, and stop early", templates: []string{
		`{{ and true 0 }}`, `{{ or "" 0 "x" "y" }}`, `{{ and .source.spec.yes .source.spec.list }}`, `{{ or .source.spec.list .source.spec.yes }}`, `{{ and .source.missing (index .source.spec.list 9) }}`, `{{ or .source.spec.yes (index .source.spec.list 9) }}`, `{{ and .source.spec.yes (index .source.spec.list 9) }}`,
		`{{ or .source.spec.no (index .source.spec.list 9) }}`, `{{ and 1 }}`, `{{ or 0 }}`, `{{ not 0 }}`, `{{ not "a" }}`, `{{ if and .source.spec.yes (eq .source.spec.n 42) }}a{{ end }}`, `{{ if or .source.missing (eq .source.spec.n 1) }}a{{ else }}b{{ end }}`, `{{ and .source.spec.null "x" }}`, `{{ or .source.spec.null .source.missing }}`,
		`{{ .source.spec.yes | and true }}`, `{{ "x" | or .source.spec.empty }}`, `{{ and (or 0 1) (or "" "z") }}`, `{{ (and .source.spec.nested .source.spec.nested.x).y }}`,
	}},
	"eq": {reason: "kinds must be the same, and the first match ends it", templates: []string{
		`{{ eq .source.metadata.name "prod" }}`, `{{ eq .source.metadata.name "a" "prod" }}`, `{{ eq .source.metadata.name "prod" 3 }}`, `{{ eq .source.metadata.name 3 "prod" }}`, `{{ eq .source.spec.n 42 }}`, `{{ eq .source.spec.n 42.0 }}`, `{{ eq .source.spec.f 1.5 }}`, `{{ eq .source.spec.f 1 }}`, `{{ eq .source.spec.yes true }}`,
		`{{ eq .source.spec.yes "true" }}`, `{{ eq .source.spec.n "42" }}`, `{{ eq .source.spec.list .source.spec.list }}`, `{{ eq .source.spec.nested nil }}`, `{{ eq .source.spec.list nil }}`, `{{ ne .source.spec.n 42 }}`, `{{ ne .source.spec.n 1 2 }}`, `{{ eq .source.spec.n }}`, `{{ ne .source.metadata.name "" }}`, `{{ eq .source.metadata.uid "" }}`,
		`{{ eq .source.metadata.labels.env "prod" }}`, `{{ eq .source.metadata.labels.no "" }}`, `{{ ne .source.metadata.labels.no "" }}`, `{{ eq .references.secret.data.token "" }}`, `{{ eq (len .source.spec.list) 3 }}`, `{{ eq .source.metadata.generation 3 }}`, `{{ eq .source.metadata.generation "3" }}`, `{{ "prod" | eq .source.metadata.name }}`, `{{ eq 'a' 97 }}`, `{{ eq .source.spec.true "True" }}`,
	}},
	"order": {reason: "one kind that has an order", templates: []string{
		`{{ lt 1 2 }}`, `{{ le .source.spec.n 42 }}`, `{{ gt .source.spec.n 41 }}`, `{{ ge .source.spec.f 1.5 }}`, `{{ lt .source.spec.f 2 }}`, `{{ lt "a" "b" }}`, `{{ gt .source.metadata.name "a" }}`, `{{ lt .source.metadata.name 1 }}`, `{{ lt .source.spec.yes true }}`, `{{ lt .source.missing 1 }}`, `{{ ge .source.spec.null 1 }}`, `{{ lt .source.spec.list 1 }}`,
		`{{ lt nil 1 }}`, `{{ gt .source.metadata.generation 2 }}`, `{{ lt 1 2 3 }}`, `{{ le .source.metadata.name .source.metadata.namespace }}`, `{{ lt .source.metadata.labels.no "a" }}`, `{{ gt (len .source.spec.list) 2 }}`,
	}},
	"numbers": {reason: "integers are int or int64, all else is a float", templates: []string{
		`{{ 3 }}`, `{{ 3.0 }}`, `{{ 1e3 }}`, `{{ 1e21 }}`, `{{ 0x1F }}`, `{{ 0b11 }}`, `{{ 0o17 }}`, `{{ 1_000 }}`, `{{ 'x' }}`, `{{ -7 }}`, `{{ +7 }}`, `{{ 1.5e-3 }}`, `{{ .source.spec.big }}`, `{{ .source.spec.f }}`, `{{ .source.spec.n }}`, `{{ .source.metadata.generation }}`, `{{ 9223372036854775807 }}`, `{{ 9223372036854775808 }}`, `{{ print 1.0 }}`,
		`{{ printf "%d" .source.spec.n }}`, `{{ printf "%d" 3.0 }}`, `{{ add 9223372036854775807 1 }}`, `{{ div 1 0 }}`, `{{ mod 1 0 }}`,
	}, differs: nil},
	"print": {reason: "values print as Go prints them", templates: []string{
		`{{ .source.spec.list }}`, `{{ .source.spec.nested }}`, `{{ .source.spec.emptyList }}`, `{{ .source.spec.emptyMap }}`, `{{ .source.metadata.labels }}`, `{{ .source.status.conditions }}`, `{{ .source.spec.yes }}`, `{{ list 1 nil "a" }}`, `{{ print "a" "b" }}`, `{{ print 1 2 }}`, `{{ print "a" 1 2 "b" }}`, `{{ println "a" 1 }}`,
		`{{ printf "%s" 3 }}`, `{{ printf "%d" "x" }}`, `{{ printf "%z" 1 }}`, `{{ printf "%s" }}`, `{{ printf "x" 1 }}`, `{{ printf "%5d|%-5s|%05d" 42 "a" 7 }}`, `{{ printf "%q %x %T" "a" "b" 1 }}`, `{{ printf "%v %+v" .source.spec.nested .source.spec.list }}`, `{{ printf "%6.2f" .source.spec.f }}`, `{{ printf "%t" .source.spec.yes }}`, `{{ printf "%%" }}`,
		`{{ printf .source.metadata.name }}`, `{{ .references.secret.data }}`, `{{ .references.secret.metadata }}`, `{{ .source.metadata.name | printf "%s-%s" "a" }}`,
	}},
	"len": {reason: "bytes of a text, items, keys", templates: []string{
		`{{ len .source.metadata.name }}`, `{{ len "Größe" }}`, `{{ len .source.spec.list }}`, `{{ len .source.metadata.labels }}`, `{{ len .source.missing }}`, `{{ len .source.spec.null }}`, `{{ len .source.spec.n }}`, `{{ len .source.spec.yes }}`, `{{ len nil }}`, `{{ .source.spec.list | len }}`, `{{ len .source.metadata.labels.env }}`, `{{ len .source.metadata.annotations }}`,
	}},
	"escape": {reason: "html, js and urlquery are text/template's own", templates: []string{
		`{{ html .source.spec.quoted }}`, `{{ js .source.spec.quoted }}`, `{{ urlquery .source.spec.quoted }}`, `{{ html .source.missing }}`, `{{ js .source.missing }}`, `{{ urlquery .source.missing }}`, `{{ .source.spec.quoted | html }}`, `{{ html .source.spec.null }}`, `{{ html "a" 1 }}`, `{{ html .source.spec.list }}`,
	}},
	"sprig": {reason: "what sprig makes of mistakes", templates: []string{
		`{{ b64dec .source.spec.notB64 }}`, `{{ b64dec .source.spec.b64 }}`, `{{ regexMatch "[" "a" }}`, `{{ int "x" }}`, `{{ default "d" 0 }}`, `{{ default "d" .source.spec.no }}`, `{{ default "d" .source.spec.emptyMap }}`, `{{ slice .source.spec.list 1 2 }}`, `{{ slice "abc" 1 }}`, `{{ .source.spec.b64 | b64dec | len }}`, `{{ semverCompare "^1.2" "1.3.0" }}`, `{{ semverCompare "x" "1.3.0" }}`,
		`{{ fail "no" }}`, `{{ (fromJson .source.spec.json).a }}`, `{{ toJson .source.spec.nested }}`, `{{ call .source.spec.n }}`, `{{ seq 3 }}`, `{{ keys .source.metadata.labels | sortAlpha }}`, `{{ dig "x" "y" "d" .source.spec.nested }}`, `{{ .source.metadata.labels | toJson | fromJson | len }}`, `{{ join "," .source.spec.list | upper | quote }}`,
	}, differs: map[string]difference{
		`{{ has 1 .source.spec.numbers }}`:          {"D11", "true"},
		`{{ without .source.spec.numbers 1 }}`:      {"D11", "[2]"},
		`{{ uniq (list 1 (int64 1)) }}`:             {"D11", "[1]"},
		`{{ deepEqual (list 1) (list (int64 1)) }}`: {"D11", "true"},
		`{{ get (split "," "a,b") "_0" }}`:          {"typed maps", "a"},
	}},
}

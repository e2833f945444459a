package library_test

import (
	"strings"
	"testing"
)

const (
	notYAML   = "the text is not YAML with JSON values"
	alias     = "the YAML text has an alias (*name), which is not supported"
	documents = "the text has more than one YAML document"
)

func TestYAMLUnmarshal(t *testing.T) {
	run(t, map[string]testCase{
		"Document": {
			reason: "A document becomes values; integers are ints.",
			expr:   `yaml.unmarshal(source)`, vars: source("# note\na: [1, 1.5, x, ~]\nb:\n  c: |\n    text\n"),
			want: map[string]any{"a": []any{int64(1), 1.5, "x", nil}, "b": map[string]any{"c": "text\n"}},
		},
		"AsKubectl": {
			reason: "Words and numbers mean what they mean to kubectl.",
			expr:   `yaml.unmarshal("[yes, 'yes', 0x10, 010, 1e3, 2026-01-02, 9007199254740993]")`,
			want:   []any{true, "yes", int64(16), int64(8), int64(1000), "2026-01-02", int64(9007199254740993)},
		},
		"Keys":  {reason: "Keys become strings.", expr: `yaml.unmarshal("1: a\ntrue: b")`, want: map[string]any{"1": "a", "true": "b"}},
		"JSON":  {reason: "JSON is YAML.", expr: `yaml.unmarshal("{\"a\": [1]}").a[0]`, want: int64(1)},
		"Empty": {reason: "No document is null.", expr: `yaml.unmarshal("") == null`, want: true},
		"Start": {reason: "A document may have its mark.", expr: `yaml.unmarshal("---\na: b\n...\n").a`, want: "b"},
		"Dashes": {
			reason: "Dashes in a text are no mark of a document.",
			expr:   `yaml.unmarshal("a: -----BEGIN...\nb: |\n  ---\n").a`, want: "-----BEGIN...",
		},
		"TwoDocuments": {reason: "A second document is never ignored.", expr: `yaml.unmarshal("a: b\n---\nc: d")`, wantErr: documents},
		"NotYAML":      {reason: "Other texts are refused.", expr: `yaml.unmarshal("a: [")`, wantErr: notYAML},
		"Infinity":     {reason: "JSON has no infinity.", expr: `yaml.unmarshal("a: .inf")`, wantErr: notYAML},
		"Twice":        {reason: "A key is given once.", expr: `yaml.unmarshal("a: 1\na: 1")`, wantErr: notYAML},
		"Alias":        {reason: "Aliases are refused.", expr: `yaml.unmarshal("a: &x 1\nb: *x")`, wantErr: alias},
		"Merge":        {reason: "Merging is by alias.", expr: `yaml.unmarshal("a: &x {b: 1}\nc: {<<: *x}")`, wantErr: alias},
		"Stars": {
			reason: "Stars and ampersands in texts are no aliases.",
			expr:   `yaml.unmarshal("a: b && *c\nd: '*e &f'").d`, want: "*e &f",
		},
		"Bomb": {
			reason: "A small text never becomes a large value.",
			expr:   `yaml.unmarshal(source)`, vars: source(bomb()), wantErr: alias,
		},
		"Deep":    {reason: "100 levels are read.", expr: `size(yaml.unmarshal(source))`, vars: source(nested(100)), want: int64(1)},
		"TooDeep": {reason: "More are refused.", expr: `yaml.unmarshal(source)`, vars: source(nested(101)), wantErr: "the value is nested too deeply"},
		"TooDeepMarked": {
			reason: "The check for aliases has the same limit.",
			expr:   `yaml.unmarshal(source)`, vars: source("--- # &*\n" + nested(5000)), wantErr: "the value is nested too deeply",
		},
		"DeepMarked": {
			reason: "The check for aliases has no lower limit.",
			expr:   `size(yaml.unmarshal(source))`, vars: source("--- # &*\n" + nested(100)), want: int64(1),
		},
		"TooMany": {
			reason: "Values are bounded before they are read.",
			expr:   `yaml.unmarshal(source)`, vars: source("[" + strings.Repeat("0,", 20_000) + "0]"), wantErr: "there are too many values",
		},
		"Long": {
			reason: "512 KiB are read.",
			expr:   `size(yaml.unmarshal(source))`, vars: source(strings.Repeat("a", 512<<10)), want: int64(512 << 10),
		},
		"TooLong": {
			reason: "More is refused before it is read.",
			expr:   `yaml.unmarshal(source)`, vars: source(strings.Repeat("a", 512<<10+1)), wantErr: "the text is too long",
		},
	})
}

func TestYAMLMarshal(t *testing.T) {
	run(t, map[string]testCase{
		"Object": {
			reason: "Keys are in their order; texts that look like something else are quoted.",
			expr:   `yaml.marshal({"b": [dyn(1), "1", "yes", null], "a": dyn({"c": 1.5})})`,
			want:   "a:\n  c: 1.5\nb:\n- 1\n- \"1\"\n- \"yes\"\n- null\n",
		},
		"NoJSON":  {reason: "What has no JSON form has no YAML form.", expr: `yaml.marshal(double("NaN"))`, wantErr: "the value has no JSON form"},
		"Control": {reason: "Some characters cannot stand in YAML.", expr: `yaml.marshal("a\u007f")`, wantErr: "the value has a character that YAML cannot hold"},
		"TooLong": {
			reason: "Texts are bounded.",
			expr:   `yaml.marshal(source)`, vars: source(strings.Repeat("a", 512<<10+1)), wantErr: "the text is too long",
		},
		"RoundTrip": {
			reason: "What is written is read as the same value.",
			expr:   `yaml.unmarshal(yaml.marshal(source)) == source`,
			vars:   source(map[string]any{"a": []any{int64(9007199254740993), 2.5, "\u2028\x00 : #", nil, true, "&a", "*b", "---"}}), want: true,
		},
	})
}

// bomb doubles a list thirty times.
func bomb() string {
	var text strings.Builder
	text.WriteString("a: &a [x]\n")
	for c := 'b'; c <= 'z'; c++ {
		text.WriteString(string(c) + ": &" + string(c) + " [*" + string(c-1) + ", *" + string(c-1) + "]\n")
	}
	return text.String()
}

// FuzzYAML holds that nothing panics, that a value is in proportion to its text, and that it survives being written.
func FuzzYAML(f *testing.F) {
	for _, seed := range []string{
		twoClusters, bomb(), "a: &a b\nc: *a", "--- a\n--- b", "? a\n: b", "- - - a", "a: !!binary YQ==", "!!timestamp 2026-01-02",
		"{a, b: }", "[?,?]", "<<: {a: b}", "%YAML 1.1\n---\na", "a: |+\n\n\n", "\ufeffa: b", nested(200), "1e999", "0o17",
	} {
		f.Add(seed)
	}
	env := newEnv(f)
	program := compile(f, env, "yaml.unmarshal(source)")
	again := compile(f, env, "yaml.unmarshal(yaml.marshal(source)) == source")
	f.Fuzz(func(t *testing.T, text string) {
		got, _, err := program.Eval(source(text))
		if err != nil {
			if strings.Contains(err.Error(), "internal error") {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		value := native(got)
		if n := count(value); n > 3*len(text)+1 {
			t.Errorf("%q has %d values", text, n)
		}
		out, _, err := again.Eval(source(value))
		if err != nil && err.Error() == "the value has a character that YAML cannot hold" {
			return
		}
		if err != nil || out.Value() != true {
			t.Errorf("%q is read as %#v, which does not survive being written: %v, error %v", text, value, out, err)
		}
	})
}

// count is how many values a value has.
func count(value any) int {
	n := 1
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			n += count(item)
		}
	case map[string]any:
		for _, item := range v {
			n += count(item)
		}
	}
	return n
}

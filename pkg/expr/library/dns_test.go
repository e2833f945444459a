package library_test

import (
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"k8s.io/apimachinery/pkg/util/validation"
)

const noName = "the text has no letter and no digit that a DNS name can have"

func TestDNS(t *testing.T) {
	run(t, map[string]testCase{
		"Valid": {
			reason: "A valid name stays as it is, two dashes included.",
			expr:   `dns.label("xn--prod-1")`, want: "xn--prod-1",
		},
		"Lower": {
			reason: "Capitals become lower-case.",
			expr:   `dns.label("Prod")`, want: "prod",
		},
		"Runs": {
			reason: "A run of other characters is one dash, whatever they are.",
			expr:   `dns.label("a_/ .b日本c")`, want: "a-b-c",
		},
		"Trim": {
			reason: "A label begins and ends with a letter or digit.",
			expr:   `dns.label("--_a_--")`, want: "a",
		},
		"KelvinSign": {
			reason: "Only ASCII is lowered: the Kelvin sign is not a k.",
			expr:   `dns.label("a\u212Ab")`, want: "a-b",
		},
		"Empty":   {reason: "There is no name to make of nothing.", expr: `dns.label("")`, wantErr: noName},
		"Symbols": {reason: "A name is never made up.", expr: `dns.label("-_.日")`, wantErr: noName},
		"Exact": {
			reason: "63 characters fit.",
			expr:   `dns.label(source)`, vars: source(strings.Repeat("a", 63)), want: strings.Repeat("a", 63),
		},
		"Cut": {
			reason: "A longer name is cut and ends in a hash of the text, always the same.",
			expr:   `dns.label(source)`, vars: source(strings.Repeat("a", 64)),
			want: strings.Repeat("a", 52) + "-vvg59vjqs3",
		},
		"CutAtDash": {
			reason: "The cut leaves no second dash before the hash's.",
			expr:   `dns.label(source)`, vars: source(strings.Repeat("a", 51) + "--" + strings.Repeat("a", 11)),
			want: strings.Repeat("a", 51) + "-2irpuah6fk",
		},
		"SubdomainValid": {
			reason: "A valid subdomain stays as it is.",
			expr:   `dns.subdomain("a.b-c.example.com")`, want: "a.b-c.example.com",
		},
		"SubdomainLabels": {
			reason: "Each label is cleaned, and empty ones are dropped.",
			expr:   `dns.subdomain("..Team A.-_.Prod-.x..")`, want: "team-a.prod.x",
		},
		"SubdomainLongLabel": {
			reason: "Kubernetes bounds the whole name, not its labels.",
			expr:   `dns.subdomain(source)`, vars: source(strings.Repeat("a", 253)), want: strings.Repeat("a", 253),
		},
		"SubdomainCut": {
			reason: "The cut leaves no dot before the hash.",
			expr:   `dns.subdomain(source)`, vars: source(strings.Repeat("a", 241) + "." + strings.Repeat("b", 20)),
			want: strings.Repeat("a", 241) + "-ulbehcct48",
		},
		"TooLong": {
			reason: "No name is made of a text of this length.",
			expr:   `dns.label(source)`, vars: source(strings.Repeat("a", 64<<10+1)), wantErr: "the text is too long",
		},
		"SubdomainTooLong": {
			reason: "Neither is a subdomain.",
			expr:   `dns.subdomain(source)`, vars: source(strings.Repeat("a", 64<<10+1)), wantErr: "the text is too long",
		},
		"SubdomainEmpty": {reason: "Dots alone are no name.", expr: `dns.subdomain("...")`, wantErr: noName},
	})
}

// TestDNSCollisions holds that long texts with one beginning, and those that differ in what is cleaned only, get
// different names.
func TestDNSCollisions(t *testing.T) {
	env := newEnv(t)
	for _, function := range []string{"dns.label", "dns.subdomain"} {
		program := compile(t, env, function+"(source)")
		seen := map[string]string{}
		for i := range 2000 {
			text := strings.Repeat("Cluster_", 40) + string(rune('0'+i%10)) + strings.Repeat("-", i/10)
			name, err := evalText(program, text)
			if err != nil {
				t.Fatal(err)
			}
			if other, taken := seen[name]; taken {
				t.Fatalf("%s makes %q of %q and of %q", function, name, text, other)
			}
			seen[name] = text
		}
	}
}

func FuzzDNS(f *testing.F) {
	for _, seed := range []string{"a", "A.B", "-", "a..b", strings.Repeat("a", 70), strings.Repeat("a.-", 100), "\xff日\u212a"} {
		f.Add(seed)
	}
	env := newEnv(f)
	label, subdomain := compile(f, env, "dns.label(source)"), compile(f, env, "dns.subdomain(source)")
	f.Fuzz(func(t *testing.T, text string) {
		checkName(t, label, text, validation.IsDNS1123Label)
		checkName(t, subdomain, text, validation.IsDNS1123Subdomain)
	})
}

// checkName holds that a name is valid, that it is a fixed point, and that a valid text is its own name.
func checkName(t *testing.T, program cel.Program, text string, problems func(string) []string) {
	t.Helper()
	name, err := evalText(program, text)
	if err != nil {
		return
	}
	if p := problems(name); len(p) > 0 {
		t.Errorf("%q becomes %q: %v", text, name, p)
	}
	if again, err := evalText(program, name); err != nil || again != name {
		t.Errorf("%q becomes %q and then %q: %v", text, name, again, err)
	}
	if len(problems(text)) == 0 && name != text {
		t.Errorf("%q is valid and becomes %q", text, name)
	}
}

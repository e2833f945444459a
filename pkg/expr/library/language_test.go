package library_test

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/ext"
	k8slibrary "k8s.io/apiserver/pkg/cel/library"

	"github.com/clusterimport/clusterimport/pkg/expr/library"
)

const languagePage = "../../../docs/language.md"

// fence is a fenced block: its language, its name and its text.
var fence = regexp.MustCompile("(?ms)^```(cel|yaml)(?: ([a-z]+))?\n(.*?)^```$")

// example is an expression and, after =>, its result or the text of its error.
type example struct {
	section, expr, want string
}

// page is what a test can use of the language page: examples, and the objects that they see.
type page struct {
	examples []example
	vars     map[string]any
}

func readPage(t *testing.T) page {
	t.Helper()
	raw, err := os.ReadFile(languagePage)
	if err != nil {
		t.Fatal(err)
	}
	p := page{vars: map[string]any{}}
	text := string(raw)
	for _, at := range fence.FindAllStringSubmatchIndex(text, -1) {
		language, block := text[at[2]:at[3]], text[at[6]:at[7]]
		switch {
		case language == "yaml" && at[4] >= 0:
			value, err := evaluate(t, newEnv(t), "yaml.unmarshal(source)", source(block))
			if err != nil {
				t.Fatal(err)
			}
			p.vars[text[at[4]:at[5]]] = native(value)
		case language == "cel":
			p.examples = append(p.examples, readExamples(t, section(text[:at[0]]), block)...)
		}
	}
	return p
}

// section is the last heading of a text.
func section(text string) string {
	heading := text[strings.LastIndex(text, "\n#")+1:]
	line, _, _ := strings.Cut(heading, "\n")
	return strings.TrimSpace(strings.TrimLeft(line, "#"))
}

// readExamples splits a block at its empty lines.
func readExamples(t *testing.T, section, block string) []example {
	t.Helper()
	var examples []example
	for part := range strings.SplitSeq(strings.TrimSpace(block), "\n\n") {
		expr, want, ok := strings.Cut(part, "\n=> ")
		if !ok {
			t.Errorf("%s: an example has no line with =>:\n%s", section, part)
			continue
		}
		examples = append(examples, example{section, expr, want})
	}
	return examples
}

// documented is the environment that the page describes.
func documented(t *testing.T) *cel.Env {
	t.Helper()
	return newEnv(t,
		cel.EnableIdentifierEscapeSyntax(),
		ext.Strings(ext.StringsVersion(2)), ext.Lists(ext.ListsVersion(3)), ext.Sets(), ext.Math(ext.MathVersion(2)),
		ext.Encoders(ext.EncodersVersion(0)), ext.Bindings(ext.BindingsVersion(1)), ext.TwoVarComprehensions(),
		k8slibrary.URLs(), k8slibrary.Regex(), k8slibrary.IP(), k8slibrary.CIDR(), k8slibrary.Quantity(),
		k8slibrary.Format(), k8slibrary.Lists(k8slibrary.ListsVersion(1)),
		k8slibrary.SemverLib(k8slibrary.SemverVersion(1)),
	)
}

// TestLanguagePage runs the examples of the language page.
func TestLanguagePage(t *testing.T) {
	p, env := readPage(t), documented(t)
	if len(p.examples) == 0 || len(p.vars) != 2 {
		t.Fatalf("%s has %d examples and objects for %d variables", languagePage, len(p.examples), len(p.vars))
	}
	for _, e := range p.examples {
		t.Run(e.section, func(t *testing.T) {
			got, err := evaluate(t, env, e.expr, p.vars)
			if message, fails := strings.CutPrefix(e.want, "error: "); fails {
				if failure, _ := errors.AsType[library.Error](err); string(failure) != message {
					t.Errorf("%s\nerror %v, want %q", e.expr, err, message)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s\n%v", e.expr, err)
			}
			want, err := evaluate(t, env, e.want, p.vars)
			if err != nil {
				t.Fatalf("=> %s\n%v", e.want, err)
			}
			if got.Equal(want) != types.True || got.Type() != want.Type() {
				t.Errorf("%s\nis %#v, want %s", e.expr, native(got), e.want)
			}
		})
	}
}

// TestLanguagePageHasAllFunctions holds that each function of this package has an example, and that each name that
// the page's tables give is one that an expression can use.
func TestLanguagePageHasAllFunctions(t *testing.T) {
	var text strings.Builder
	for _, e := range readPage(t).examples {
		text.WriteString(e.expr + "\n")
	}
	base, err := cel.NewEnv()
	if err != nil {
		t.Fatal(err)
	}
	env, err := cel.NewEnv(library.Options()...)
	if err != nil {
		t.Fatal(err)
	}
	for name := range env.Functions() {
		if _, standard := base.Functions()[name]; !standard && !strings.Contains(text.String(), name+"(") {
			t.Errorf("%s has no example of %s", languagePage, name)
		}
	}
}

// tableRow is a row of the table of standard libraries.
var tableRow = regexp.MustCompile("(?m)^\\| [^|]* \\| (?:CEL|Kubernetes) \\| (`.*`)[^|]*\\|$")

// TestLanguagePageNamesLibraries holds that the functions in the table of libraries exist.
func TestLanguagePageNamesLibraries(t *testing.T) {
	raw, err := os.ReadFile(languagePage)
	if err != nil {
		t.Fatal(err)
	}
	env := documented(t)
	known := map[string]bool{}
	for name := range env.Functions() {
		known[name] = true
	}
	for _, m := range env.Macros() {
		known[m.Function()] = true
	}
	// Operators, and macros whose namespace is their receiver.
	for _, name := range []string{".?field", "[?key]", "math.least", "math.greatest", "cel.bind"} {
		known[name] = true
	}
	rows := tableRow.FindAllStringSubmatch(string(raw), -1)
	if len(rows) < 16 {
		t.Errorf("%s has %d rows of libraries", languagePage, len(rows))
	}
	for _, row := range rows {
		for _, quoted := range regexp.MustCompile("`[^`]+`").FindAllString(row[1], -1) {
			if name := strings.Trim(quoted, "`"); !known[name] {
				t.Errorf("%s names %s, which no expression can use", languagePage, name)
			}
		}
	}
}

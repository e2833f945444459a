package expr

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/decls"
	"k8s.io/apimachinery/pkg/util/version"
	"k8s.io/apiserver/pkg/cel/environment"
)

// admission is the environment of a ValidatingAdmissionPolicy's expressions over an untyped object.
func admission(t *testing.T) *cel.Env {
	t.Helper()
	set, err := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion()).Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0), EnvOptions: []cel.EnvOption{cel.Variable(SourceVariable, cel.DynType)},
	})
	if err != nil {
		t.Fatal(err)
	}
	env, err := set.Env(environment.StoredExpressions)
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// authorizer matches the overloads that ask the API server for permissions: an evaluation here is pure.
var authorizer = regexp.MustCompile(`^(authorizer|resourcecheck|pathcheck|groupcheck|decision|serviceaccount|.*_selector)`)

// TestAcceptsWhatAdmissionAccepts compares the declarations of both environments: every function, overload and macro of
// a ValidatingAdmissionPolicy is here.
func TestAcceptsWhatAdmissionAccepts(t *testing.T) {
	theirs, ours := admission(t), newTestEnv(t).check
	overloads := 0
	for name, function := range theirs.Functions() {
		for _, want := range function.OverloadDecls() {
			if authorizer.MatchString(want.ID()) || isAuthorizer(want) {
				continue
			}
			overloads++
			own, ok := ours.Functions()[name]
			if !ok {
				t.Errorf("the function %s is missing", name)
				break
			}
			if !slices.ContainsFunc(own.OverloadDecls(), want.SignatureEquals) {
				t.Errorf("the overload %s of %s is missing", want.ID(), name)
			}
		}
	}
	if overloads < 300 {
		t.Errorf("only %d overloads were compared", overloads)
	}
	var macros []string
	for _, m := range ours.Macros() {
		macros = append(macros, m.MacroKey())
	}
	for _, m := range theirs.Macros() {
		if !slices.Contains(macros, m.MacroKey()) {
			t.Errorf("the macro %s is missing", m.MacroKey())
		}
	}
}

func isAuthorizer(o *decls.OverloadDecl) bool {
	return slices.ContainsFunc(o.ArgTypes(), func(arg *cel.Type) bool { return strings.HasPrefix(arg.TypeName(), "kubernetes.authorization.") })
}

// TestCompilesWhatAdmissionCompiles compiles expressions of the kinds that declarations do not show: syntax, limits,
// conversions between numbers, optionals, and random ones.
func TestCompilesWhatAdmissionCompiles(t *testing.T) {
	theirs, ours := admission(t), newTestEnv(t)
	expressions := []string{
		`source.spec.replicas <= 5`, `source.spec.replicas > 1.5`, `1 == 1.0`, `1u < 2.5`, `[1, 2.0, 3u]`, `{"a": 1}["a"] == 1.0`,
		`source.?spec.?a.orValue(1) == 1`, `source.spec[?"a"].hasValue()`, `[?source.?a]`, `{?"a": source.?b}`, `optional.none().or(optional.of(1)).value() == 1`,
		"source.metadata.`a.b/c`", `source.metadata.labels["a"] == "b"`, `has(source.a.b.c)`, `source.a.all(x, x > 0)`, `source.a.exists_one(x, x == 1)`,
		`source.a.map(x, x > 1, x * 2)`, `source.a.filter(x, x.startsWith("a"))`, `source.a.all(i, v, v > i)`, `source.a.transformMap(k, v, v != "", v + "!")`,
		`url("https://a:1/b?c=d").getHostname() == "a"`, `isURL(source.a)`, `ip("1.2.3.4").family() == 4`, `cidr("10.0.0.0/8").containsIP("10.1.2.3")`,
		`quantity("1Ki").compareTo(quantity("1000")) > 0`, `isQuantity("1")`, `semver("1.2.3").major() == 1`, `isSemver("v1.2", true)`,
		`format.dns1123Label().validate("a").hasValue()`, `!format.named("uuid").hasValue()`, `"a1".find("[0-9]+") == "1"`, `"a1b2".findAll("[0-9]", 1) == ["1"]`,
		`"%s is %d".format(["a", 1])`, `"a,b".split(",").join("-")`, `strings.quote("a") != ""`, `"abc".charAt(1) == "b"`, `[3, 1, 2].sort() == [1, 2, 3]`,
		`sets.contains([1, 2], [1])`, `lists.range(3).sum() == 3`, `[1, 2].isSorted() && [1, 2].max() == 2 && [1, 2].indexOf(2) == 1`, `[[1], [2]].flatten() == [1, 2]`,
		`timestamp("2026-01-01T00:00:00Z") + duration("1h") > timestamp("2026-01-01T00:30:00Z")`, `timestamp("2026-01-01T00:00:00Z").getHours() == 0`, `duration("90s").getSeconds() == 90`,
		`type(source.a) == string`, `int("1") + int(2.0) == 3`, `string(b"a") + string(1)`, `bytes("a") == b"a"`, `source.a in [1, 2]`, `"k" in source`, `dyn(1) == "a"`,
		`(source.a ? source.b : source.c).d`, `r"\d" == "\\d"`, `'''a
b''' == "a\nb"`, `// a comment` + "\n" + `true`, `-1 - -1 == 0`, `!!true`, `0x10 == 16`, `1e3 == 1000.0`, `"\u00e9" == "é"`, `null == source.a`,
	}
	g := newGenerator(1)
	for range 500 {
		expressions = append(expressions, strings.ReplaceAll(g.condition(3), "references.", "source."))
	}
	accepted := 0
	for _, src := range expressions {
		if _, issues := theirs.Compile(src); issues.Err() != nil {
			continue
		}
		accepted++
		if p, list := ours.Compile(Whole("f", src), cel.DynType); p == nil {
			t.Errorf("%s:\n%s", src, list)
		}
	}
	if accepted < 200 {
		t.Errorf("the admission environment accepts only %d of %d", accepted, len(expressions))
	}
}

package expr

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/decls"
)

// canary is in everything that expressions read here. It is no valid argument of any function, and part of it is a
// valid one of some.
const canary = "c4n4ry"

func canarySource() map[string]any {
	return map[string]any{
		"secret": canary + "[\x01%zz", "word": canary, "url": "https://" + canary + ":pw@host:port/%zz", "pattern": "(" + canary,
		"list": []any{canary, canary}, "map": map[string]any{canary: canary}, "kubeconfig": "users: [{" + canary, "number": int64(3),
	}
}

// TestNoFunctionTellsItsArguments calls every function with secret arguments, of every kind, and looks for them in what
// it fails with.
func TestNoFunctionTellsItsArguments(t *testing.T) {
	env := newTestEnv(t)
	calls := 0
	for name, function := range env.check.Functions() {
		if strings.ContainsAny(name, "@_!") {
			continue // operators and what macros become
		}
		for _, o := range function.OverloadDecls() {
			for _, field := range []string{"secret", "word", "url", "pattern", "list", "map", "kubeconfig", "number"} {
				p, list := env.Compile(Whole("f", callOf(name, o, "dyn(source."+field+")")), cel.DynType)
				if p == nil {
					t.Logf("%s", list)
					continue
				}
				if err := tells(t, p); err != nil {
					t.Errorf("%s of %s tells: %v", o.ID(), field, err)
				}
				calls++
			}
		}
	}
	if calls < 500 {
		t.Errorf("only %d calls were made", calls)
	}
}

func callOf(name string, o *decls.OverloadDecl, arg string) string {
	args := make([]string, len(o.ArgTypes()))
	for i := range args {
		args[i] = arg
	}
	if o.IsMemberFunction() {
		return args[0] + "." + name + "(" + strings.Join(args[1:], ", ") + ")"
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}

// tells evaluates and returns the error in whose chain the canary is.
func tells(t *testing.T, p *Program) error {
	t.Helper()
	_, _, err := p.JSON(t.Context(), NewBinding(canarySource(), nil))
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(e.Error(), canary) {
			return e
		}
	}
	return nil
}

// TestNoExpressionTellsWhatItReads does the same with random expressions.
func TestNoExpressionTellsWhatItReads(t *testing.T) {
	g := newGenerator(7)
	env := newTestEnv(t)
	for range 2_000 {
		src := g.condition(3)
		for _, name := range fieldNames {
			src = strings.ReplaceAll(src, "."+name+" ", "."+pick(g, "secret", "word", "list", "map", "url")+" ")
		}
		p, _ := env.Compile(Whole("f", src), cel.DynType)
		if p == nil {
			continue
		}
		if err := tells(t, p); err != nil {
			t.Errorf("%s tells: %v", src, err)
		}
	}
}

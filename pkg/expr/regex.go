package expr

import (
	"regexp"
	"regexp/syntax"

	"github.com/google/cel-go/cel"
	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/interpreter"

	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// Limits of regular expressions. Go's own allow one to take a hundred megabytes.
const (
	maxPattern      = 4 << 10
	maxPatternSteps = 5_000
)

const (
	errPattern     plain.Error = "the regular expression is not valid"
	errPatternSize plain.Error = "the regular expression is too large"
)

// patternFunction matches a text; rest are the arguments after the regular expression.
type patternFunction func(re *regexp.Regexp, text string, rest []ref.Val) ref.Val

// patternFunctions are the functions whose second argument is a regular expression.
var patternFunctions = map[string]patternFunction{
	"matches": func(re *regexp.Regexp, text string, _ []ref.Val) ref.Val { return types.Bool(re.MatchString(text)) },
	"find":    func(re *regexp.Regexp, text string, _ []ref.Val) ref.Val { return types.String(re.FindString(text)) },
	"findAll": func(re *regexp.Regexp, text string, rest []ref.Val) ref.Val {
		most := types.Int(-1)
		if len(rest) > 0 {
			var ok bool
			if most, ok = rest[0].(types.Int); !ok {
				return types.MaybeNoSuchOverloadErr(rest[0])
			}
		}
		return types.NewStringList(plain.Adapter{}, re.FindAllString(text, int(most)))
	},
}

// patternCall returns the node of a call with a regular expression, which is compiled once when it is a literal. It is
// charged all of the expression's steps for each byte, which is the worst that can happen, and else its compilation.
func patternCall(node interpreter.InterpretableCall, match patternFunction) (interpreter.InterpretableV2, error) {
	compile, compiling := compilePattern, PatternCost
	if literal, ok := node.Args()[1].(interpreter.InterpretableConst); ok {
		pattern, _ := literal.Value().(types.String)
		re, steps, err := compilePattern(string(pattern))
		compile = func(string) (*regexp.Regexp, int, error) { return re, steps, err }
		compiling = func(string) int { return 0 }
	}
	charge := func(args []ref.Val) int {
		pattern, _ := args[1].(types.String)
		_, steps, err := compile(string(pattern))
		if err != nil {
			steps = 0 // nothing is matched
		}
		return min(compiling(string(pattern)), maxCallCost) + length(args[0])*(1+steps/5)
	}
	invoke := func(args ...ref.Val) ref.Val {
		text, okText := args[0].(types.String)
		pattern, okPattern := args[1].(types.String)
		if !okText || !okPattern {
			return types.NoSuchOverloadErr()
		}
		re, _, err := compile(string(pattern))
		if err != nil {
			return types.WrapErr(err)
		}
		return match(re, string(text), args[2:])
	}
	return chargedCall{node, node.Args(), charge, invoke}, nil
}

// compilePattern compiles a regular expression and says of how many steps it is made.
func compilePattern(pattern string) (re *regexp.Regexp, steps int, err error) {
	if steps, err = patternSteps(pattern); err != nil {
		return nil, steps, err
	}
	if re, err = regexp.Compile(pattern); err != nil {
		return nil, steps, errPattern
	}
	return re, steps, nil
}

// patternSteps counts the steps of a regular expression without making them.
func patternSteps(pattern string) (int, error) {
	if len(pattern) > maxPattern || PatternCost(pattern) > maxCallCost {
		return maxPatternSteps, errPatternSize
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return maxPatternSteps, errPattern
	}
	steps := stepsOf(parsed)
	if steps > maxPatternSteps {
		return steps, errPatternSize
	}
	return steps, nil
}

func stepsOf(re *syntax.Regexp) int {
	steps := 1
	if re.Op == syntax.OpLiteral {
		steps = len(re.Rune)
	}
	for _, sub := range re.Sub {
		if steps += stepsOf(sub); steps > maxPatternSteps {
			return steps
		}
	}
	if re.Op == syntax.OpRepeat {
		steps *= max(re.Min, re.Max, 1)
	}
	return steps
}

// patternValidator finds literal regular expressions that are not valid or too large.
type patternValidator struct{}

// Name implements cel.ASTValidator.
func (patternValidator) Name() string { return "clusterimport.patterns" }

// Validate implements cel.ASTValidator.
func (patternValidator) Validate(_ *cel.Env, _ cel.ValidatorConfig, a *celast.AST, issues *cel.Issues) {
	celast.PreOrderVisit(a.Expr(), celast.NewExprVisitor(func(e celast.Expr) {
		if pattern, ok := literalPattern(e); ok {
			if _, err := patternSteps(pattern.value); err != nil {
				issues.ReportErrorAtID(pattern.id, "%s", err)
			}
		}
	}))
}

// literalText is a literal text and its node.
type literalText struct {
	value string
	id    int64
}

// literalPattern is the regular expression of a call, if it is a literal.
func literalPattern(e celast.Expr) (literalText, bool) {
	if e.Kind() != celast.CallKind || patternFunctions[e.AsCall().FunctionName()] == nil {
		return literalText{}, false
	}
	call := e.AsCall()
	args := call.Args()
	if !call.IsMemberFunction() && len(args) > 0 {
		args = args[1:]
	}
	if len(args) == 0 || args[0].Kind() != celast.LiteralKind {
		return literalText{}, false
	}
	text, ok := args[0].AsLiteral().(types.String)
	return literalText{string(text), args[0].ID()}, ok
}

package expr

import (
	"fmt"
	"slices"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/ext"
	k8slibrary "k8s.io/apiserver/pkg/cel/library"

	"github.com/clusterimport/clusterimport/pkg/expr/library"
	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// The variables that expressions see.
const (
	SourceVariable     = "source"
	ReferencesVariable = "references"
)

// Scope is what the expressions of one field may use.
type Scope struct {
	// Source is the shape of the variable source; nil is not known (dyn).
	Source *Schema
	// References are the references that may be used, in the order of their declaration.
	References []Reference
}

// Reference is one field of the variable references.
type Reference struct {
	Key string
	// Schema is the shape of the referenced object; nil is not known (dyn).
	Schema *Schema
}

// Keys are the keys of the references in the order of their declaration.
func (s Scope) Keys() []string {
	keys := make([]string, len(s.References))
	for i, r := range s.References {
		keys[i] = r.Key
	}
	return keys
}

// Env compiles the expressions of one scope. It is immutable and safe for concurrent use.
type Env struct {
	scope Scope
	// check knows the types of the scope; exec knows none and is shared by all scopes, so that a program,
	// which holds its environment, stays small.
	check, exec *cel.Env
	extension   *Extension
	// inputs gathers what the compiled expressions read; nil gathers nothing.
	inputs *Inputs
}

// Scope returns what the environment's expressions may use.
func (e *Env) Scope() Scope { return e.scope }

// builtin is the extension without functions: what every environment has.
var builtin = newExtension(Functions{}, baseEnv)

// NewEnv makes the environment of a scope. It fails only when the scope declares a reference twice.
func NewEnv(scope Scope) (*Env, error) {
	if keys := scope.Keys(); len(keys) != len(slices.Compact(slices.Sorted(slices.Values(keys)))) {
		return nil, fmt.Errorf("a reference key is declared twice in %q", keys)
	}
	return newEnv(scope, builtin)
}

func newEnv(scope Scope, x *Extension) (*Env, error) {
	base, err := x.base()
	if err != nil {
		return nil, err
	}
	exec, err := x.exec()
	if err != nil {
		return nil, err
	}
	types := newTypeSet(base.CELTypeProvider())
	check, err := base.Extend(
		cel.Variable(SourceVariable, types.declare(objectType, scope.Source)),
		cel.Variable(ReferencesVariable, types.declare("References", referencesSchema(scope.References))),
		cel.CustomTypeProvider(types),
	)
	if err != nil {
		return nil, fmt.Errorf("cannot declare the variables: %w", err)
	}
	return &Env{scope: scope, check: check, exec: exec, extension: x}, nil
}

// Extend returns the environment with the functions of x, which is itself if it has them.
func (e *Env) Extend(x *Extension) (*Env, error) {
	if e.extension == x {
		return e, nil
	}
	extended, err := newEnv(e.scope, x)
	if err != nil {
		return nil, err
	}
	return extended.Recording(e.inputs), nil
}

// Recording returns the environment that adds what each expression reads to inputs when it is compiled. It is for one
// goroutine, until all is compiled.
func (e *Env) Recording(inputs *Inputs) *Env {
	recording := *e
	recording.inputs = inputs
	return &recording
}

// baseEnv has the functions and language settings but no variables. The versions of the libraries are pinned:
// an upgrade of a dependency must not change what a stored policy means.
var baseEnv = sync.OnceValues(func() (*cel.Env, error) {
	labelSharedError()
	return cel.NewEnv(append(library.Options(),
		cel.CustomTypeAdapter(plain.Adapter{}),
		cel.EagerlyValidateDeclarations(true),
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		cel.OptionalTypes(),
		cel.EnableIdentifierEscapeSyntax(),
		cel.ParserRecursionLimit(maxParserDepth),
		cel.ParserExpressionSizeLimit(maxExpressionSize),
		cel.CostEstimatorOptions(checker.PresenceTestHasCost(false)),
		cel.ASTValidators(
			cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(), patternValidator{},
		),
		ext.Strings(ext.StringsVersion(2)),
		ext.Sets(),
		ext.Lists(ext.ListsVersion(3)),
		ext.Math(ext.MathVersion(2)),
		ext.Encoders(ext.EncodersVersion(0)),
		ext.Bindings(ext.BindingsVersion(1)),
		ext.TwoVarComprehensions(),
		k8slibrary.URLs(),
		k8slibrary.Regex(),
		k8slibrary.IP(),
		k8slibrary.CIDR(),
		k8slibrary.Quantity(),
		k8slibrary.Format(),
		k8slibrary.Lists(k8slibrary.ListsVersion(1)),
		k8slibrary.SemverLib(k8slibrary.SemverVersion(1)),
	)...)
})

// untyped is the environment that programs of every scope run in: the same functions, untyped variables.
func untyped(baseEnv func() (*cel.Env, error)) (*cel.Env, error) {
	base, err := baseEnv()
	if err != nil {
		return nil, err
	}
	return base.Extend(
		cel.Variable(SourceVariable, cel.DynType),
		cel.Variable(ReferencesVariable, cel.DynType),
	)
}

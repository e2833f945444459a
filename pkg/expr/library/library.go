package library

import (
	"slices"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/clusterimport/clusterimport/pkg/expr/plain"
)

// Name is the name of the library, as cel.Env.HasLibrary knows it.
const Name = "clusterimport.functions"

// Options declares all functions of this package. An environment that has them already is not changed.
//
// The names are pinned: stored policies use them, so a function is never renamed, nor given another meaning.
func Options() []cel.EnvOption {
	return []cel.EnvOption{cel.Lib(functions{})}
}

// functions implements cel.SingletonLibrary.
type functions struct{}

// LibraryName implements cel.SingletonLibrary.
func (functions) LibraryName() string { return Name }

// CompileOptions implements cel.Library.
func (functions) CompileOptions() []cel.EnvOption {
	return slices.Concat(base64Functions(), dnsFunctions(), kubeconfigFunctions(), jsonFunctions(), yamlFunctions())
}

// ProgramOptions implements cel.Library.
func (functions) ProgramOptions() []cel.ProgramOption { return nil }

// textFunction declares name(string) -> string.
func textFunction(name, overload string, f func(string) (string, error)) cel.EnvOption {
	return cel.Function(name,
		cel.Overload(overload, []*cel.Type{cel.StringType}, cel.StringType, cel.UnaryBinding(ofText(f))))
}

// ofText binds a Go function of one text. CEL calls it with strings only; what else comes is no overload.
func ofText(f func(string) (string, error)) func(ref.Val) ref.Val {
	return func(arg ref.Val) ref.Val {
		text, ok := arg.(types.String)
		if !ok {
			return types.MaybeNoSuchOverloadErr(arg)
		}
		return textOrError(f(string(text)))
	}
}

// ofTexts binds a Go function of n texts.
func ofTexts(n int, f func([]string) (string, error)) func(...ref.Val) ref.Val {
	return func(args ...ref.Val) ref.Val {
		texts := make([]string, 0, n)
		for _, arg := range args {
			text, ok := arg.(types.String)
			if !ok {
				return types.MaybeNoSuchOverloadErr(arg)
			}
			texts = append(texts, string(text))
		}
		if len(texts) != n {
			return types.NoSuchOverloadErr()
		}
		return textOrError(f(texts))
	}
}

func textOrError(text string, err error) ref.Val {
	if err != nil {
		return types.WrapErr(err)
	}
	return types.String(text)
}

func valueOrError(value any, err error) ref.Val {
	if err != nil {
		return types.WrapErr(err)
	}
	return plain.Value(value)
}

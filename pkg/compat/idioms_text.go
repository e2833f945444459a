package compat

import (
	"regexp"
	"strings"
	"unicode/utf8"

	celast "github.com/google/cel-go/common/ast"
	"github.com/google/cel-go/common/operators"
	"github.com/google/cel-go/common/types"

	"github.com/clusterimport/clusterimport/pkg/expr"
)

// idiomTest is a test of the last argument, which CEL has first.
func idiomTest(method string) func(l idiomatic, args []value) value {
	return func(l idiomatic, args []value) value {
		return known(boolSchema, func() celast.Expr { return l.method(l.certain(args[1])(), method, l.certain(args[0])()) })
	}
}

// object assumes that a value is an object, unless it is known to be one.
func (l idiomatic) object(x value) {
	if kind := x.kind(); kind != expr.Map && kind != expr.Object && x.place != itsParts {
		l.assume(AssumesObject, x.make)
	}
}

func idiomText(method string, of AssumptionKind) func(l idiomatic, args []value) value {
	return func(l idiomatic, args []value) value {
		text := l.certain(args[0])
		if of != "" {
			l.assume(of, text)
		}
		return known(textSchema, func() celast.Expr { return l.method(text(), method) })
	}
}

// constant is a constant text among the arguments.
func (l idiomatic) constant(v value, what string) string {
	text, ok := v.constantText()
	if !ok {
		l.cannotf("%s that is not constant has no counterpart", what)
	}
	return text
}

func (l idiomatic) trimPrefix(args []value) value {
	prefix, text := l.constant(args[0], "a prefix"), l.certain(args[1])
	return known(textSchema, func() celast.Expr {
		cut := l.method(text(), "substring", l.number(int64(utf8.RuneCountInString(prefix))))
		return l.choose(l.method(text(), "startsWith", l.text(prefix)), cut, text())
	})
}

func (l idiomatic) trimSuffix(args []value) value {
	suffix, text := l.constant(args[0], "a suffix"), l.certain(args[1])
	return known(textSchema, func() celast.Expr {
		end := l.call(operators.Subtract, l.method(text(), "size"), l.number(int64(utf8.RuneCountInString(suffix))))
		return l.choose(l.method(text(), "endsWith", l.text(suffix)), l.method(text(), "substring", l.number(0), end), text())
	})
}

func (l idiomatic) replace(args []value) value {
	old := l.constant(args[0], "a text to replace")
	if old == "" {
		l.cannotf("replacing an empty text has no counterpart")
	}
	return known(textSchema, func() celast.Expr {
		return l.method(l.certain(args[2])(), "replace", l.text(old), l.certain(args[1])())
	})
}

func (l idiomatic) split(args []value) value {
	return known(&expr.Schema{Kind: expr.List, Elem: textSchema}, func() celast.Expr {
		return l.method(l.certain(args[1])(), "split", l.certain(args[0])())
	})
}

func (l idiomatic) join(args []value) value {
	list := args[1]
	if list.kind() != expr.List && list.kind() != expr.Dyn {
		l.cannotf("joining anything but a list has no counterpart")
	}
	l.assume(AssumesList, list.make)
	return known(textSchema, func() celast.Expr { return l.method(l.orList(list)(), "join", l.certain(args[0])()) })
}

// print puts spaces between values that are no texts.
func (l idiomatic) print(args []value) value {
	var pieces []maker
	for i, arg := range args {
		if i > 0 && arg.kind() != expr.String && args[i-1].kind() != expr.String {
			l.cannotf("print of values that may not be text has no counterpart")
		}
		pieces = append(pieces, l.printed(arg))
	}
	return l.textOf(pieces)
}

func (l idiomatic) textOf(pieces []maker) value {
	if len(pieces) == 0 {
		return l.constantOf(textSchema, types.String(""))
	}
	return known(textSchema, l.joined(pieces))
}

var verb = regexp.MustCompile(`%[^%]?|%%`)

// printf is text with values in it; of the verbs there are those that only print.
func (l idiomatic) printf(args []value) value {
	format, values := l.constant(args[0], "a format"), args[1:]
	var pieces []maker
	literal := func(s string) {
		if s = strings.ReplaceAll(s, "%%", "%"); s != "" {
			pieces = append(pieces, func() celast.Expr { return l.text(s) })
		}
	}
	last := 0
	for _, at := range verb.FindAllStringIndex(format, -1) {
		switch format[at[0]:at[1]] {
		case "%%":
			continue
		case "%s", "%v", "%d":
		default:
			l.cannotf("the format %q has no counterpart", format)
		}
		if len(values) == 0 {
			l.cannotf("the format %q needs more values", format)
		}
		literal(format[last:at[0]])
		last = at[1]
		l.assume(AssumesPresent, l.asWritten(values[0]))
		l.assume(AssumesKind, l.asWritten(values[0]))
		pieces, values = append(pieces, l.printed(values[0])), values[1:]
	}
	if len(values) > 0 {
		l.cannotf("the format %q needs fewer values", format)
	}
	literal(format[last:])
	return l.textOf(pieces)
}

func (l idiomatic) toText(args []value) value {
	l.assume(AssumesPresent, l.asWritten(args[0]))
	return known(textSchema, l.printed(args[0]))
}

func (l idiomatic) size(args []value) value {
	l.assume(AssumesASCII, l.certain(args[0]))
	return known(intSchema, func() celast.Expr { return l.call("size", l.certain(args[0])()) })
}

func (l idiomatic) has(args []value) value {
	l.assume(AssumesList, args[1].make)
	return known(boolSchema, func() celast.Expr { return l.call(operators.In, l.plain(args[0])(), l.orList(args[1])()) })
}

func (l idiomatic) listOf(args []value) value {
	v := known(&expr.Schema{Kind: expr.List}, func() celast.Expr {
		items := make([]celast.Expr, len(args))
		for i, arg := range args {
			items[i] = l.operand(arg)
		}
		return l.list(items...)
	})
	return v
}

func idiomMath(operator string) func(l idiomatic, args []value) value {
	return func(l idiomatic, args []value) value {
		if len(args) == 0 {
			l.cannotf("arithmetic of nothing has no counterpart")
		}
		for _, arg := range args {
			l.assume(AssumesKind, l.certain(arg))
		}
		return known(intSchema, func() celast.Expr {
			sum := l.certain(args[0])()
			for _, arg := range args[1:] {
				sum = l.call(operator, sum, l.certain(arg)())
			}
			return sum
		})
	}
}

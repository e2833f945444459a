package compat_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
)

// kind is what the generator expects of an expression; it is wrong now and then, on purpose.
type kind byte

const (
	kindText  kind = 'T'
	kindInt   kind = 'I'
	kindBool  kind = 'B'
	kindFloat kind = 'F'
	kindList  kind = 'L'
	kindMap   kind = 'M'
	kindAny   kind = 'A'
)

var kinds = []kind{kindText, kindText, kindText, kindInt, kindBool, kindBool, kindFloat, kindList, kindMap, kindAny}

// paths are fields of the random data, by the kind that they mostly have.
var paths = map[kind][]string{
	kindText: {
		"source.metadata.name", "source.metadata.namespace", "source.metadata.labels.env", "source.kind", "source.spec.text", "source.spec.other",
		"source.status.phase", "references.secret.data.token", "references.secret.metadata.name", "source.metadata.uid",
	},
	kindInt:   {"source.metadata.generation", "source.spec.count", "source.spec.zero"},
	kindBool:  {"source.spec.yes", "source.spec.no"},
	kindFloat: {"source.spec.ratio", "source.spec.whole"},
	kindList:  {"source.spec.names", "source.spec.numbers", "source.status.conditions", "source.spec.none", "source.metadata.finalizers"},
	kindMap:   {"source.metadata.labels", "source.spec.nested", "source.metadata.annotations", "references.secret.data", "source.spec", "source.metadata"},
	kindAny:   {"source.spec.null", "source.spec.missing", "source.spec.any", "source.spec.nested.deep.er", "missing", "source.spec.any.x", "source.missing.a.b"},
}

// literals are constants, by kind.
var literals = map[kind][]string{
	kindText:  {`"a"`, `"prod"`, `""`, `"True"`, `"env"`, `"Ready"`, "`x\"y`", `"true"`},
	kindInt:   {"0", "1", "3", "-2", "0x10", "'a'"},
	kindBool:  {"true", "false"},
	kindFloat: {"1.5", "3.0", "1e3"},
	kindList:  {`(list "a" "b")`, `(list)`, `(until 3)`},
	kindMap:   {`(dict "env" "prod" "a" 1)`, `(dict)`},
	kindAny:   {`"b"`, "2", "nil", "true"},
}

// calls are ways to make a value of a kind; @K stands for an operand of kind K.
var calls = map[kind][]string{
	kindText: {
		"lower @T", "@T | upper", "trim @T", `printf "%s-%v" @T @A`, "print @A @A", "default @T @A", "@A | default @T", "ternary @T @T @B", `index @M "env"`, `get @M "env"`, `join "," @L`,
		"trimPrefix @T @T", "trimSuffix @T @T", "b64enc @T", "b64dec @T", "quote @A", "squote @A", "toJson @A", "coalesce @A @A @T", "toString @A", "cat @A @A", "first @L",
		"replace @T @T @T", "trunc 3 @T", "repeat 2 @T", "substr 0 2 @T", "nospace @T", "title @T", "indent 2 @T", "sha256sum @T", "or @A @T", "and @A @T", "@T | trim | quote", "html @T", "urlquery @A",
		`regexReplaceAll "[a-z]" @T "-"`, "@L | last", "snakecase @T", `printf "%d" @I`, `printf "%q" @A`, "println @A", "trimAll @T @T", "upper @T | lower", "index .source.metadata.labels @T", "base @T",
	},
	kindBool: {
		"eq @A @A", `eq @T "prod"`, "eq @T @T", "ne @T @T", `ne @T ""`, "not @A", "and @B @B", "or @B @B", `hasKey @M "env"`, "hasPrefix @T @T", "contains @T @T", "empty @A", `has "a" @L`, "lt @I @I", "gt @I @I",
		"le @T @T", "ge @F @F", "eq @T @T @T", `kindIs "string" @A`, `regexMatch "^[a-z]+$" @T`, "eq @I @I", "and @A @B", "@T | eq @T", "@B | not", `semverCompare ">=1.2" @T`, "eq @B @B", "eq @A nil", "any @A @A", "all @A @A", "hasSuffix @T @T", "eq @F @F",
	},
	kindInt: {
		"len @A", "len @T", "@L | len", "add @I @I", "sub @I @I", "mul @I 2", "mod @I 3", "int @A", "int64 @A", "max @I @I", "atoi @T", "add1 @I", "min @I @I", "div @I 2", "ceil @F | int",
	},
	kindFloat: {"float64 @A", "round @F 2", "floor @F", "addf @F @F", "maxf @F @F"},
	kindList: {
		"list @A @A", `splitList "," @T`, "rest @L", "initial @L", "append @L @A", "compact @L", "sortAlpha @L", "until 3", "keys @M | sortAlpha", "concat @L @L", "slice @L 1", "toStrings @L", "prepend @L @T", "default @L @L",
		"reverse @L", "values (dict \"a\" @A)", "or @L @L", "chunk 2 @L",
	},
	kindMap: {
		`dict "env" @T "b" @A`, `pick @M "env"`, `omit @M "env"`, "deepCopy @M", "fromJson @T", `merge (dict "env" @T) @M`, "default @M @M", "dict @T @A", "index @L 0",
	},
	kindAny: {
		"index @L @I", "index @M @T", "get @M @T", "index @L 0", `dig "deep" "er" @A @M`, `index (split "," @T) "_0"`, "last @L", "first @L", "or @A @A", "and @A @A", "coalesce @A @A", "default @A @A", "ternary @A @A @B", "index @M \"deep\" \"er\"", "(@M).env", "(index @L 0).type",
	},
}

var operandMark = regexp.MustCompile(`@[TIBFLMA]`)

// generator writes random templates.
type generator struct {
	*rand.Rand

	// condition says that the text is mostly white space and "true".
	condition bool
	// conforming says that the data is what the schema of the source says.
	conforming bool
	variables  []scoped
	dot        kind // 0: the root of the data
	loops      int
	left       int // statements
	defined    []string
}

// scoped is a template variable in scope.
type scoped struct {
	name string
	kind kind
}

func newGenerator(seed, stream uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, stream))}
}

func choose[T any](g *generator, of []T) T { return of[g.IntN(len(of))] }

// one reports true once in n times.
func (g *generator) one(n int) bool { return g.IntN(n) == 0 }

// template is a whole template.
func (g *generator) template() string {
	g.condition = g.one(2)
	g.variables, g.dot, g.loops, g.defined = nil, 0, 0, nil
	var defines strings.Builder
	if g.one(6) {
		for i := range 1 + g.IntN(2) {
			name := fmt.Sprintf("t%d", i)
			g.dot, g.left = kindAny, 3
			fmt.Fprintf(&defines, "{{ define %q }}%s{{ end }}", name, g.block(1))
			g.defined = append(g.defined, name)
		}
	}
	g.dot, g.left = 0, 7
	return defines.String() + g.block(3)
}

// block is a list of statements; what it declares ends with it.
func (g *generator) block(depth int) string {
	scope := len(g.variables)
	var b strings.Builder
	for range 1 + g.IntN(3) {
		if g.left--; g.left < 0 {
			break
		}
		b.WriteString(g.statement(depth))
	}
	g.variables = g.variables[:scope]
	return b.String()
}

func (g *generator) statement(depth int) string {
	n := g.IntN(24)
	if depth == 0 && n >= 9 && n < 18 {
		n = g.IntN(9)
	}
	switch {
	case n < 4:
		return g.text()
	case n < 9:
		if g.condition && !g.one(3) {
			return g.action(g.expression(kindBool, 2))
		}
		return g.action(g.expression(choose(g, kinds), 2))
	case n < 13:
		return g.ifElse(depth)
	case n < 15:
		return g.with(depth)
	case n < 18:
		return g.loop(depth)
	case n < 20:
		k := choose(g, kinds)
		value := g.expression(k, 2)
		name := g.declared(k)
		if g.one(30) { // an unused variable may fail in vain
			return g.action(name + " := " + value)
		}
		return g.action(name+" := "+value) + g.action(name)
	case n < 22 && len(g.variables) > 0:
		v := choose(g, g.variables)
		assignment := g.action(v.name + " = " + g.expression(v.kind, 2))
		if g.one(10) {
			return assignment
		}
		return assignment + g.action(v.name)
	case n < 23 && g.loops > 0:
		return g.action("if "+g.expression(kindBool, 1)) + g.text() + g.action(choose(g, []string{"break", "continue"})) + "{{ end }}"
	case n < 23 && len(g.defined) > 0 && g.dot != kindAny:
		return g.action(fmt.Sprintf("template %q %s", choose(g, g.defined), g.expression(choose(g, kinds), 1)))
	case n == 23 && g.one(3):
		return "{{/* a comment */}}"
	default:
		return g.text()
	}
}

// declared puts a variable in scope.
func (g *generator) declared(k kind) string {
	name := choose(g, []string{"$a", "$b", "$c", "$x"})
	g.variables = append(g.variables, scoped{name, k})
	return name
}

func (g *generator) text() string {
	if g.condition {
		return choose(g, []string{" ", "\n", "true", "true", " true ", "", "True", "x", "false"})
	}
	return choose(g, []string{"-", " ", "x", "\n", "true", "a: b", "é", `"`, "{ "})
}

func (g *generator) action(s string) string {
	left, right := "{{ ", " }}"
	if g.one(8) {
		left = "{{- "
	}
	if g.one(8) {
		right = " -}}"
	}
	return left + s + right
}

func (g *generator) ifElse(depth int) string {
	var b strings.Builder
	scope := len(g.variables)
	k := choose(g, []kind{kindBool, kindBool, kindBool, kindAny, kindText})
	head := g.expression(k, 2)
	if g.one(8) {
		head = g.declared(k) + " := " + head
	}
	b.WriteString(g.action("if " + head))
	b.WriteString(g.block(depth - 1))
	if g.one(5) {
		b.WriteString(g.action("else if " + g.expression(kindBool, 2)))
		b.WriteString(g.block(depth - 1))
	}
	if g.one(3) {
		b.WriteString("{{ else }}" + g.block(depth-1))
	}
	g.variables = g.variables[:scope]
	return b.String() + "{{ end }}"
}

func (g *generator) with(depth int) string {
	scope, dot := len(g.variables), g.dot
	k := choose(g, []kind{kindMap, kindMap, kindText, kindAny, kindList})
	head := g.expression(k, 1)
	if g.one(5) {
		head = g.declared(k) + " := " + head
	}
	out := g.action("with " + head)
	g.dot = k
	out += g.block(depth - 1)
	g.dot = dot
	if g.one(3) {
		out += "{{ else }}" + g.block(depth-1)
	}
	g.variables = g.variables[:scope]
	return out + "{{ end }}"
}

func (g *generator) loop(depth int) string {
	scope, dot := len(g.variables), g.dot
	over, item := g.expression(kindList, 1), kindAny
	switch g.IntN(8) {
	case 0, 1, 2:
		over, item = g.rooted("source.status.conditions"), kindMap
	case 3:
		over = g.expression(kindMap, 1)
	case 4:
		over, item = g.rooted("source.spec.names"), kindText
	case 5:
		over, item = choose(g, []string{"3", "$.source.spec.count", "$.source.spec.any"}), kindInt
	}
	switch g.IntN(4) {
	case 0:
		over = g.declared(item) + " := " + over
	case 1:
		over = g.declared(kindAny) + ", " + g.declared(item) + " := " + over
	}
	out := g.action("range " + over)
	g.dot = item
	g.loops++
	out += g.block(depth - 1)
	g.loops--
	g.dot = dot
	if g.one(4) {
		g.variables = g.variables[:scope]
		out += "{{ else }}" + g.block(depth-1)
	}
	g.variables = g.variables[:scope]
	return out + "{{ end }}"
}

// rooted is a path of the data from where the dot is.
func (g *generator) rooted(path string) string {
	if g.dot == 0 && !g.one(6) {
		return "." + path
	}
	return "$." + path
}

// expression is a pipeline of a kind, most of the time.
func (g *generator) expression(k kind, depth int) string {
	if g.one(20) {
		k = choose(g, kinds)
	}
	if depth == 0 || g.one(3) {
		return g.leaf(k)
	}
	call := choose(g, calls[k])
	if g.dot != 0 {
		call = strings.ReplaceAll(call, " .source", " $.source")
	}
	return operandMark.ReplaceAllStringFunc(call, func(mark string) string {
		operand := g.expression(kind(mark[1]), depth-1)
		if strings.ContainsAny(operand, " |") {
			return "(" + operand + ")"
		}
		return operand
	})
}

// leaf is an operand without a call.
func (g *generator) leaf(k kind) string {
	n := g.IntN(10)
	switch {
	case n < 2 && len(g.variables) > 0:
		v := choose(g, g.variables)
		if v.kind == kindMap && g.one(2) {
			return v.name + choose(g, []string{".env", ".type", ".status", ".deep.er"})
		}
		return v.name
	case n < 5 && g.dot == kindMap:
		return choose(g, []string{".type", ".status", ".status", ".env", ".", ".deep.er", ".type"})
	case n < 4 && g.dot != 0:
		return "."
	case n < 6:
		if literal := choose(g, literals[k]); literal != "nil" {
			return literal
		}
	}
	return g.rooted(choose(g, paths[k]))
}

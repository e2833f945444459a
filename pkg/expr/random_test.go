package expr

import (
	"math/rand/v2"
	"strconv"
	"strings"
)

// generator makes random expressions and objects that fit each other more often than not.
type generator struct {
	*rand.Rand

	// items are the loop variables in scope.
	items []string
}

func newGenerator(seed uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, seed))}
}

func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

// fieldNames are what objects have and expressions select.
var fieldNames = []string{"a", "b", "list", "items", "name", "text", "flag", "n"}

// words are the texts of objects and literals.
var words = []string{"", "a", "b", "äöü", "Ready", "True", "vc-one", "aGk="}

// object is a random JSON object.
func (g *generator) object(depth int) map[string]any {
	object := map[string]any{}
	for _, name := range fieldNames {
		if g.IntN(3) > 0 {
			object[name] = g.value(name, depth)
		}
	}
	return object
}

// value is a random value, mostly of the kind that the name promises.
func (g *generator) value(name string, depth int) any {
	if g.IntN(12) == 0 {
		return pick[any](g, nil, int64(1), "odd", 1.5, []any{}, map[string]any{})
	}
	switch {
	case name == "flag":
		return g.IntN(2) == 0
	case name == "n":
		return int64(g.IntN(5))
	case name == "name" || name == "text" || depth == 0:
		return pick(g, words...)
	case name == "list":
		return []any{pick(g, words...), pick(g, words...)}
	case name == "items":
		list := make([]any, g.IntN(4))
		for i := range list {
			list[i] = g.object(depth - 1)
		}
		return list
	default:
		return g.object(depth - 1)
	}
}

// condition is a random expression that is mostly bool.
func (g *generator) condition(depth int) string {
	if depth == 0 {
		return pick(g, "true", g.read(1)+" == "+g.literal(), "has("+g.read(1)+"."+pick(g, fieldNames...)+")")
	}
	switch g.IntN(12) {
	case 0, 1:
		return g.condition(depth-1) + " && " + g.condition(depth-1)
	case 2, 3:
		return "(" + g.condition(depth-1) + " || " + g.condition(depth-1) + ")"
	case 4:
		return "!(" + g.condition(depth-1) + ")"
	case 5:
		return g.read(depth) + pick(g, " == ", " != ", " < ") + g.text(depth-1)
	case 6:
		return g.text(depth-1) + "." + pick(g, "startsWith", "endsWith", "contains") + "(" + g.text(depth-1) + ")"
	case 7:
		return g.text(depth-1) + " in " + pick(g, g.read(depth), `["a", "b", "True"]`)
	case 8, 9:
		return g.loop(depth)
	case 10:
		return "(" + g.condition(depth-1) + " ? " + g.condition(depth-1) + " : " + g.condition(depth-1) + ")"
	default:
		return "size(" + g.read(depth) + ") > " + strconv.Itoa(g.IntN(3))
	}
}

// loop is a random quantifier.
func (g *generator) loop(depth int) string {
	item := string(rune('x' + len(g.items)%3))
	over := pick(g, g.read(depth)+".items", "source.?a.?items.orValue([])", "source.items", `["a", "name", "n"]`, g.read(depth))
	g.items = append(g.items, item)
	body := g.condition(depth - 1)
	g.items = g.items[:len(g.items)-1]
	return over + "." + pick(g, "all", "exists", "exists_one") + "(" + item + ", " + body + ")"
}

// text is a random expression that is mostly text.
func (g *generator) text(depth int) string {
	if depth <= 0 {
		return pick(g, g.literal(), g.read(1))
	}
	switch g.IntN(9) {
	case 0:
		return "(" + g.text(depth-1) + " + " + g.text(depth-1) + ")"
	case 1:
		return g.text(depth-1) + pick(g, ".lowerAscii()", ".trim()", ".substring(1)", ".substring(0, 2)", ".substring(source.n)")
	case 2:
		return pick(g, "b64dec(", "b64enc(", "dns.label(") + g.text(depth-1) + ")"
	case 3:
		return "source." + pick(g, fieldNames...) + ".?" + pick(g, fieldNames...) + `.orValue("none")`
	case 4:
		return g.read(depth) + "[" + g.text(depth-1) + "]"
	case 5:
		return "cel.bind(v, " + g.read(depth) + ", " + pick(g, "v", "v.a", "has(v.a) ? v.b : v") + ")"
	case 6:
		return g.read(depth) + "." + pick(g, "map", "filter") + "(v, " + pick(g, "v.name == 'a'", "has(v.a)", "true") + ")"
	default:
		return pick(g, g.literal(), g.read(depth))
	}
}

// read is a random selection.
func (g *generator) read(depth int) string {
	roots := append([]string{"source", "source", "references.one", "references.two"}, g.items...)
	path := []string{pick(g, roots...)}
	for range g.IntN(depth + 2) {
		path = append(path, pick(g, fieldNames...))
	}
	if g.IntN(8) == 0 {
		return strings.Join(path, ".") + `["` + pick(g, fieldNames...) + `"]`
	}
	return strings.Join(path, ".")
}

func (g *generator) literal() string {
	return pick(g, `"`+pick(g, words...)+`"`, strconv.Itoa(g.IntN(4)), "true")
}

package compat

import (
	"fmt"
	"maps"
	"slices"
	"text/template/parse"

	"github.com/google/cel-go/common/types"

	"github.com/clusterimport/clusterimport/pkg/diag"
	"github.com/clusterimport/clusterimport/pkg/expr"
	"github.com/clusterimport/clusterimport/pkg/render"
)

// What a document that is text may print is tried out when it is compiled: some ways through its branches and loops,
// with nothing known of any value. A template is refused if none of them gives a document; a branch that is in none that
// does is warned of, for the ways that are tried need not be those that values take.

const (
	// maxSamples is how many ways are tried: all of those through the first six decisions.
	maxSamples = 64
	// maxSampled bounds what is parsed for that, in bytes.
	maxSampled = 128 << 10
)

// sampled tries a document out. ok says that a way gives one; the list has errors if none does.
func (p *parsed) sampled(own structure, schema *expr.Schema) (list diag.List, ok bool) {
	var failed []*sample
	fine := map[*parse.ListNode]bool{}
	left := maxSampled
	for way := range uint64(maxSamples) {
		s := &sample{parsed: p, own: own, way: way, within: []string{rootName}, bodies: map[*parse.ListNode]bool{}}
		s.print(p.root.Nodes)
		if left -= s.w.text.Len(); left < 0 && way > 0 {
			break
		}
		if s.parse(schema); s.faults.HasErrors() {
			failed = append(failed, s)
		} else {
			ok = true
			maps.Copy(fine, s.bodies)
		}
		if s.decided == 0 {
			break // there is one way
		}
	}
	if !ok {
		return worst(failed).faults, false
	}
	for _, s := range failed {
		if s.leaves(fine) {
			return s.warnings(), true
		}
	}
	return nil, true
}

// worst is the first sample that is YAML, but no document, or the first.
func worst(failed []*sample) *sample {
	i := slices.IndexFunc(failed, func(s *sample) bool { return !slices.ContainsFunc(s.faults, isContext) })
	return failed[max(i, 0)]
}

// parse finds what is wrong with what the sample has printed.
func (s *sample) parse(schema *expr.Schema) {
	if s.w.text.Len() > maxYAML || s.steps > maxTemplateNodes {
		s.faults = diag.List{s.source.at(CodeTooLarge, 0, fmt.Sprintf("the template prints more than %d bytes beside its values", maxYAML))}
		return
	}
	origin := render.Origin{Field: s.source.field, Text: s.source.text, Locate: s.w.locate}
	_, list := render.Parse(sampleLanguage{}, origin, s.w.text.String(), schema)
	s.faults = inTemplate(list)
}

// leaves reports whether a sample has a branch that is not among those.
func (s *sample) leaves(fine map[*parse.ListNode]bool) bool {
	for body := range s.bodies {
		if !fine[body] {
			return true
		}
	}
	return false
}

// warnings are the faults of a sample that values may not lead to.
func (s *sample) warnings() diag.List {
	for i := range s.faults {
		s.faults[i].Severity = diag.Warning
	}
	return s.faults
}

// sample is one way through a template, and what it prints.
type sample struct {
	*parsed

	own structure
	// way gives the decisions, decided is how many have been made, and steps counts the nodes.
	way            uint64
	decided, steps int
	// variables hold signs, as constants.
	variables variables
	within    []string
	// bodies are the branches that it goes through, w is what they print, and faults what is wrong with that.
	bodies map[*parse.ListNode]bool
	w      marked
	faults diag.List
}

// jump says that the nodes after one are not printed, up to the end of a round or of the loop.
type jump int

const (
	goesOn jump = iota
	goesNext
	goesOut
)

// decide says yes or no. The first ways differ in the first decisions, and all ways in those after them.
func (s *sample) decide() bool {
	i := s.decided
	s.decided++
	if i < 6 {
		return s.way>>i&1 == 0
	}
	mixed := (s.way + 1) * 0x9E3779B97F4A7C15 // the golden ratio spreads the bits
	return mixed>>(uint(i*7)%61)&1 == 0
}

func (s *sample) print(nodes []parse.Node) jump {
	scope := len(s.variables)
	defer func() { s.variables = s.variables[:scope] }()
	for _, n := range nodes {
		if s.steps++; s.steps > maxTemplateNodes || s.w.text.Len() > maxYAML {
			return goesOut
		}
		if j := s.node(n); j != goesOn {
			return j
		}
	}
	return goesOn
}

func (s *sample) node(n parse.Node) jump {
	switch n := n.(type) {
	case *parse.TextNode:
		s.w.write(string(n.Text), n.Pos, true)
	case *parse.ActionNode:
		s.action(n)
	case *parse.IfNode:
		return s.branch(&n.BranchNode)
	case *parse.WithNode:
		return s.branch(&n.BranchNode)
	case *parse.RangeNode:
		return s.loop(n)
	case *parse.TemplateNode:
		s.call(n)
	case *parse.BreakNode:
		return goesOut
	case *parse.ContinueNode:
		return goesNext
	}
	return goesOn
}

func (s *sample) action(n *parse.ActionNode) {
	switch {
	case len(n.Pipe.Decl) > 0:
		s.give(n.Pipe)
	case s.own.has(n.Pipe):
		s.w.write(s.signs(n.Pipe), n.Pos, false)
	default:
		_, spaces := indentation(n, true)
		s.w.write(spaces+numberMark(0), n.Pos, false)
	}
}

// signs are what a pipeline is, if it is YAML.
func (s *sample) signs(p *parse.PipeNode) string {
	if variable, ok := soleArgument(p).(*parse.VariableNode); ok {
		if i := s.variables.slot(variable.Ident[0]); i >= 0 {
			text, _ := s.variables[i].value.constantText()
			return text
		}
	}
	text, _ := ownSigns(p)
	return text
}

// give gives signs to a variable.
func (s *sample) give(p *parse.PipeNode) {
	if len(p.Decl) != 1 || !s.own[p.Decl[0].Ident[0]] {
		return
	}
	name := p.Decl[0].Ident[0]
	held := value{constant: types.String(s.signs(p))}
	if i := s.variables.slot(name); p.IsAssign && i >= 0 {
		s.variables[i].value = held
		return
	}
	s.variables = append(s.variables, variable{name, held})
}

func (s *sample) branch(n *parse.BranchNode) jump {
	scope := len(s.variables)
	defer func() { s.variables = s.variables[:scope] }()
	s.give(n.Pipe)
	if s.decide() {
		return s.body(n.List)
	}
	return s.body(n.ElseList)
}

// body prints a branch, which may be none.
func (s *sample) body(list *parse.ListNode) jump {
	if list == nil {
		return goesOn
	}
	s.bodies[list] = true
	return s.print(list.Nodes)
}

// loop goes around once, twice, or not at all.
func (s *sample) loop(n *parse.RangeNode) jump {
	rounds := 1
	if !s.decide() {
		if !s.decide() {
			return s.body(n.ElseList)
		}
		rounds = 2
	}
	for range rounds {
		if s.body(n.List) == goesOut {
			break
		}
	}
	return goesOn
}

func (s *sample) call(n *parse.TemplateNode) {
	tree := s.templates[n.Name]
	if tree == nil || tree.Root == nil || slices.Contains(s.within, n.Name) {
		return
	}
	variables := s.variables
	s.within, s.variables = append(s.within, n.Name), nil
	s.print(tree.Root.Nodes)
	s.within, s.variables = s.within[:len(s.within)-1], variables
}

// sampleLanguage is the language of a sample: any value may stand in its marks.
type sampleLanguage struct{ linesThere }

// Key implements render.Language.
func (sampleLanguage) Key(render.Scalar) render.Node { return render.Fixed{Value: ""} }

// Scalar implements render.Language.
func (l sampleLanguage) Scalar(s render.Scalar) (render.Node, diag.List) {
	if !l.HasExpression(s.Text) {
		return nil, nil
	}
	return render.Fixed{}, nil
}

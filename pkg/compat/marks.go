package compat

import (
	"slices"
	"strconv"
	"strings"
	"text/template/parse"
)

// A document is parsed as YAML with marks in place of its actions: each is the action's number between two characters of
// private use. What stands for whole lines, such as {{ if }} around some fields, becomes a line of its own: "mark: mark"
// in a mapping, "- mark" in a list.

const (
	markOpen  = '\uE000'
	markClose = '\uE001'
)

func isMark(r rune) bool { return r == markOpen || r == markClose }

// numberMark is the mark of a number.
func numberMark(number int) string {
	return string(markOpen) + strconv.Itoa(number) + string(markClose)
}

// marksInText is what all languages have in common whose expressions are marks.
type marksInText struct{}

// Literal implements render.Language.
func (marksInText) Literal(text string) string { return text }

// HasExpression implements render.Language.
func (marksInText) HasExpression(text string) bool { return strings.ContainsFunc(text, isMark) }

// cutMark cuts a text at its first mark, whose number is one of count.
func cutMark(text string, count int) (before string, number int, after string, found bool) {
	before, rest, found := strings.Cut(text, string(markOpen))
	digits, after, _ := strings.Cut(rest, string(markClose))
	number, err := strconv.Atoi(digits)
	return before, number, after, found && err == nil && 0 <= number && number < count
}

// mark is one action of a document.
type mark struct {
	node parse.Node
	// before are the declarations that the action sees.
	before []parse.Node
	// lines says that it stands for whole lines, item that these are items of a list. The first of them begins with prefix.
	lines, item bool
	prefix      string
}

// marker replaces the actions of a document by marks.
type marker struct {
	source    source
	templates map[string]*parse.Tree
	marks     []mark
	// within are the templates that are being marked, count is how many nodes have been.
	within []string
	count  int
}

// marked is a text with marks.
type marked struct {
	text  strings.Builder
	spans []span
	// last is what stands in the line that is being written.
	last strings.Builder
}

// span says where a part of a marked text comes from: all of it from one place, or each byte from the one after it.
type span struct {
	at, pos int
	copied  bool
}

func (w *marked) write(text string, pos parse.Pos, copied bool) {
	w.spans = append(w.spans, span{w.text.Len(), int(pos), copied})
	w.text.WriteString(text)
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		w.last.Reset()
		text = text[i+1:]
	}
	w.last.WriteString(text)
}

// locate turns an offset of the marked text into one of the template.
func (w *marked) locate(offset int) int {
	i, found := slices.BinarySearchFunc(w.spans, offset, func(s span, offset int) int { return s.at - offset })
	if !found {
		i--
	}
	if i < 0 {
		return 0
	}
	if s := w.spans[i]; s.copied {
		return s.pos + offset - s.at
	}
	return w.spans[i].pos
}

// mark marks nodes.
func (m *marker) mark(nodes []parse.Node) (*marked, error) {
	w := &marked{}
	var before []parse.Node
	for i, n := range nodes {
		if m.count++; m.count > maxTemplateNodes {
			return nil, m.source.refuse(CodeTooLarge, n.Position(), "the template is too large: it has more than %d nodes", maxTemplateNodes)
		}
		switch n := n.(type) {
		case *parse.TextNode:
			w.write(string(n.Text), n.Pos, true)
			continue
		case *parse.CommentNode:
			continue
		}
		if silent(n) {
			if jumpsOut(n) && !isBlank(w.text.String()) {
				return nil, m.source.refuse(CodeYAMLContext, n.Position(), "a break or continue must stand before all lines of its loop")
			}
			before = append(slices.Clip(before), n)
			continue
		}
		if err := m.node(w, mark{node: n, before: before}, nodes[i+1:]); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (m *marker) node(w *marked, k mark, rest []parse.Node) error {
	if action, ok := k.node.(*parse.ActionNode); ok {
		indented, spaces := indentation(action, isBlank(w.last.String()))
		k.node = indented
		w.write(spaces, action.Pos, false)
		m.add(w, k)
		return nil
	}
	branches, err := m.branches(k.node)
	if err != nil {
		return err
	}
	if !linesOnly(w.last.String(), branches, rest) {
		m.add(w, k)
		return nil
	}
	k.lines = true
	m.addLine(w, k, branches)
	return nil
}

// add writes a mark.
func (m *marker) add(w *marked, k mark) {
	w.write(m.number(k), k.node.Position(), false)
}

func (m *marker) number(k mark) string {
	m.marks = append(m.marks, k)
	return numberMark(len(m.marks) - 1)
}

// addLine writes a line for a mark, indented as the lines that it stands for.
func (m *marker) addLine(w *marked, k mark, branches []string) {
	before := w.last.String()
	if !isBlank(before) || slices.ContainsFunc(branches, startsLine) {
		w.write("\n", k.node.Position(), false)
		before = ""
	}
	first := firstLine(before, branches)
	content := strings.TrimLeft(first, " ")
	indent := strings.Repeat(" ", max(0, len(first)-len(content)-len(before)))
	k.prefix, k.item = before, content == "-" || strings.HasPrefix(content, "- ")
	number := m.number(k)
	line := number + ": " + number
	if k.item {
		line = "- " + number
	}
	w.write(indent+line+"\n", k.node.Position(), false)
}

// firstLine is the first line of branches that is not blank; what stands before the first branch is a part of it.
func firstLine(before string, branches []string) string {
	for _, branch := range branches {
		for line := range strings.Lines(before + branch) {
			if !isBlank(line) {
				return strings.TrimRight(line, " \r\n")
			}
		}
	}
	return ""
}

// branches are the marked texts of what a node may print.
func (m *marker) branches(n parse.Node) ([]string, error) {
	var lists []*parse.ListNode
	if b := branchOf(n); b != nil {
		lists = []*parse.ListNode{b.List, b.ElseList}
	}
	if call, ok := n.(*parse.TemplateNode); ok {
		tree := m.templates[call.Name]
		if tree == nil || slices.Contains(m.within, call.Name) {
			return nil, nil
		}
		m.within = append(m.within, call.Name)
		defer func() { m.within = m.within[:len(m.within)-1] }()
		lists = []*parse.ListNode{tree.Root}
	}
	var texts []string
	for _, list := range lists {
		if list == nil {
			continue
		}
		w, err := m.mark(list.Nodes)
		if err != nil {
			return nil, err
		}
		texts = append(texts, w.text.String())
	}
	return texts, nil
}

// linesOnly reports whether branches are whole lines: before is what stands before them in their first line, rest what
// comes after them.
func linesOnly(before string, branches []string, rest []parse.Node) bool {
	some := false
	for _, branch := range branches {
		if isBlank(branch) {
			continue
		}
		some = true
		end := strings.LastIndexByte(branch, '\n')
		if !isBlank(before) && !startsLine(branch) || !isBlank(branch[end+1:]) && !endsLine(rest) {
			return false
		}
	}
	return some
}

func startsLine(text string) bool { return strings.HasPrefix(strings.TrimLeft(text, " \t\r"), "\n") }

// endsLine reports whether nothing but white space follows in the line.
func endsLine(rest []parse.Node) bool {
	for _, n := range rest {
		text, isText := n.(*parse.TextNode)
		switch b := branchOf(n); {
		case isText && startsLine(string(text.Text)):
			return true
		case isText && isBlank(string(text.Text)), silent(n):
		case b != nil && len(b.List.Nodes) > 0:
			return endsLine(b.List.Nodes[:1]) && startsWithText(b.List.Nodes[0])
		default:
			return false
		}
	}
	return true
}

func startsWithText(n parse.Node) bool { _, ok := n.(*parse.TextNode); return ok }

func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

// indentation takes indent and nindent from an action that stands for lines of its own: a value that is indented by its
// mark keeps its lines together whatever they are. spaces is what comes before the mark.
func indentation(n *parse.ActionNode, lineStart bool) (without *parse.ActionNode, spaces string) {
	name, pipe, args := lastCall(n.Pipe)
	if name != "indent" && name != "nindent" || len(args) != 1 || name == "indent" && !lineStart {
		return n, ""
	}
	number, ok := args[0].(*parse.NumberNode)
	if !ok || !number.IsInt || number.Int64 < 0 || number.Int64 > maxIndent {
		return n, ""
	}
	spaces = strings.Repeat(" ", int(number.Int64))
	if name == "nindent" {
		spaces = "\n" + spaces
	}
	return &parse.ActionNode{NodeType: parse.NodeAction, Pos: n.Pos, Line: n.Line, Pipe: pipe}, spaces
}

// maxIndent is how far a line of a document may be indented.
const maxIndent = 200

// lastCall takes the last call from a pipeline: its name, the pipeline that is its last argument, and the other arguments.
// The name is empty if there is no such call.
func lastCall(p *parse.PipeNode) (name string, pipe *parse.PipeNode, args []parse.Node) {
	last := p.Cmds[len(p.Cmds)-1]
	function, ok := last.Args[0].(*parse.IdentifierNode)
	if !ok || len(p.Decl) > 0 {
		return "", nil, nil
	}
	rest := *p
	if len(p.Cmds) > 1 {
		rest.Cmds = p.Cmds[:len(p.Cmds)-1]
		return function.Ident, &rest, last.Args[1:]
	}
	if len(last.Args) < 2 {
		return "", nil, nil
	}
	argument := last.Args[len(last.Args)-1]
	if inner, ok := argument.(*parse.PipeNode); ok {
		return function.Ident, inner, last.Args[1 : len(last.Args)-1]
	}
	command := &parse.CommandNode{NodeType: parse.NodeCommand, Pos: argument.Position(), Args: []parse.Node{argument}}
	rest.Cmds = []*parse.CommandNode{command}
	return function.Ident, &rest, last.Args[1 : len(last.Args)-1]
}

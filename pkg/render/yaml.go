package render

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

// plainValue resolves a scalar as sigs.k8s.io/yaml does, so that a template means what kubectl makes of it.
func plainValue(n *yamlv3.Node, text string) (any, error) {
	if n.Style&quoted != 0 {
		return text, nil
	}
	var val any
	if err := yaml.Unmarshal([]byte(n.Value), &val); err != nil {
		return nil, err
	}
	return integers(val), nil
}

// integers turns whole numbers, which JSON decoding makes float64, into int64 as the API machinery has them.
func integers(val any) any {
	if f, ok := val.(float64); ok && f == float64(int64(f)) {
		return int64(f)
	}
	return val
}

// places finds byte offsets in a text. Places that are asked for one after the other are mostly near each other: each is
// sought from the last.
type places struct {
	text string
	// line is the last one asked for, from 1, and start where it begins. offset is that of the last column.
	line, start, column, offset int
}

func newPlaces(text string) *places { return &places{text: text, line: 1, column: 1} }

// of turns a line and column, counted from 1, columns in characters, into a byte offset.
func (p *places) of(line, column int) int {
	if line < p.line {
		p.line, p.start, p.column, p.offset = 1, 0, 1, 0
	}
	for ; p.line < line; p.line++ {
		n := strings.IndexByte(p.text[p.start:], '\n')
		if n < 0 {
			return len(p.text)
		}
		p.start += n + 1
		p.column, p.offset = 1, p.start
	}
	if column < p.column {
		p.column, p.offset = 1, p.start
	}
	for ; p.column < column && p.offset < len(p.text); p.column++ {
		_, size := utf8.DecodeRuneInString(p.text[p.offset:])
		p.offset += size
	}
	return p.offset
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

// yamlGrammar are the errors about tokens in the wrong place. The parser counts their lines from 0, and other ones from 1.
var yamlGrammar = regexp.MustCompile(`did not find expected (node content|key|'-' indicator|',' or '[\]}]')`)

// yamlErrorLine finds the line of text in an error of the YAML parser, which has it in its words only.
func yamlErrorLine(text string, err error) int {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return 1
	}
	line, _ := strconv.Atoi(m[1])
	if yamlGrammar.MatchString(err.Error()) {
		line++
	}
	return max(1, min(line, strings.Count(strings.TrimRight(text, "\n"), "\n")+1))
}

// yamlErrorText is the parser's error without its prefix and line.
func yamlErrorText(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	return "not valid YAML: " + strings.TrimPrefix(yamlLine.ReplaceAllString(text, ""), ": ")
}

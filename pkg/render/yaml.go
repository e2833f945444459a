package render

import (
	"regexp"
	"strconv"
	"strings"

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

// offsetOf turns a line and column, counted from 1, columns in characters, into a byte offset.
func offsetOf(text string, line, column int) int {
	offset := 0
	for i := 1; i < line; i++ {
		n := strings.IndexByte(text[offset:], '\n')
		if n < 0 {
			return len(text)
		}
		offset += n + 1
	}
	for i := range text[offset:] {
		if column--; column == 0 {
			return offset + i
		}
	}
	return len(text)
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

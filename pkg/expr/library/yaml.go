package library

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	yamlv3 "go.yaml.in/yaml/v3"
	"sigs.k8s.io/yaml"
)

const (
	errNotYAML   Error = "the text is not YAML with JSON values"
	errAlias     Error = "the YAML text has an alias (*name), which is not supported"
	errDocuments Error = "the text has more than one YAML document"
	errNoYAML    Error = "the value has a character that YAML cannot hold"
)

// yamlFunctions declares YAML texts:
//
//	yaml.unmarshal(string) -> dyn
//	yaml.marshal(dyn) -> string
//
// yaml.unmarshal reads one document and means by it what kubectl does (YAML 1.1: `yes` is true), with numbers and
// limits as json.unmarshal has them, but for maxYAML bytes. Aliases are refused, and so is a key that is given twice.
// No text is null. yaml.marshal writes what json.marshal does, as YAML with a line break at the end.
func yamlFunctions() []cel.EnvOption {
	return []cel.EnvOption{
		cel.Function("yaml.unmarshal",
			cel.Overload("yaml_unmarshal_string", []*cel.Type{cel.StringType}, cel.DynType,
				cel.UnaryBinding(func(arg ref.Val) ref.Val {
					text, ok := arg.(types.String)
					if !ok {
						return types.MaybeNoSuchOverloadErr(arg)
					}
					return valueOrError(readYAML(string(text), maxYAML))
				}))),
		cel.Function("yaml.marshal",
			cel.Overload("yaml_marshal_dyn", []*cel.Type{cel.DynType}, cel.StringType,
				cel.UnaryBinding(func(arg ref.Val) ref.Val { return textOrError(marshalYAML(arg)) }))),
	}
}

// readYAML reads one document of at most length bytes.
func readYAML(text string, length int) (any, error) {
	if len(text) > length {
		return nil, errTooLong
	}
	if marks(text) > maxValues {
		return nil, errTooMany
	}
	if mayRepeat(text) {
		if err := checkDocument(text); err != nil {
			return nil, err
		}
	}
	raw, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		return nil, errNotYAML
	}
	return decodeJSON(bytes.NewReader(raw))
}

func marshalYAML(val ref.Val) (string, error) {
	value, err := fromCEL(val, maxYAML)
	if err != nil {
		return "", err
	}
	return writeYAML(value, maxYAML)
}

// writeYAML writes JSON values with keys in their order.
func writeYAML(value any, length int) (string, error) {
	out, err := yaml.Marshal(value)
	if err != nil {
		return "", errNoYAML
	}
	if len(out) > length {
		return "", errTooLong
	}
	return string(out), nil
}

// marks counts the characters that can begin a value: a document without aliases has at most three times as many
// nodes, which bounds the memory of a parser before it runs. Text with these characters is counted too.
func marks(text string) int {
	n := 0
	for i := range len(text) {
		switch text[i] {
		case ':', ',', '[', '{':
			n++
		case '-', '?':
			// These begin a value only before white space.
			if i+1 == len(text) || text[i+1] <= ' ' {
				n++
			}
		}
	}
	return n
}

// mayRepeat says whether the text could have an alias or a second document. Few texts do; the others are parsed once.
func mayRepeat(text string) bool {
	return strings.Contains(text, "&") && strings.Contains(text, "*") ||
		strings.Contains(text, "---") || strings.Contains(text, "...")
}

// checkDocument refuses aliases, because a few of them make a huge value of a small text, and further documents,
// which would be ignored. It reads a tree, in which an alias is one node.
func checkDocument(text string) error {
	dec := yamlv3.NewDecoder(strings.NewReader(text))
	var doc, next yamlv3.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return errNotYAML
	}
	if err := checkNode(&doc, 0); err != nil {
		return err
	}
	if err := dec.Decode(&next); !errors.Is(err, io.EOF) {
		return errDocuments
	}
	return nil
}

func checkNode(n *yamlv3.Node, depth int) error {
	switch {
	case n.Kind == yamlv3.AliasNode:
		return errAlias
	case depth > maxDepth+1:
		return errTooDeep
	}
	for _, child := range n.Content {
		if err := checkNode(child, depth+1); err != nil {
			return err
		}
	}
	return nil
}

package compat

import (
	"slices"
	"strings"
)

// AssumptionKind says how CEL that a person would write may differ from the template.
type AssumptionKind string

// The kinds of assumptions.
const (
	// AssumesObject: below null and scalars nothing is there, where a template fails.
	AssumesObject AssumptionKind = "object"
	// AssumesIndex: a missing key or index is absent, where a template fails.
	AssumesIndex AssumptionKind = "index"
	// AssumesList: what a loop visits is a list, where a template visits maps and numbers too.
	AssumesList AssumptionKind = "list"
	// AssumesKind: values of different kinds are not equal, where a template fails.
	AssumesKind AssumptionKind = "kind"
	// AssumesOneMatch: several matches count as one, where a template prints "truetrue", which is not true.
	AssumesOneMatch AssumptionKind = "one-match"
	// AssumesPresent: a value is there, where a template goes on without it.
	AssumesPresent AssumptionKind = "present"
	// AssumesScalar: a value is text, a number or a bool, where a template prints anything.
	AssumesScalar AssumptionKind = "scalar"
	// AssumesErrors: an operand that fails is passed over when another one decides, where a template fails.
	AssumesErrors AssumptionKind = "errors"
	// AssumesASCII: functions of text are those of ASCII.
	AssumesASCII AssumptionKind = "ascii"
	// AssumesBase64: what is decoded is base64, where a template goes on with the text of an error.
	AssumesBase64 AssumptionKind = "base64"
	// AssumesLeaf: a value of a document keeps its type and its white space, and one that is absent drops its key.
	AssumesLeaf AssumptionKind = "leaf"
)

// sentences say what is assumed, of the expressions that follow.
var sentences = map[AssumptionKind]string{
	AssumesObject:   "objects, if they are there",
	AssumesIndex:    "may lack what is looked up in them",
	AssumesList:     "lists, if they are there",
	AssumesKind:     "of the kind that they are compared with or used as",
	AssumesOneMatch: "several matches count as one",
	AssumesPresent:  "always there",
	AssumesScalar:   "text, numbers or bools, if they are there",
	AssumesErrors:   "an operand of && or || that fails does not matter where another one decides",
	AssumesASCII:    "ASCII",
	AssumesBase64:   "valid base64",
	AssumesLeaf:     "a value that is absent leaves out its field, others have the type of the field and no white space around them",
}

// Assumption is one thing that must hold for converted CEL to give what the template gives.
type Assumption struct {
	Kind AssumptionKind
	// Of is the expression that it is about; empty for all.
	Of string
}

// Sentences are assumptions in words, without a full stop; those of a kind are one sentence.
func Sentences(assumptions []Assumption) []string {
	var kinds []AssumptionKind
	of := map[AssumptionKind][]string{}
	for _, a := range assumptions {
		if !slices.Contains(kinds, a.Kind) {
			kinds = append(kinds, a.Kind)
		}
		if a.Of != "" {
			of[a.Kind] = append(of[a.Kind], a.Of)
		}
	}
	var out []string
	for _, kind := range kinds {
		sentence := sentences[kind]
		if about := of[kind]; len(about) > 0 {
			sentence += ": " + strings.Join(about, ", ")
		}
		out = append(out, sentence)
	}
	return out
}

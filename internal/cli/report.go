package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/component-base/version"

	"github.com/clusterimport/clusterimport/pkg/diag"
)

// lintFormats print findings.
var lintFormats = map[string]func(w io.Writer, findings []finding) error{
	"text": printText, "json": printJSON, "sarif": printSARIF, "github": printGitHub,
}

// printText is for people and for editors, which know FILE:LINE:COLUMN.
func printText(w io.Writer, findings []finding) error {
	for _, f := range findings {
		if _, err := fmt.Fprintf(w, "%s:%d:%d: %s\n", f.File, f.Line, f.Column, f.Diagnostic); err != nil {
			return err
		}
	}
	return nil
}

// printJSON is for scripts: all findings as one list.
func printJSON(w io.Writer, findings []finding) error {
	list := make([]jsonFinding, len(findings))
	for i, f := range findings {
		d := f.Diagnostic
		list[i] = jsonFinding{
			f.File, f.Policy, f.Line, f.Column, d.Severity, d.Code, d.Field, d.Line, d.Column, d.Message, d.Hint,
		}
	}
	return writeJSON(w, list)
}

// jsonFinding is a finding in JSON.
type jsonFinding struct {
	File   string `json:"file"`
	Policy string `json:"policy"`
	// Line and Column are those of the file.
	Line     int           `json:"line"`
	Column   int           `json:"column"`
	Severity diag.Severity `json:"severity"`
	Code     diag.Code     `json:"code"`
	Field    string        `json:"field"`
	// FieldLine and FieldColumn are those of the field's text; 0 is the field as a whole.
	FieldLine   int    `json:"fieldLine"`
	FieldColumn int    `json:"fieldColumn"`
	Message     string `json:"message"`
	Hint        string `json:"hint,omitempty"`
}

// writeJSON writes a document that people can read too.
func writeJSON(w io.Writer, document any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

// commandEscapes are those of GitHub's workflow commands: of messages, and further ones of properties.
var (
	messageEscapes  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// printGitHub is for the log of a GitHub workflow, which annotates the files of a change.
func printGitHub(w io.Writer, findings []finding) error {
	commands := map[diag.Severity]string{diag.Error: "error", diag.Warning: "warning", diag.Info: "notice"}
	for _, f := range findings {
		_, err := fmt.Fprintf(w, "::%s file=%s,line=%d,col=%d,title=%s::%s\n", commands[f.Diagnostic.Severity],
			propertyEscapes.Replace(filepath.ToSlash(f.File)), f.Line, f.Column, propertyEscapes.Replace(string(f.Diagnostic.Code)),
			messageEscapes.Replace(f.Diagnostic.String()))
		if err != nil {
			return err
		}
	}
	return nil
}

// The parts of SARIF 2.1.0 that findings need; their names are the standard's.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID string `json:"id"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifMessage    `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
	}
	sarifLogical struct {
		FullyQualifiedName string `json:"fullyQualifiedName"`
	}
)

const projectURL = "https://github.com/clusterimport/clusterimport"

// printSARIF is for code scanning.
func printSARIF(w io.Writer, findings []finding) error {
	run := sarifRun{
		Tool: sarifTool{sarifDriver{
			Name: "clusterimport", Version: version.Get().GitVersion, InformationURI: projectURL, Rules: []sarifRule{},
		}},
		ColumnKind: "unicodeCodePoints", Results: []sarifResult{},
	}
	levels := map[diag.Severity]string{diag.Error: "error", diag.Warning: "warning", diag.Info: "note"}
	for _, f := range findings {
		id := string(f.Diagnostic.Code)
		index := slices.Index(run.Tool.Driver.Rules, sarifRule{id})
		if index < 0 {
			index = len(run.Tool.Driver.Rules)
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{id})
		}
		location := sarifLocation{Physical: sarifPhysical{
			sarifArtifact{artifactURI(f.File)}, sarifRegion{StartLine: f.Line, StartColumn: f.Column},
		}}
		if f.Diagnostic.Field != "" {
			location.Logical = []sarifLogical{{f.Diagnostic.Field}}
		}
		run.Results = append(run.Results, sarifResult{
			RuleID: id, RuleIndex: index, Level: levels[f.Diagnostic.Severity],
			Message: sarifMessage{f.Diagnostic.String()}, Locations: []sarifLocation{location},
		})
	}
	return writeJSON(w, sarifLog{
		Schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	})
}

// artifactURI is a path as a URI: relative ones stay so, for the reader to find them in its checkout.
func artifactURI(path string) string {
	path = filepath.ToSlash(path)
	if filepath.IsAbs(path) {
		return (&url.URL{Scheme: "file", Path: path}).String()
	}
	return (&url.URL{Path: path}).String()
}

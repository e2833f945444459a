package cli

import (
	"bytes"
	"encoding/json"
	"net/url"
	"testing"

	"github.com/clusterimport/clusterimport/pkg/diag"
)

// TestSARIF holds the output against what the standard demands: each result names a rule of the driver by its index, a
// level that there is, a text and a place that counts from 1, in a file that is named by a URI.
func TestSARIF(t *testing.T) {
	findings := []finding{
		{File: "a.yaml", Line: 1, Column: 1, Diagnostic: diag.Diagnostic{Severity: diag.Error, Code: "A", Field: "spec", Message: "no"}},
		{File: "with space/ä:b.yaml", Line: 2, Column: 3, Diagnostic: diag.Diagnostic{Severity: diag.Warning, Code: "B", Message: "well"}},
		{File: "/abs/a.yaml", Line: 2, Column: 3, Diagnostic: diag.Diagnostic{Severity: diag.Info, Code: "A", Message: "by the way"}},
		{File: "c:d.yaml", Line: 2, Column: 3, Diagnostic: diag.Diagnostic{Severity: diag.Info, Code: "A", Message: "by the way"}},
	}
	var out bytes.Buffer
	if err := printSARIF(&out, findings); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	decoder := json.NewDecoder(&out)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) != len(findings) || log.Runs[0].Tool.Driver.Name == "" {
		t.Fatalf("got %+v", log)
	}
	levels := map[diag.Severity]string{diag.Error: "error", diag.Warning: "warning", diag.Info: "note"}
	uris := []string{"a.yaml", "with%20space/%C3%A4:b.yaml", "file:///abs/a.yaml", "./c:d.yaml"}
	rules := log.Runs[0].Tool.Driver.Rules
	for i, r := range log.Runs[0].Results {
		want := findings[i]
		if rules[r.RuleIndex].ID != r.RuleID || r.RuleID != string(want.Diagnostic.Code) {
			t.Errorf("result %d is of rule %q, and %q at index %d", i, r.RuleID, rules[r.RuleIndex].ID, r.RuleIndex)
		}
		if r.Level != levels[want.Diagnostic.Severity] || r.Message.Text != want.Diagnostic.String() || len(r.Locations) != 1 {
			t.Errorf("result %d is %+v", i, r)
		}
		at := r.Locations[0].Physical
		if at.Region.StartLine != want.Line || at.Region.StartColumn != want.Column || at.Artifact.URI != uris[i] {
			t.Errorf("result %d is at %+v", i, at)
		}
		if _, err := url.Parse(at.Artifact.URI); err != nil {
			t.Error(err)
		}
	}
	if len(rules) != 2 {
		t.Errorf("the rules are %v", rules)
	}
}

// TestGitHub: what would end a command or a property is escaped.
func TestGitHub(t *testing.T) {
	var out bytes.Buffer
	err := printGitHub(&out, []finding{{File: "a,b:c.yaml", Line: 1, Column: 2, Diagnostic: diag.Diagnostic{Severity: diag.Info, Code: "C", Message: "100%\nsure"}}})
	const want = "::notice file=a%2Cb%3Ac.yaml,line=1,col=2,title=C::info: 100%25%0Asure [C]\n"
	if err != nil || out.String() != want {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

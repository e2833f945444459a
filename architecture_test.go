package clusterimport_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"
)

// module is the path that this repository's own imports start with.
const module = "github.com/clusterimport/clusterimport/"

// The house budgets.
const (
	maxFileLines     = 400
	maxFunctionLines = 90
	p95FunctionLines = 45
	maxMainLines     = 30
)

// layers is the order of pkg/: a package may import those after it, its own parts, and the API.
var layers = []string{"pkg/lifecycle", "pkg/policy", "pkg/compat", "pkg/render", "pkg/expr", "pkg/expr/plain", "pkg/diag"}

// imports says who may not import what. A name stands for itself and for everything below it.
var imports = []struct {
	rule   string
	in     string   // the folder that the rule holds in; empty is everywhere
	except []string // folders in it where it does not hold
	forbid []string
	tests  bool // the rule holds in tests too
	reason string
}{
	{
		rule: "pure-core", in: "pkg",
		forbid: []string{
			"k8s.io/client-go", "net/http", "os", "log", "github.com/go-logr", "k8s.io/klog",
			"go.uber.org/zap", "github.com/prometheus", "k8s.io/component-base",
		},
		reason: "pkg decides and never acts: no clients, no I/O, no logs, no metrics",
	},
	{
		rule: "no-template-engine", except: []string{"pkg/compat"},
		forbid: []string{"text/template", "html/template"},
		reason: "Go templates are translated, and only pkg/compat reads them",
	},
	{
		rule: "no-sprig", forbid: []string{"github.com/Masterminds/sprig", "html/template"},
		reason: "nothing executes a Go template; sprig is what tests compare with",
	},
	{
		rule: "client-go-only", forbid: []string{"sigs.k8s.io/controller-runtime"}, tests: true,
		reason: "watched kinds come and go at run time, which controller-runtime is not made for",
	},
	{
		rule: "standard-testing", tests: true,
		forbid: []string{"github.com/stretchr/testify", "github.com/onsi/ginkgo", "github.com/onsi/gomega"},
		reason: "tests use the standard library and go-cmp",
	},
	{
		rule: "no-admission-plugins", forbid: []string{"k8s.io/apiserver/pkg/admission/plugin"}, tests: true,
		reason: "they bring a thousand packages",
	},
	{
		rule: "kubernetes-in-e2e-only", except: []string{"test/e2e"}, tests: true,
		forbid: []string{"k8s.io/kubernetes", "go.etcd.io/etcd"},
		reason: "the product's module never sees the control plane",
	},
	{
		rule: "product-without-tests", except: []string{"test"}, forbid: []string{module + "test"}, tests: true,
		reason: "the product does not depend on its tests",
	},
}

// rules are all checks. Each must have a planted violation in TestArchitectureRules.
var rules = []struct {
	name  string
	check func(t *tree) []finding
}{
	{"imports", checkImports},
	{"layers", checkLayers},
	{"template-execution", checkTemplateExecution},
	{"clock", checkClock},
	{"init", checkInit},
	{"package-name", checkPackageNames},
	{"package-doc", checkPackageDocs},
	{"exported-doc", checkExportedDocs},
	{"file-length", checkFileLengths},
	{"function-length", checkFunctionLengths},
}

func TestArchitecture(t *testing.T) {
	tree, err := loadTree(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	// The check must have seen the product, or its silence means nothing.
	for _, dir := range append([]string{"api/policy/v1alpha1", "internal/controller", "cmd/clusterimport", "test/e2e"}, layers...) {
		if !slices.ContainsFunc(tree.files, func(f file) bool { return f.dir == dir }) {
			t.Errorf("%s: no Go files were found there; is this the root of the repository?", dir)
		}
	}
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, found := range r.check(tree) {
				t.Error(found)
			}
		})
	}
}

// finding is one violation.
type finding struct {
	file    string
	line    int
	message string
}

func (f finding) String() string { return fmt.Sprintf("%s:%d: %s", f.file, f.line, f.message) }

// file is one parsed Go file.
type file struct {
	path, dir string
	syntax    *ast.File
	lines     int
	test      bool
}

// tree is all hand-written Go code.
type tree struct {
	set   *token.FileSet
	files []file
}

var generated = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

// loadTree parses every Go file, generated ones and fixtures excepted.
func loadTree(fsys fs.FS) (*tree, error) {
	t := &tree{set: token.NewFileSet()}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			base := entry.Name()
			if name != "." && (base[0] == '.' || base[0] == '_' || base == "testdata" || base == "vendor" || name == "bin" || name == "tools") {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		source, err := fs.ReadFile(fsys, name)
		if err != nil || generated.Match(source) {
			return err
		}
		syntax, err := parser.ParseFile(t.set, name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		t.files = append(t.files, file{
			path: name, dir: path.Dir(name), syntax: syntax,
			lines: strings.Count(string(source), "\n"), test: strings.HasSuffix(name, "_test.go"),
		})
		return nil
	})
	return t, err
}

// product are the files that are not tests.
func (t *tree) product() []file {
	return slices.DeleteFunc(slices.Clone(t.files), func(f file) bool { return f.test })
}

func (t *tree) at(pos token.Pos, format string, args ...any) finding {
	p := t.set.Position(pos)
	return finding{p.Filename, p.Line, fmt.Sprintf(format, args...)}
}

// within says whether a slash-separated name is root or below it.
func within(name, root string) bool {
	return root == "" || name == root || strings.HasPrefix(name, root+"/")
}

// importPath is the path of an import declaration.
func importPath(spec *ast.ImportSpec) string {
	unquoted, _ := strconv.Unquote(spec.Path.Value)
	return unquoted
}

func checkImports(t *tree) []finding {
	var found []finding
	for _, f := range t.files {
		for _, spec := range f.syntax.Imports {
			for _, rule := range imports {
				if f.test && !rule.tests || !within(f.dir, rule.in) ||
					slices.ContainsFunc(rule.except, func(dir string) bool { return within(f.dir, dir) }) {
					continue
				}
				for _, forbidden := range rule.forbid {
					if within(importPath(spec), forbidden) {
						found = append(found, t.at(spec.Pos(), "imports %s: %s (%s)", importPath(spec), rule.reason, rule.rule))
					}
				}
			}
		}
	}
	return found
}

// checkLayers holds the direction of the repository's own imports.
func checkLayers(t *tree) []finding {
	var found []finding
	for _, f := range t.product() {
		if within(f.dir, "pkg") && layer(f.dir) < 0 {
			found = append(found, t.at(f.syntax.Package, "%s has no place in the order of layers", f.dir))
			continue
		}
		for _, spec := range f.syntax.Imports {
			to, own := strings.CutPrefix(importPath(spec), module)
			if own && !mayImport(f.dir, to) {
				found = append(found, t.at(spec.Pos(), "%s may not import %s", f.dir, to))
			}
		}
	}
	return found
}

// layer is the place of a package of pkg/ in the order, or -1. A part that is a layer itself stands behind its whole.
func layer(dir string) int {
	place := -1
	for i, root := range layers {
		if within(dir, root) {
			place = i
		}
	}
	return place
}

func mayImport(from, to string) bool {
	switch {
	case within(from, "api"):
		return within(to, "api")
	case within(from, "pkg"):
		return within(to, "api") || within(to, "pkg") && (layer(to) > layer(from) || within(to, from))
	case within(from, "internal"):
		return within(to, "api") || within(to, "pkg") || within(to, "internal")
	case within(from, "cmd"):
		return within(to, "internal")
	default:
		return !within(from, "test") || !within(to, "internal")
	}
}

// checkTemplateExecution looks for calls of (*template.Template).Execute where templates are read.
func checkTemplateExecution(t *tree) []finding {
	return t.calls("pkg/compat", func(call *ast.SelectorExpr) string {
		if name := call.Sel.Name; name == "Execute" || name == "ExecuteTemplate" {
			return name + ": nothing executes a Go template at run time"
		}
		return ""
	})
}

// checkClock looks for clocks in the core, whose results depend on its arguments alone.
func checkClock(t *tree) []finding {
	clocks := []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep"}
	return t.calls("pkg", func(call *ast.SelectorExpr) string {
		if of, ok := call.X.(*ast.Ident); ok && of.Name == "time" && slices.Contains(clocks, call.Sel.Name) {
			return "time." + call.Sel.Name + ": pkg has no clock; pass the time as an argument"
		}
		return ""
	})
}

// calls reports what complain says about the selectors in the product below a folder.
func (t *tree) calls(in string, complain func(call *ast.SelectorExpr) string) []finding {
	var found []finding
	for _, f := range t.product() {
		if !within(f.dir, in) {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if call, ok := n.(*ast.SelectorExpr); ok {
				if message := complain(call); message != "" {
					found = append(found, t.at(call.Pos(), "%s", message))
				}
			}
			return true
		})
	}
	return found
}

// functions are the declared functions of a file.
func functions(f file) []*ast.FuncDecl {
	var all []*ast.FuncDecl
	for _, d := range f.syntax.Decls {
		if function, ok := d.(*ast.FuncDecl); ok {
			all = append(all, function)
		}
	}
	return all
}

func checkInit(t *tree) []finding {
	var found []finding
	for _, f := range t.files {
		for _, function := range functions(f) {
			if function.Recv == nil && function.Name.Name == "init" {
				found = append(found, t.at(function.Pos(), "init(): what a program does starts in main"))
			}
		}
	}
	return found
}

func checkPackageNames(t *tree) []finding {
	banned := []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "base", "lib"}
	var found []finding
	for _, f := range t.files {
		if slices.Contains(banned, f.syntax.Name.Name) || slices.Contains(banned, path.Base(f.dir)) {
			found = append(found, t.at(f.syntax.Package, "package %s: name a package after what it owns", f.syntax.Name.Name))
		}
	}
	return found
}

func checkPackageDocs(t *tree) []finding {
	documented := map[string]bool{}
	first := map[string]file{}
	for _, f := range t.product() {
		documented[f.dir] = documented[f.dir] || f.syntax.Doc.Text() != ""
		if _, seen := first[f.dir]; !seen {
			first[f.dir] = f
		}
	}
	var found []finding
	for dir, f := range first {
		if !documented[dir] {
			found = append(found, t.at(f.syntax.Package, "package %s has no doc comment that says what it owns", f.syntax.Name.Name))
		}
	}
	slices.SortFunc(found, func(a, b finding) int { return cmp.Compare(a.file, b.file) })
	return found
}

func checkExportedDocs(t *tree) []finding {
	var found []finding
	for _, f := range t.product() {
		for _, d := range f.syntax.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && exportedReceiver(d) && !wellKnown(d) && d.Doc.Text() == "" {
					found = append(found, t.at(d.Pos(), "func %s is exported and has no doc comment", d.Name.Name))
				}
			case *ast.GenDecl:
				found = append(found, t.undocumented(d)...)
			}
		}
	}
	return found
}

// undocumented finds the exported types, constants and variables of a declaration that nothing explains: a
// comment above the group, above the name or behind it.
func (t *tree) undocumented(d *ast.GenDecl) []finding {
	var found []finding
	for _, spec := range d.Specs {
		var names []*ast.Ident
		doc := d.Doc.Text()
		switch s := spec.(type) {
		case *ast.TypeSpec:
			names, doc = []*ast.Ident{s.Name}, doc+s.Doc.Text()
		case *ast.ValueSpec:
			names, doc = s.Names, doc+s.Doc.Text()+s.Comment.Text()
		}
		for _, name := range names {
			if name.IsExported() && doc == "" {
				found = append(found, t.at(name.Pos(), "%s %s is exported and has no doc comment", d.Tok, name.Name))
			}
		}
	}
	return found
}

// exportedReceiver is false for methods of unexported types, whose interface explains them.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	exported := true
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			exported = n.IsExported()
			return false
		case *ast.IndexExpr: // a generic type's name, not its parameters
			ident, ok := n.X.(*ast.Ident)
			exported = ok && ident.IsExported()
			return false
		}
		return true
	})
	return exported
}

// wellKnown is true for methods whose meaning the standard library fixes, as revive sees it too.
func wellKnown(d *ast.FuncDecl) bool {
	return d.Recv != nil && slices.Contains([]string{"String", "Error", "Unwrap"}, d.Name.Name)
}

func checkFileLengths(t *tree) []finding {
	var found []finding
	for _, f := range t.product() {
		limit := maxFileLines
		if f.syntax.Name.Name == "main" && within(f.dir, "cmd") {
			limit = maxMainLines
		}
		if f.lines > limit {
			found = append(found, t.at(f.syntax.Package, "%d lines; %d is the most", f.lines, limit))
		}
	}
	return found
}

func checkFunctionLengths(t *tree) []finding {
	var found []finding
	var lengths []int
	for _, f := range t.product() {
		for _, function := range functions(f) {
			length := t.set.Position(function.End()).Line - t.set.Position(function.Pos()).Line + 1
			lengths = append(lengths, length)
			if length > maxFunctionLines {
				found = append(found, t.at(function.Pos(), "func %s has %d lines; %d is the most", function.Name.Name, length, maxFunctionLines))
			}
		}
	}
	slices.Sort(lengths)
	if p95 := percentile(lengths, 95); p95 > p95FunctionLines {
		found = append(found, finding{".", 0, fmt.Sprintf("one function in twenty has %d lines or more; %d is the most", p95, p95FunctionLines)})
	}
	return found
}

// percentile is the p-th percentile of sorted numbers, 0 for none.
func percentile(sorted []int, p int) int {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)-1)*p/100]
}

// clean is a small program that breaks no rule.
var clean = map[string]string{
	"pkg/diag/diag.go":             "// Package diag tells.\npackage diag\n",
	"pkg/expr/expr.go":             "// Package expr is CEL.\npackage expr\n\nimport _ \"" + module + "pkg/diag\"\n",
	"pkg/compat/compat.go":         "// Package compat reads templates.\npackage compat\n\nimport _ \"text/template\"\n",
	"pkg/compat/compat_test.go":    "package compat\n\nimport (\n\t_ \"html/template\"\n\t_ \"os\"\n\t_ \"github.com/Masterminds/sprig/v3\"\n)\n",
	"api/v1/types.go":              "// Package v1 is the API.\npackage v1\n\n// The reasons.\nconst (\n\tGood = 1\n\tBad  = 2 // bad\n)\n",
	"internal/kube/kube.go":        "// Package kube connects.\npackage kube\n\nimport _ \"" + module + "pkg/expr\"\n\ntype quiet struct{}\n\nfunc (quiet) String() string { return \"\" }\n",
	"api/v1/zz_generated.go":       "// Code generated by a tool. DO NOT EDIT.\n\npackage v1\n\nfunc init() {}\n\nfunc Exported() {}\n",
	"pkg/expr/testdata/util/in.go": "package util\n",
}

// TestArchitectureRules plants a violation for every rule: a check that finds nothing might look at nothing.
func TestArchitectureRules(t *testing.T) {
	cases := map[string]struct {
		reason string
		rule   string
		plant  map[string]string
		want   []string
	}{
		"ClientInCore": {
			reason: "The core has no clients, and a client's subpackages are clients too.", rule: "imports",
			plant: map[string]string{"pkg/expr/bad.go": "package expr\n\nimport _ \"k8s.io/client-go/rest\"\n"},
			want: []string{"pkg/expr/bad.go:3: imports k8s.io/client-go/rest: pkg decides and never acts: " +
				"no clients, no I/O, no logs, no metrics (pure-core)"},
		},
		"LoggerInCore": {
			reason: "Every logger is named, with its version suffix or below its own path.", rule: "imports",
			plant: map[string]string{"pkg/diag/bad.go": "package diag\n\nimport (\n\t_ \"k8s.io/klog/v2\"\n\t_ \"log/slog\"\n)\n"},
			want: []string{
				"pkg/diag/bad.go:4: imports k8s.io/klog/v2: pkg decides and never acts: no clients, no I/O, no logs, no metrics (pure-core)",
				"pkg/diag/bad.go:5: imports log/slog: pkg decides and never acts: no clients, no I/O, no logs, no metrics (pure-core)",
			},
		},
		"TestifyInTest": {
			reason: "Some rules hold in tests too.", rule: "imports",
			plant: map[string]string{"internal/kube/bad_test.go": "package kube\n\nimport _ \"github.com/stretchr/testify/assert\"\n"},
			want: []string{"internal/kube/bad_test.go:3: imports github.com/stretchr/testify/assert: " +
				"tests use the standard library and go-cmp (standard-testing)"},
		},
		"UpwardImport": {
			reason: "A lower layer does not know a higher one.", rule: "layers",
			plant: map[string]string{"pkg/diag/bad.go": "package diag\n\nimport _ \"" + module + "pkg/expr\"\n"},
			want:  []string{"pkg/diag/bad.go:3: pkg/diag may not import pkg/expr"},
		},
		"CoreImportsShell": {
			reason: "The core does not know the shell.", rule: "layers",
			plant: map[string]string{"pkg/lifecycle/bad.go": "package lifecycle\n\nimport _ \"" + module + "internal/kube\"\n"},
			want:  []string{"pkg/lifecycle/bad.go:3: pkg/lifecycle may not import internal/kube"},
		},
		"APIIsLeaf": {
			reason: "The API's packages import nothing of ours.", rule: "layers",
			plant: map[string]string{"api/v1/bad.go": "package v1\n\nimport _ \"" + module + "pkg/diag\"\n"},
			want:  []string{"api/v1/bad.go:3: api/v1 may not import pkg/diag"},
		},
		"UnknownLayer": {
			reason: "A new package needs a place in the order.", rule: "layers",
			plant: map[string]string{"pkg/new/new.go": "package new\n"},
			want:  []string{"pkg/new/new.go:1: pkg/new has no place in the order of layers"},
		},
		"TemplateExecuted": {
			reason: "pkg/compat may parse a template and not run it.", rule: "template-execution",
			plant: map[string]string{"pkg/compat/bad.go": "package compat\n\nimport \"text/template\"\n\nfunc f(t *template.Template) {\n\t_ = t.Execute(nil, nil)\n}\n"},
			want:  []string{"pkg/compat/bad.go:6: Execute: nothing executes a Go template at run time"},
		},
		"Clock": {
			reason: "The same input gives the same plan at any time.", rule: "clock",
			plant: map[string]string{"pkg/lifecycle/bad.go": "package lifecycle\n\nimport \"time\"\n\nvar now = time.Now\n"},
			want:  []string{"pkg/lifecycle/bad.go:5: time.Now: pkg has no clock; pass the time as an argument"},
		},
		"Init": {
			reason: "A method or an exported function of that name would be fine, init() is not.", rule: "init",
			plant: map[string]string{"internal/kube/bad.go": "package kube\n\nfunc init() {}\n"},
			want:  []string{"internal/kube/bad.go:3: init(): what a program does starts in main"},
		},
		"UtilPackage": {
			reason: "A package called util owns nothing.", rule: "package-name",
			plant: map[string]string{"internal/util/strings.go": "// Package util is for all.\npackage util\n"},
			want:  []string{"internal/util/strings.go:2: package util: name a package after what it owns"},
		},
		"NoPackageDoc": {
			reason: "One file of a package has its doc comment.", rule: "package-doc",
			plant: map[string]string{"internal/app/app.go": "package app\n", "internal/app/b.go": "package app\n"},
			want:  []string{"internal/app/app.go:1: package app has no doc comment that says what it owns"},
		},
		"NoExportedDoc": {
			reason: "Functions, methods of exported types, types, constants and variables are documented.", rule: "exported-doc",
			plant: map[string]string{"api/v1/bad.go": "package v1\n\nfunc F() {}\n\ntype T[K any] struct{}\n\nfunc (t *T[K]) M() {}\n\nfunc (t *T[K]) String() {}\n\nconst C = 1\n\nvar v, V int\n"},
			want: []string{
				"api/v1/bad.go:3: func F is exported and has no doc comment",
				"api/v1/bad.go:5: type T is exported and has no doc comment",
				"api/v1/bad.go:7: func M is exported and has no doc comment",
				"api/v1/bad.go:11: const C is exported and has no doc comment",
				"api/v1/bad.go:13: var V is exported and has no doc comment",
			},
		},
		"LongFile": {
			reason: "A file is read in one go.", rule: "file-length",
			plant: map[string]string{"internal/kube/bad.go": "package kube\n" + strings.Repeat("\n", maxFileLines)},
			want:  []string{"internal/kube/bad.go:1: 401 lines; 400 is the most"},
		},
		"LongMain": {
			reason: "main only starts what internal has.", rule: "file-length",
			plant: map[string]string{"cmd/clusterimport/main.go": "package main\n" + strings.Repeat("\n", maxMainLines)},
			want:  []string{"cmd/clusterimport/main.go:1: 31 lines; 30 is the most"},
		},
		"LongFunction": {
			reason: "A function fits on a page, and most are far shorter.", rule: "function-length",
			plant: map[string]string{"internal/kube/bad.go": "package kube\n\nfunc f() {" + strings.Repeat("\n", maxFunctionLines) + "}\n"},
			want:  []string{"internal/kube/bad.go:3: func f has 91 lines; 90 is the most"},
		},
		"LongFunctions": {
			reason: "The budget is for all functions together too.", rule: "function-length",
			plant: map[string]string{"internal/kube/bad.go": "package kube\n" + strings.Repeat("\nfunc _() {"+strings.Repeat("\n", p95FunctionLines)+"}\n", 40)},
			want:  []string{".:0: one function in twenty has 46 lines or more; 45 is the most"},
		},
	}
	planted := map[string]bool{}
	for name, tc := range cases {
		planted[tc.rule] = true
		t.Run(name, func(t *testing.T) {
			if diff := gocmp.Diff(tc.want, violations(t, tc.rule, tc.plant)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
	for _, r := range rules {
		if !planted[r.name] {
			t.Errorf("no case plants a violation of %q", r.name)
		}
		if found := violations(t, r.name, nil); found != nil {
			t.Errorf("%s finds fault with a clean tree: %v", r.name, found)
		}
	}
}

// violations is what a rule finds in the clean tree with files added.
func violations(t *testing.T, name string, plant map[string]string) []string {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, files := range []map[string]string{clean, plant} {
		for path, source := range files {
			fsys[path] = &fstest.MapFile{Data: []byte(source)}
		}
	}
	tree, err := loadTree(fsys)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, r := range rules {
		if r.name != name {
			continue
		}
		for _, f := range r.check(tree) {
			found = append(found, f.String())
		}
	}
	return found
}

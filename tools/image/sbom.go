package main

import (
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// spdx is the media type of an SBOM.
const spdx = "application/spdx+json"

// The parts of SPDX 2.3 that are used here.
type (
	spdxDocument struct {
		Version       string             `json:"spdxVersion"`
		License       string             `json:"dataLicense"`
		ID            string             `json:"SPDXID"`
		Name          string             `json:"name"`
		Namespace     string             `json:"documentNamespace"`
		Creation      spdxCreation       `json:"creationInfo"`
		Packages      []spdxPackage      `json:"packages"`
		Relationships []spdxRelationship `json:"relationships"`
	}
	spdxCreation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	spdxPackage struct {
		Name       string         `json:"name"`
		ID         string         `json:"SPDXID"`
		Version    string         `json:"versionInfo,omitempty"`
		Location   string         `json:"downloadLocation"`
		Analyzed   bool           `json:"filesAnalyzed"`
		References []spdxExternal `json:"externalRefs,omitempty"`
	}
	spdxExternal struct {
		Category string `json:"referenceCategory"`
		Type     string `json:"referenceType"`
		Locator  string `json:"referenceLocator"`
	}
	spdxRelationship struct {
		Element string `json:"spdxElementId"`
		Type    string `json:"relationshipType"`
		Related string `json:"relatedSpdxElement"`
	}
)

// newSBOM lists the Go modules that the binaries of a folder were built from, as an SPDX document. It has no time, and
// its namespace is a digest of what it lists, so that the same binaries give the same document.
func newSBOM(name, version, arch, folder string) ([]byte, error) {
	modules, err := modulesOf(folder, version)
	if err != nil {
		return nil, err
	}
	document := spdxDocument{
		Version: "SPDX-2.3", License: "CC0-1.0", ID: "SPDXRef-DOCUMENT", Name: name + "-" + arch,
		Creation: spdxCreation{Created: "1970-01-01T00:00:00Z", Creators: []string{"Tool: clusterimport-image"}},
		Packages: []spdxPackage{{Name: name, ID: "SPDXRef-image", Version: version, Location: "NOASSERTION"}},
		Relationships: []spdxRelationship{
			{"SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image"},
		},
	}
	for _, m := range modules {
		p := modulePackage(m)
		document.Packages = append(document.Packages, p)
		document.Relationships = append(document.Relationships, spdxRelationship{"SPDXRef-image", "CONTAINS", p.ID})
	}
	listed, err := json.Marshal(document.Packages)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(append([]byte(arch), listed...))
	document.Namespace = "https://github.com/clusterimport/clusterimport/sbom/" + hex.EncodeToString(sum[:])
	return json.MarshalIndent(document, "", "  ")
}

// modulesOf are the modules of all binaries of a folder, and Go itself, in order.
func modulesOf(folder, version string) ([]debug.Module, error) {
	var modules []debug.Module
	for _, name := range binaries {
		info, err := buildinfo.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		info.Main.Version = version // the binary knows (devel)
		modules = append(modules, info.Main, debug.Module{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")})
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			modules = append(modules, *m)
		}
	}
	order := func(a, b debug.Module) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Version, b.Version))
	}
	slices.SortFunc(modules, order)
	return slices.CompactFunc(modules, func(a, b debug.Module) bool { return order(a, b) == 0 }), nil
}

// noID are the characters that an SPDX identifier may not have.
var noID = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

func modulePackage(m debug.Module) spdxPackage {
	kind := "golang/" + m.Path
	location := "https://" + m.Path
	if m.Path == "std" {
		kind, location = "golang/std", "https://go.dev/dl"
	}
	locator := "pkg:" + kind
	if m.Version != "" {
		locator += "@" + strings.ReplaceAll(m.Version, "+", "%2B")
	}
	return spdxPackage{
		Name: m.Path, ID: "SPDXRef-" + noID.ReplaceAllString(m.Path+"-"+m.Version, "-"), Version: m.Version, Location: location,
		References: []spdxExternal{{"PACKAGE-MANAGER", "purl", locator}},
	}
}

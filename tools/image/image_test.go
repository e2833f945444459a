package main

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// binariesOf makes a folder with Go binaries: this program, under the names that an image needs.
func binariesOf(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	first := filepath.Join(dir, binaries[0])
	build := exec.CommandContext(t.Context(), "go", "build", "-o", first, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Link(first, filepath.Join(dir, binaries[1])); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestImage: the layout has an image for each architecture, with the files, the user and the command that are said, and
// an SBOM that refers to it; a second build is the same to the bit.
func TestImage(t *testing.T) {
	folder, output := binariesOf(t), t.TempDir()
	b := build{output: output, name: "registry.example/clusterimport", version: "v1.2.3"}
	digest, err := b.write([]string{"amd64=" + folder, "arm64=" + folder})
	if err != nil {
		t.Fatal(err)
	}
	again := build{output: t.TempDir(), name: b.name, version: b.version}
	second, err := again.write([]string{"amd64=" + folder, "arm64=" + folder})
	if err != nil {
		t.Fatal(err)
	}
	if digest != second {
		t.Errorf("two builds have the digests %s and %s", digest, second)
	}
	for _, file := range []string{"oci/index.json", "clusterimport-amd64.tar", "clusterimport-arm64.tar", "clusterimport-amd64.spdx.json", "digest"} {
		if diff := cmp.Diff(read(t, output, file), read(t, again.output, file)); diff != "" {
			t.Errorf("%s differs in a second build", file)
		}
	}
	path, err := layout.FromPath(filepath.Join(output, "oci"))
	if err != nil {
		t.Fatal(err)
	}
	root, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	index, err := root.ImageIndex(digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for _, d := range manifest.Manifests {
		platforms = append(platforms, d.Platform.String())
		image, err := index.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		checkImage(t, image, d.Platform.Architecture)
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, platforms); diff != "" {
		t.Errorf("platforms (-want +got)\n%s", diff)
	}
	checkSBOMs(t, root, manifest.Manifests)
	loaded, err := tarball.ImageFromPath(filepath.Join(output, "clusterimport-arm64.tar"), nil)
	if err != nil {
		t.Fatal(err)
	}
	checkImage(t, loaded, "arm64")
}

func read(t *testing.T, dir, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func checkImage(t *testing.T, image v1.Image, arch string) {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	got := []string{config.OS, config.Architecture, config.Config.User, strings.Join(config.Config.Entrypoint, " "), config.Config.Labels["org.opencontainers.image.version"]}
	if diff := cmp.Diff([]string{"linux", arch, "65532:65532", "/clusterimport-controller", "v1.2.3"}, got); diff != "" {
		t.Errorf("configuration (-want +got)\n%s", diff)
	}
	if !config.Created.IsZero() && config.Created.Unix() != 0 {
		t.Errorf("it has a time: %s", config.Created)
	}
	modes := map[string]int64{}
	content := mutate.Extract(image)
	defer func() { _ = content.Close() }()
	archive := tar.NewReader(content)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		modes[header.Name] = header.Mode
		if header.Name == "etc/ssl/certs/ca-certificates.crt" && header.Size < 100_000 {
			t.Errorf("the CA certificates have %d bytes", header.Size)
		}
	}
	want := map[string]int64{
		"etc": 0o755, "etc/group": 0o644, "etc/passwd": 0o644, "etc/ssl": 0o755, "etc/ssl/certs": 0o755,
		"etc/ssl/certs/ca-certificates.crt": 0o644, "tmp": 0o1777, "clusterimport": 0o755, "clusterimport-controller": 0o755,
	}
	if diff := cmp.Diff(want, maps.Collect(maps.All(modes))); diff != "" {
		t.Errorf("files (-want +got)\n%s", diff)
	}
}

// checkSBOMs: each image has an SBOM that refers to it, and lists what the binaries were built from.
func checkSBOMs(t *testing.T, root v1.ImageIndex, images []v1.Descriptor) {
	t.Helper()
	manifest, err := root.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	subjects := map[v1.Hash]bool{}
	for _, d := range manifest.Manifests[1:] {
		artifact, err := root.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		m, err := artifact.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		subjects[m.Subject.Digest] = true
		layers, err := artifact.Layers()
		if err != nil {
			t.Fatal(err)
		}
		content, err := layers[0].Compressed()
		if err != nil {
			t.Fatal(err)
		}
		var document spdxDocument
		if err := json.NewDecoder(content).Decode(&document); err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, p := range document.Packages {
			for _, r := range p.References {
				purl, _, _ := strings.Cut(r.Locator, "@")
				found[purl] = true
			}
		}
		for _, purl := range []string{"pkg:golang/std", "pkg:golang/github.com/google/go-containerregistry"} {
			if !found[purl] {
				t.Errorf("%s is not listed in %v", purl, found)
			}
		}
	}
	for _, d := range images {
		if !subjects[d.Digest] {
			t.Errorf("nothing refers to %s", d.Digest)
		}
	}
}

// TestArguments: what cannot be done is said.
func TestArguments(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   []string
		want   string
	}{
		"NoVersion": {"an image has a version", []string{"amd64=x"}, "--version"},
		"NoFolder":  {"and binaries", []string{"--version", "v1"}, "ARCH=FOLDER"},
		"NoArch":    {"of an architecture", []string{"--version", "v1", "x"}, `"x" is not ARCH=FOLDER`},
		"Missing":   {"which are there", []string{"--version", "v1", "--output", t.TempDir(), "amd64=" + t.TempDir()}, "no such file"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if err := run(tc.args); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: got %v", tc.reason, err)
			}
		})
	}
}

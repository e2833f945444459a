// Command image puts binaries into a container image, without a daemon and without a registry.
//
// It owns what is in the image: the binaries, CA certificates and a user, and nothing else. The binaries are built
// before, one folder for each architecture. The same binaries give the same digest, whenever and wherever it runs.
//
//	image --output DIR --name NAME --version VERSION ARCH=FOLDER...
//
// DIR gets oci/, an OCI image layout with an index of all architectures and, as artifacts that refer to them, their
// SBOMs; for each architecture NAME-ARCH.tar, which docker load and ctr images import read, and NAME-ARCH.spdx.json;
// and digest, the digest of the index.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

// build is what is asked for.
type build struct {
	output, name, version string
}

func run(args []string) error {
	var b build
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.StringVar(&b.output, "output", "dist", "folder for what is made")
	flags.StringVar(&b.name, "name", "clusterimport", "repository of the image")
	flags.StringVar(&b.version, "version", "", "version of the binaries, and tag of the image")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if b.version == "" || flags.NArg() == 0 {
		return errors.New("--version and at least one ARCH=FOLDER are needed")
	}
	digest, err := b.write(flags.Args())
	if err != nil {
		return err
	}
	fmt.Println(digest)
	return nil
}

// write makes everything and returns the digest of the index.
func (b *build) write(folders []string) (v1.Hash, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	var sboms []v1.Image
	for _, arg := range folders {
		arch, folder, ok := strings.Cut(arg, "=")
		if !ok {
			return v1.Hash{}, fmt.Errorf("%q is not ARCH=FOLDER", arg)
		}
		image, err := newImage(arch, b.version, folder)
		if err != nil {
			return v1.Hash{}, fmt.Errorf("cannot make the image for %s: %w", arch, err)
		}
		sbom, err := b.writeArch(arch, folder, image)
		if err != nil {
			return v1.Hash{}, err
		}
		sboms = append(sboms, sbom)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	return b.writeLayout(index, sboms)
}

// writeArch writes the tarball and the SBOM of one architecture, and returns the latter as an artifact.
func (b *build) writeArch(arch, folder string, image v1.Image) (v1.Image, error) {
	if err := os.MkdirAll(b.output, 0o750); err != nil {
		return nil, err
	}
	file := filepath.Join(b.output, filepath.Base(b.name)+"-"+arch)
	tag, err := name.NewTag(b.name + ":" + b.version)
	if err != nil {
		return nil, err
	}
	if err := tarball.WriteToFile(file+".tar", tag, image); err != nil {
		return nil, fmt.Errorf("cannot write %s.tar: %w", file, err)
	}
	document, err := newSBOM(b.name, b.version, arch, folder)
	if err != nil {
		return nil, fmt.Errorf("cannot list what the binaries are made of: %w", err)
	}
	if err := os.WriteFile(file+".spdx.json", document, 0o644); err != nil { //nolint:gosec // it is published
		return nil, err
	}
	return attach(image, document)
}

// writeLayout writes the OCI image layout.
func (b *build) writeLayout(index v1.ImageIndex, sboms []v1.Image) (v1.Hash, error) {
	digest, err := index.Digest()
	if err != nil {
		return v1.Hash{}, err
	}
	dir := filepath.Join(b.output, "oci")
	if err := os.RemoveAll(dir); err != nil {
		return v1.Hash{}, err
	}
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return v1.Hash{}, err
	}
	err = path.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": b.version, "io.containerd.image.name": b.name + ":" + b.version,
	}))
	if err != nil {
		return v1.Hash{}, err
	}
	for _, sbom := range sboms {
		if err := path.AppendImage(sbom); err != nil {
			return v1.Hash{}, err
		}
	}
	return digest, os.WriteFile(filepath.Join(b.output, "digest"), []byte(digest.String()+"\n"), 0o644) //nolint:gosec // it is published
}

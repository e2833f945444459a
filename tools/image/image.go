package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// The user that the image runs as: nobody's, without a shell or a home that could be written.
const (
	user     = "65532:65532"
	accounts = "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n"
	groups   = "root:x:0:\nnonroot:x:65532:\n"
)

// binaries are what a folder must hold, and the image has at its root.
var binaries = []string{"clusterimport", "clusterimport-controller"}

// entry is a file or, without content, a folder of the image.
type entry struct {
	name    string
	mode    int64
	content []byte
}

// newImage makes the image of one architecture: a layer that seldom changes, and one with the binaries.
func newImage(arch, version, folder string) (v1.Image, error) {
	base, err := newLayer([]entry{
		{"etc/", 0o755, nil},
		{"etc/group", 0o644, []byte(groups)},
		{"etc/passwd", 0o644, []byte(accounts)},
		{"etc/ssl/", 0o755, nil},
		{"etc/ssl/certs/", 0o755, nil},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, roots()},
		{"tmp/", 0o1777, nil},
	})
	if err != nil {
		return nil, err
	}
	var programs []entry
	for _, name := range binaries {
		content, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			return nil, err
		}
		programs = append(programs, entry{name, 0o755, content})
	}
	top, err := newLayer(programs)
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.AppendLayers(image, base, top); err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, configFile(image, arch, version))
}

func configFile(image v1.Image, arch, version string) *v1.ConfigFile {
	config, err := image.ConfigFile()
	if err != nil {
		config = &v1.ConfigFile{}
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", arch
	config.Config = v1.Config{
		Entrypoint: []string{"/clusterimport-controller"}, User: user, WorkingDir: "/",
		Env: []string{"PATH=/", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"},
		Labels: map[string]string{
			"org.opencontainers.image.title":    "clusterimport",
			"org.opencontainers.image.version":  version,
			"org.opencontainers.image.source":   "https://github.com/clusterimport/clusterimport",
			"org.opencontainers.image.licenses": "Apache-2.0",
		},
	}
	return config
}

// newLayer makes a layer of these entries, in this order and without times.
func newLayer(entries []entry) (v1.Layer, error) {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Mode: e.mode, Size: int64(len(e.content)), Typeflag: tar.TypeReg, Format: tar.FormatPAX}
		if e.content == nil {
			header.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(archive.Bytes())), nil }
	return tarball.LayerFromOpener(opener, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}

// roots are Mozilla's CA certificates as PEM, of the version that go.mod has: a host's would differ from host to host.
// Those that are trusted within limits only are left out, since PEM cannot say so.
func roots() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes all
		}
	}
	return out.Bytes()
}

// attach makes an SBOM an artifact that refers to its image.
func attach(image v1.Image, document []byte) (v1.Image, error) {
	subject, err := partial.Descriptor(image)
	if err != nil {
		return nil, err
	}
	subject.ArtifactType = "" // of an image it says nothing
	artifact := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), spdx)
	if artifact, err = mutate.AppendLayers(artifact, static.NewLayer(document, spdx)); err != nil {
		return nil, fmt.Errorf("cannot attach the SBOM: %w", err)
	}
	attached, ok := mutate.Subject(artifact, *subject).(v1.Image)
	if !ok {
		return nil, errors.New("cannot attach the SBOM: it is no image")
	}
	return attached, nil
}

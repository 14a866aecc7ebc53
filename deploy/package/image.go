package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"io"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// nobody is who runs in the image, as a number, by which Kubernetes can tell that it is
// not root: https://kubernetes.io/docs/concepts/security/pod-security-standards/
const nobody = 65532

// image writes an OCI layout with an image for each architecture, from its program:
// https://github.com/opencontainers/image-spec/blob/main/image-layout.md
// It holds no time, so that the same programs make the same bytes.
func image(to string, programs map[string]string) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range []string{"amd64", "arm64"} {
		one, err := imageOf(programs[arch], arch)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: one, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	written, err := layout.Write(to, empty.Index)
	if err != nil {
		return err
	}
	return written.AppendIndex(index)
}

func imageOf(program, arch string) (v1.Image, error) {
	files, err := filesOf(program)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil }, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	one, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), layer)
	if err != nil {
		return nil, err
	}
	config, err := one.ConfigFile()
	if err != nil {
		return nil, err
	}
	config.OS, config.Architecture = "linux", arch
	config.Config = v1.Config{
		User:       "65532:65532",
		Entrypoint: []string{"/havip"},
		Cmd:        []string{"serve", "--roster", "/etc/havip/roster.yaml", "--data", "/var/lib/havip"},
	}
	return mutate.ConfigFile(one, config)
}

// filesOf is all that the image holds: the program, whom Mozilla believes, and the folder
// that a volume takes its owner from.
func filesOf(program string) ([]byte, error) {
	code, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	var roots bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue // a file can't say how far it is believed
		}
		if err := pem.Encode(&roots, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	var files bytes.Buffer
	w := tar.NewWriter(&files)
	for _, f := range []struct {
		tar.Header
		content []byte
	}{
		{tar.Header{Name: "havip", Mode: 0o755}, code},
		{tar.Header{Name: "etc/ssl/certs/ca-certificates.crt", Mode: 0o644}, roots.Bytes()},
		{tar.Header{Name: "var/lib/havip/", Mode: 0o700, Uid: nobody, Gid: nobody}, nil},
	} {
		f.Size = int64(len(f.content))
		if err := w.WriteHeader(&f.Header); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.content); err != nil {
			return nil, err
		}
	}
	return files.Bytes(), w.Close()
}

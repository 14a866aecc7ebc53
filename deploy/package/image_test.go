package main

import (
	"archive/tar"
	"bufio"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"havip-functions/shared/roster"
)

// The image is the program, whom it believes and where it may write, and the same bytes
// each time.
func TestImage(t *testing.T) {
	program := filepath.Join(t.TempDir(), "havip")
	if err := os.WriteFile(program, []byte("a program"), 0o600); err != nil {
		t.Fatal(err)
	}
	var digests []v1.Hash
	for range 2 {
		to := filepath.Join(t.TempDir(), "image")
		if err := image(to, map[string]string{"amd64": program, "arm64": program}); err != nil {
			t.Fatal(err)
		}
		one, digest := opened(t, to)
		digests = append(digests, digest)
		files := filesIn(t, one)
		if got, want := slices.Sorted(maps.Keys(files)), []string{"etc/ssl/certs/ca-certificates.crt", "havip", "var/lib/havip"}; !slices.Equal(got, want) {
			t.Errorf("it holds %q, want %q", got, want)
		}
		if h := files["var/lib/havip"].header; h.Uid != nobody || h.Mode != 0o700 {
			t.Errorf("the data folder is %d's, %o", h.Uid, h.Mode)
		}
		if config, err := one.ConfigFile(); err != nil || config.Config.User != "65532:65532" {
			t.Errorf("it runs as %+v: %v", config, err)
		}
		believed := x509.NewCertPool()
		if !believed.AppendCertsFromPEM(files["etc/ssl/certs/ca-certificates.crt"].content) {
			t.Error("it believes nobody")
		}
	}
	if digests[0] != digests[1] {
		t.Errorf("%s, then %s", digests[0], digests[1])
	}
}

// What make image makes is read by others' tools, and runs as nobody where there is
// nothing else, and nothing that it may write but its folder.
func TestImageRuns(t *testing.T) {
	if !*makeZips {
		t.Skip("it compiles everything for two architectures; make zips does it")
	}
	target := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "make", "-C", "../..", "image", "TARGET="+target).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	to := filepath.Join(target, "image")
	one, _ := opened(t, to)
	if skopeo, err := exec.LookPath("skopeo"); err != nil {
		t.Logf("nobody else reads the image: %v; install skopeo", err)
	} else if out, err := exec.CommandContext(t.Context(), skopeo, "--insecure-policy", "copy", "--all", "oci:"+to, "dir:"+t.TempDir()).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can go into the image")
	}
	config, err := one.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	root := unpacked(t, one)
	said, err := inside(root, config.Config, "--version").Output()
	if err != nil || cloned(t) && !strings.Contains(string(said), " of 20") {
		t.Errorf("it says %q of itself, and no commit: %v", said, err)
	}
	cmd := inside(root, config.Config, append(slices.Clone(config.Config.Cmd), "--addr", "127.0.0.1:0")...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}()
	var listens struct{ Addr string }
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&listens); err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get("http://" + listens.Addr + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("it answers %s", answer.Status)
	}
}

// cloned tells whether this is a clone that git answers for; in a worktree Go asks nobody.
func cloned(t *testing.T) bool {
	t.Helper()
	at, err := os.Stat("../../.git")
	return err == nil && at.IsDir() && exec.CommandContext(t.Context(), "git", "rev-parse", "HEAD").Run() == nil
}

// inside is a command in the image, by the user that it names.
func inside(root string, config v1.Config, args ...string) *exec.Cmd {
	var uid, gid uint32
	if _, err := fmt.Sscanf(config.User, "%d:%d", &uid, &gid); err != nil {
		panic(err)
	}
	cmd := exec.Command(config.Entrypoint[0], args...) //nolint:gosec // our own image
	cmd.Dir, cmd.Env = "/", []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: uid, Gid: gid}}
	return cmd
}

// unpacked are the image's files, with a roster.
func unpacked(t *testing.T, one v1.Image) string {
	t.Helper()
	root := shared(t)
	files := mutate.Extract(one)
	defer files.Close()
	unpack := exec.CommandContext(t.Context(), "tar", "-x", "-C", root)
	unpack.Stdin = files
	if out, err := unpack.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	at := filepath.Join(root, "etc/havip")
	if err := errors.Join(os.Mkdir(at, 0o755), os.WriteFile(filepath.Join(at, "roster.yaml"), roster.Builtin(), 0o644)); err != nil { //nolint:gosec // nobody has to read it
		t.Fatal(err)
	}
	return root
}

// opened is the image of this machine's architecture, after all of it was checked.
func opened(t *testing.T, to string) (v1.Image, v1.Hash) {
	t.Helper()
	all, err := layout.ImageIndexFromPath(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(all); err != nil {
		t.Error(err)
	}
	list, err := all.IndexManifest()
	if err != nil || len(list.Manifests) != 1 { // one image, of several architectures
		t.Fatal(list, err)
	}
	index, err := all.ImageIndex(list.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(manifest.Manifests, func(d v1.Descriptor) bool { return d.Platform.Architecture == runtime.GOARCH })
	if at < 0 || len(manifest.Manifests) != 2 {
		t.Fatalf("%+v", manifest.Manifests)
	}
	one, err := index.Image(manifest.Manifests[at].Digest)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return one, digest
}

type inImage struct {
	header  *tar.Header
	content []byte
}

func filesIn(t *testing.T, one v1.Image) map[string]inImage {
	t.Helper()
	extracted := mutate.Extract(one)
	defer extracted.Close()
	files := map[string]inImage{}
	for r := tar.NewReader(extracted); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[header.Name] = inImage{header, content}
	}
}

package main

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var makeZips = flag.Bool("zips", false, "make the packages twice, as make zips does")

// What is made twice, at two times and in two folders, has the same bytes: one program
// that may be executed, for the architecture that the file's name tells.
func TestPackageIsReproducible(t *testing.T) {
	if !*makeZips {
		t.Skip("it compiles everything for two architectures; make zips does it")
	}
	folders := []string{t.TempDir(), t.TempDir()}
	for _, to := range folders {
		build := exec.CommandContext(t.Context(), "make", "-C", "../..", "package", "TARGET="+to, "ARCH=arm64")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for name, machine := range map[string]elf.Machine{"x86_64.zip": elf.EM_X86_64, "arm64.zip": elf.EM_AARCH64, "lambda.zip": elf.EM_AARCH64} {
		first, again := read(t, filepath.Join(folders[0], name)), read(t, filepath.Join(folders[1], name))
		if !bytes.Equal(first, again) {
			t.Errorf("%s: %d bytes differ from %d", name, len(first), len(again))
		}
		if got := bootstrapIn(t, first); got.Machine != machine {
			t.Errorf("%s holds a program for %s", name, got.Machine)
		}
	}
}

// What is deployed is what is made. Function Compute's custom runtimes are x86-64.
func TestPackagesAreShipped(t *testing.T) {
	for file, line := range map[string]string{"../../s.yaml": "code: ./target/x86_64.zip\n", "../aws/template.yaml": "CodeUri: ../../target/lambda.zip\n"} {
		if !bytes.Contains(read(t, file), []byte(line)) {
			t.Errorf("%s ships something else than %s", file, line)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// bootstrapIn is the one program in a zip, which tells nothing of where it was built.
func bootstrapIn(t *testing.T, zipped []byte) *elf.File {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(zipped), int64(len(zipped)))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.File) != 1 || r.File[0].Name != "bootstrap" || r.File[0].Mode() != 0o755 || r.File[0].Modified.Year() != 1980 {
		t.Fatalf("the zip holds %+v", r.File)
	}
	f, err := r.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	code, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(code, []byte(filepath.Dir(here))) {
		t.Errorf("the program names %s", here)
	}
	program, err := elf.NewFile(bytes.NewReader(code))
	if err != nil {
		t.Fatal(err)
	}
	return program
}

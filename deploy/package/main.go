// Command package packs programs, so that the same ones make the same bytes: a bootstrap as
// a zip for the clouds, havip as a container image.
package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "zip":
		return pack(args[1], args[2])
	case len(args) == 4 && args[0] == "image":
		return image(args[1], map[string]string{"amd64": args[2], "arm64": args[3]})
	}
	return errors.New("use: package zip BOOTSTRAP ZIP, or package image FOLDER AMD64 ARM64")
}

// pack writes a zip that holds one program, under the name that both clouds start. It
// has the oldest time that a zip knows.
func pack(program, to string) error {
	code, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	var zipped bytes.Buffer
	w := zip.NewWriter(&zipped)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)}
	header.SetMode(0o755)
	file, err := w.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := file.Write(code); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(to, zipped.Bytes(), 0o644)
}

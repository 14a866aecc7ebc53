package main

import (
	"os"

	"golang.org/x/term"
)

// colored marks an outcome or a health with its colour, on a terminal only.
func colored(word string) string {
	if !term.IsTerminal(int(os.Stdout.Fd())) || os.Getenv("NO_COLOR") != "" {
		return word
	}
	const red, green, yellow, off = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"
	switch word {
	case "attached", "unchanged", "healthy", "ok":
		return green + word + off
	case "refused", "timedout", "failed":
		return red + word + off
	}
	return yellow + word + off
}

package main

import (
	"cmp"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"unicode"
)

// colored marks an outcome or a health with its colour, on a terminal only.
func colored(word string) string {
	if !terminal(os.Stdout) || os.Getenv("NO_COLOR") != "" {
		return word
	}
	const red, green, yellow, off = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[0m"
	switch word {
	case "attached", "unchanged", "healthy", "ok":
		return green + word + off
	case "refused", "timedout", "failed", "wrong":
		return red + word + off
	}
	return yellow + word + off
}

func printJSON(v any) {
	e := json.NewEncoder(os.Stdout)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // the reader may have gone
}

func bracketed(code string) string {
	if code == "" {
		return ""
	}
	return " [" + code + "]"
}

func orNone(s string) string {
	if s == "" {
		return "nobody"
	}
	return s
}

func orNobody(holders []string) string { return orNone(strings.Join(holders, ", ")) }

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func orUnknown(s string) string { return cmp.Or(s, "unknown") }

// printable writes out what would steer a terminal: a sender chose it.
func printable(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

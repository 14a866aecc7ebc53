package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// table is rows of cells, which may be coloured: a colour has no width.
type table [][]string

// write writes the columns under each other, two blanks apart.
func (t table) write(out io.Writer) {
	widths := t.widths()
	for _, row := range t {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-cellWidth(cell)+2))
			}
		}
		fmt.Fprintln(out, strings.TrimRight(line.String(), " "))
	}
}

func (t table) widths() []int {
	var widths []int
	for _, row := range t {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cellWidth(cell))
		}
	}
	return widths
}

func (t table) width() int {
	all := -2
	for _, w := range t.widths() {
		all += w + 2
	}
	return all
}

// fit cuts the last column to what is left of the width; 0 cuts nothing.
func (t table) fit(width int) {
	over := t.width() - width
	if width == 0 || over <= 0 {
		return
	}
	widths := t.widths()
	last := len(widths) - 1
	most := max(widths[last]-over, len(t[0][last]))
	for _, row := range t {
		if r := []rune(row[last]); len(r) > most {
			row[last] = string(r[:most-1]) + "…"
		}
	}
}

// cellWidth counts what a terminal shows of a cell.
func cellWidth(cell string) int {
	n := 0
	for cell != "" {
		if rest, escaped := strings.CutPrefix(cell, "\x1b["); escaped {
			_, cell, _ = strings.Cut(rest, "m")
			continue
		}
		_, size := utf8.DecodeRuneInString(cell)
		n, cell = n+1, cell[size:]
	}
	return n
}

// terminal tells whether a person reads the file at a terminal.
func terminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// width is the terminal's, and 0 where there is none: a line may be as long as it takes.
func width() int {
	if !terminal(os.Stdout) {
		return 0
	}
	w, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || w <= 0 {
		return 80
	}
	return w
}

// wrapped writes words behind a head, in further lines where they don't fit the width.
func wrapped(out io.Writer, width int, head, text string) {
	text = printable(text)
	if width == 0 || cellWidth(head)+cellWidth(text) <= width {
		fmt.Fprintln(out, head+text)
		return
	}
	line, used := head, cellWidth(head)
	const indent = "         "
	for i, word := range strings.Fields(text) {
		if n := cellWidth(word); i > 0 && used+1+n > width {
			fmt.Fprintln(out, line)
			line, used = indent, len(indent)
		} else if i > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+word, used+cellWidth(word)
	}
	fmt.Fprintln(out, line)
}

func ago(now, at time.Time) string { return age(now.Sub(at)) + " ago" }

// age is a duration as a person says it: to the second, the minute or the hour.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, int(d.Seconds())))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

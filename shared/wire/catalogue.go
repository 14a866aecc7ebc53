package wire

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"havip-functions/shared/havip"
)

// Catalogue is the codes as a table in Markdown, for docs/errors.md: what each means,
// what we do, what a person does, and who says so.
func (d Dialect) Catalogue() string {
	var b strings.Builder
	b.WriteString("| code | means | we | you | source |\n|---|---|---|---|---|\n")
	for _, code := range slices.Sorted(maps.Keys(d.Codes)) {
		v := d.Codes[code]
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", code, v.Rule, v.deed(), v.Advice, v.Source)
	}
	return b.String()
}

// deed is what we do about it.
func (v Verdict) deed() string {
	switch {
	case v.Lost:
		return "read back, then look again"
	case errors.Is(v.Kind, havip.ErrBusy):
		return "look again"
	case v.Instance:
		return "take another member; end as refused where none is left"
	}
	return "end as refused"
}

package runtime

import (
	"io"
	"log/slog"
	"strings"
	"unicode"
)

// NewLog logs JSON, a line each, and blots out the secrets wherever one turns up.
// A secret may be a list of several.
func NewLog(w io.Writer, secrets ...string) *slog.Logger {
	var pairs []string
	for _, s := range secrets {
		for _, one := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
			pairs = append(pairs, one, "[secret]")
		}
	}
	blot := strings.NewReplacer(pairs...)
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if v, ok := a.Value.Any().(error); ok {
			a.Value = slog.StringValue(v.Error())
		}
		if a.Value.Kind() == slog.KindString {
			a.Value = slog.StringValue(blot.Replace(a.Value.String()))
		}
		return a
	}}))
}

package host

import (
	_ "embed"
	"net/http"
)

//go:embed console.html
var consolePage []byte

// console is the page for a person: it shows what the API says.
func console(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'")
	_, _ = w.Write(consolePage)
}

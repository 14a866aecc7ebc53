package api

import (
	"encoding/json"
	"net/http"
)

// Problem is a problem document (RFC 9457). It names the member of the event or the
// request that is wrong, if any.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"` // what was wrong and what to do, on one line
	Member string `json:"member"`
}

// Refuse answers with a problem.
func Refuse(w http.ResponseWriter, status int, member, detail string) {
	write(w, status, "application/problem+json", Problem{"about:blank", http.StatusText(status), status, detail, member})
}

// Answer answers with JSON.
func Answer(w http.ResponseWriter, status int, answer any) {
	write(w, status, "application/json", answer)
}

func write(w http.ResponseWriter, status int, kind string, answer any) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the reader may have gone
}

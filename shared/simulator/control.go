package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"havip-functions/shared/havip"
)

// Control answers the address by which tests and people move the world:
//
//	GET    /world                            the world file as JSON, as it is now
//	PUT    /clouds/{cloud}/instances/{id}    {"state":"Stopped"}
//	PUT    /clouds/{cloud}/havips/{id}       {"status":"Associating"} and/or {"master":"i-…"}
//	POST   /faults                           a [Fault]; DELETE clears all
//	GET    /calls                            the last 100,000; ?operation=&havip=
//	POST   /events                           an [EventTarget]
//	POST   /reset                            world, calls, faults
//
// The total of /calls counts what the filter picks, the dropped ones among them
// are those that are no longer kept.
func (s *Simulator) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /world", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.World()) })
	mux.HandleFunc("GET /calls", s.serveCalls)
	mux.HandleFunc("PUT /clouds/{cloud}/instances/{id}", taking(func(r *http.Request, c struct {
		State havip.InstanceState `json:"state"`
	}) error {
		return s.SetInstance(r.PathValue("cloud"), r.PathValue("id"), c.State)
	}))
	mux.HandleFunc("PUT /clouds/{cloud}/havips/{id}", taking(func(r *http.Request, c HAVIPChange) error {
		return s.SetHAVIP(r.PathValue("cloud"), r.PathValue("id"), c)
	}))
	mux.HandleFunc("POST /faults", taking(func(_ *http.Request, f Fault) error { return s.AddFault(f) }))
	mux.HandleFunc("DELETE /faults", done(s.ClearFaults))
	mux.HandleFunc("POST /events", taking(func(_ *http.Request, t EventTarget) error { return s.SendEvents(t) }))
	mux.HandleFunc("POST /reset", done(s.Reset))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, notFound(fmt.Sprintf("there is no %s %s; there are /world, /clouds/…, /faults, /calls, /events and /reset", r.Method, r.URL.Path)))
	})
	return mux
}

func (s *Simulator) serveCalls(w http.ResponseWriter, r *http.Request) {
	f := CallFilter{Operation: r.URL.Query().Get("operation"), HAVIP: r.URL.Query().Get("havip")}
	s.mu.Lock()
	total, calls := s.calls.count[f], s.calls.pick(f)
	s.mu.Unlock()
	writeJSON(w, map[string]any{"total": total, "dropped": total - len(calls), "calls": calls})
}

// taking makes a handler of a method that takes a JSON body.
func taking[T any](do func(*http.Request, T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in T
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyLimit))
		if err == nil {
			err = strictJSON(data, &in)
		}
		if err != nil {
			writeProblem(w, err)
			return
		}
		if err := do(r, in); err != nil {
			writeProblem(w, err)
			return
		}
		writeJSON(w, struct{}{})
	}
}

func done(do func()) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		do()
		writeJSON(w, struct{}{})
	}
}

// ErrNotFound means that the world has no such thing.
var ErrNotFound = errors.New("not found")

func notFound(detail string) error { return fmt.Errorf("%w: %s", ErrNotFound, detail) }

func writeProblem(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	if errors.Is(err, ErrNotFound) {
		status = http.StatusNotFound
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": err.Error(),
	})
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // a client that has gone is not our failure
}

// strictJSON refuses unknown keys and anything after the value.
func strictJSON(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("not the JSON that is expected: %w", err)
	}
	if d.More() {
		return errors.New("something follows the JSON value; send one value")
	}
	return nil
}

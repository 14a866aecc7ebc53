package host

import (
	"net/http"

	"havip-functions/events"
	"havip-functions/shared/api"
)

// schemas publishes what the data of each event type must look like.
func schemas(w http.ResponseWriter, r *http.Request) {
	text, found := events.Schema(r.PathValue("name"))
	if !found {
		api.Refuse(w, http.StatusNotFound, "", "no such schema; ask for an event's type, such as havip.health.failed")
		return
	}
	w.Header().Set("Content-Type", "application/schema+json")
	_, _ = w.Write(text) // the reader may have gone
}

package runtime

import (
	"context"
	"net/http"

	"havip-functions/shared/trace"
)

// traced sends the traces of a call before it ends: after it the process may be frozen.
type traced struct {
	Invoker
	traces *trace.Exporter
}

func (t traced) Invoke(ctx context.Context, payload []byte) error {
	defer t.traces.Flush(ctx)
	return t.Invoker.Invoke(ctx, payload)
}

// tracedDoor is traced for a web door.
type tracedDoor struct {
	http.Handler
	traces *trace.Exporter
}

func (t tracedDoor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer t.traces.Flush(r.Context())
	t.Handler.ServeHTTP(w, r)
}

package fc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"
)

const (
	idle  = 20 * time.Minute // FC asks for 15 at least
	grace = 80 * time.Second // FC waits 90 s for an instance to stop
)

// ListenAndServe serves on the port that FC names, until the context ends and
// the calls under way are answered.
func (h Custom) ListenAndServe(ctx context.Context, getenv func(string) string) error {
	port := cmp.Or(getenv("FC_SERVER_PORT"), getenv("FC_CUSTOM_LISTEN_PORT"), "9000")
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q in FC_SERVER_PORT or FC_CUSTOM_LISTEN_PORT is no port; give a number up to 65535", port)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("0.0.0.0", port))
	if err != nil {
		return fmt.Errorf("port %s can't be listened on: %w", port, err)
	}
	return h.Serve(ctx, l)
}

// Serve is ListenAndServe on a listener, which it closes.
func (h Custom) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: h, IdleTimeout: idle, ReadHeaderTimeout: 30 * time.Second,
		ErrorLog: slog.NewLogLogger(h.log().Handler(), slog.LevelWarn)}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
		defer cancel()
		stopped <- server.Shutdown(grace)
	})
	err := server.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		return <-stopped
	}
	stop()
	return err
}

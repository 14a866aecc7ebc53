// Package probe asks the address of a HAVIP for an answer, from where it runs: the
// second witness, beside the cloud's word about who serves.
package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

// Ask implements [havip.Prober]. It sends nothing but what the probe says: no
// credentials, no body. It follows no redirect and reads no answer.
func Ask(ctx context.Context, p havip.Probe, address netip.Addr) error {
	at := netip.AddrPortFrom(address, p.Port)
	switch p.How {
	case "tcp":
		return tcp(ctx, at)
	case "http":
		return web(ctx, at, p.Path)
	case "icmp":
		return ping(ctx, address)
	}
	return havip.NotAsked("no probe is called " + p.How)
}

// Off is the [havip.Prober] of a process that isn't in the VPC, by HAVIP_PROBE=off.
func Off(context.Context, havip.Probe, netip.Addr) error { return havip.NotAsked("HAVIP_PROBE=off") }

func tcp(ctx context.Context, at netip.AddrPort) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", at.String())
	if err != nil {
		return reason(err)
	}
	return conn.Close()
}

// web is content with any answer that is no failure: a redirect shows that somebody
// serves there.
func web(ctx context.Context, at netip.AddrPort, path string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at.String()+path, nil)
	if err != nil {
		return havip.NotAsked("no path: " + path)
	}
	r.Header.Set("User-Agent", "havip-functions")
	alone := &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10} // and no proxy
	answer, err := wire.WithoutRedirects(&http.Client{Transport: alone}).Do(r)
	if err != nil {
		return reason(wire.WithoutURL(err))
	}
	if answer.StatusCode >= http.StatusBadRequest {
		err = fmt.Errorf("it answered %d", answer.StatusCode)
	}
	return errors.Join(err, answer.Body.Close())
}

// reason leaves out what the outcome names already.
func reason(err error) error {
	if op := new(net.OpError); errors.As(err, &op) {
		err = op.Err
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return errors.New("no answer in time")
	}
	return err
}

package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"havip-functions/shared/havip"
)

// maxBody bounds an answer; a page of 1000 instances takes about 3 MiB.
const maxBody = 8 << 20

var errTooLarge = errors.New("the answer is over 8 MiB")

// trip is the RoundTripper of one call. It holds the context because the SDKs
// take none, and the verdict because they lose it.
type trip struct {
	ctx       context.Context
	client    *Client
	secrets   []string
	request   *http.Request // the last one; nil: none was sent
	requestID string
	failed    *havip.Error
}

// RoundTrip sends the request under the call's context and lets nothing but a
// cloud's clear yes through to the SDK.
func (t *trip) RoundTrip(req *http.Request) (*http.Response, error) {
	t.request = req
	resp, body, err := t.fetch(req)
	if err != nil {
		t.failed = unanswered(t.ctx, err)
		return nil, t.failed
	}
	a := t.client.Dialect.read(resp, body)
	a.silent = req.Method == http.MethodPut && t.client.Dialect.SilentPut
	if t.failed = t.client.Dialect.judge(a); t.failed != nil {
		return nil, t.failed
	}
	t.requestID = a.requestID
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// fetch reads the answer whole, so that a context that ends, or a connection
// that breaks, in the middle of it is noticed here and not by the SDK.
func (t *trip) fetch(req *http.Request) (*http.Response, []byte, error) {
	req = req.WithContext(t.ctx)
	req.Cancel = nil //nolint:staticcheck // an SDK's own time-out comes this way, and would cut ours short
	resp, err := t.client.transport().RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	_ = resp.Body.Close() // all that mattered of it was read, or failed to be
	if err == nil && len(body) > maxBody {
		err = errTooLarge
	}
	return resp, body, err
}

// verdict is the request's id, or what went wrong with it, without the secrets.
func (t *trip) verdict(op string, err error) (string, error) {
	failed := t.failure(err)
	if failed == nil {
		return t.requestID, nil
	}
	failed.Op = op
	failed.Message = redact(failed.Message, append(t.secrets, signatures(t.request)...))
	return "", failed
}

// failure prefers our own verdict to the SDK's words.
func (t *trip) failure(err error) *havip.Error {
	switch {
	case t.failed != nil:
		return t.failed
	case t.request == nil:
		return notSent(err)
	case err != nil:
		return unreadable(t.requestID, err)
	default:
		return nil
	}
}

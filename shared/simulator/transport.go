package simulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Transport reaches both clouds without a socket. Hosts that contain "baidubce"
// and the host baidu.sim are Baidu, all others Alibaba. It leaves no goroutine
// behind, ends with the request's context, and works in a synctest bubble.
func (s *Simulator) Transport() http.RoundTripper { return transport{s} }

type transport struct{ s *Simulator }

// RoundTrip answers as a server at the request's host would.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		closeBody(r)
		return nil, err
	}
	d := &alibaba
	if host := r.URL.Hostname(); strings.Contains(host, "baidubce") || host == "baidu.sim" {
		d = &baidu
	}
	a := t.s.answer(d, served(r))
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if a.lost {
		// What a client sees when the other side hangs up.
		return nil, io.ErrUnexpectedEOF
	}
	return a.response(r), nil
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// served is the request as a server would see it: canonical header names, and
// the host and the length where net/http keeps them.
func served(r *http.Request) *http.Request {
	in := r.Clone(r.Context())
	in.Header = http.Header{}
	for k, v := range r.Header {
		if name := http.CanonicalHeaderKey(k); name != "Host" && name != "Content-Length" {
			in.Header[name] = append(in.Header[name], v...)
		}
	}
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.URL.Path == "" {
		in.URL.Path = "/"
	}
	return in
}

func (a answer) response(r *http.Request) *http.Response {
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), StatusCode: a.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: a.reader(r.Context()), ContentLength: int64(len(a.body)), Request: r,
	}
}

// reader is the body, its second half as late as it should be.
func (a answer) reader(ctx context.Context) io.ReadCloser {
	if a.slow == 0 {
		return io.NopCloser(bytes.NewReader(a.body))
	}
	half := len(a.body) / 2
	return io.NopCloser(io.MultiReader(bytes.NewReader(a.body[:half]), &lateReader{ctx: ctx, answer: a, rest: bytes.NewReader(a.body[half:])}))
}

type lateReader struct {
	ctx    context.Context // the request's: a body is read under it
	answer answer
	rest   *bytes.Reader
}

// Read waits once, then reads.
func (l *lateReader) Read(p []byte) (int, error) {
	pause(l.ctx, l.answer.slow)
	l.answer.slow = 0
	if err := l.ctx.Err(); err != nil {
		return 0, err
	}
	return l.rest.Read(p)
}

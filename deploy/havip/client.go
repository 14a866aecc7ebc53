package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"

	"havip-functions/shared/api"
	"havip-functions/shared/guard"
	"havip-functions/shared/havip"
)

// client speaks to the host, and shows it the proof that its environment has.
type client struct {
	base   string
	getenv func(string) string
}

func connect(base string) client {
	return client{cmp.Or(base, os.Getenv("HAVIP_HOST"), "http://127.0.0.1:8080"), os.Getenv}
}

func hostFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("host", "", "the host's address (HAVIP_HOST, else http://127.0.0.1:8080)")
}

func (c client) send(ctx context.Context, body []byte) (api.Taken, error) {
	var a api.Taken
	return a, c.do(ctx, http.MethodPost, "/events", body, &a)
}

func (c client) story(ctx context.Context, id string) (api.Story, error) {
	var s api.Story
	return s, c.do(ctx, http.MethodGet, "/api/stories/"+url.PathEscape(id), nil, &s)
}

func (c client) havips(ctx context.Context, pick string) ([]havip.View, error) {
	answer, err := c.overview(ctx, pick)
	return answer.HAVIPs, err
}

func (c client) overview(ctx context.Context, pick string) (api.HAVIPs, error) {
	var answer api.HAVIPs
	err := c.do(ctx, http.MethodGet, "/api/havips?havip="+url.QueryEscape(pick), nil, &answer)
	return answer, err
}

// answerTime is how long a host may take to answer.
const answerTime = 40 * time.Second

// do makes one call; a problem of the host's becomes one line.
func (c client) do(ctx context.Context, method, path string, body []byte, into any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil || r.URL.Host == "" || r.URL.User != nil { // which may be a secret
		return usage("--host (HAVIP_HOST) is no address; give http://host:port alone, and the token in HAVIP_OPERATOR_TOKEN")
	}
	r.Header.Set("Content-Type", "application/json")
	ours, err := guard.FromEnvironment(c.getenv)
	if err != nil {
		return usage("%v", err)
	}
	ours.Show(r, body)
	answer, err := http.DefaultClient.Do(r)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return failure{exitNoServer, fmt.Errorf("the host at %s did not answer within %s; it may be busy: ask again, or read its log where it runs", c.base, answerTime)}
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return failure{exitNoServer, fmt.Errorf("the host at %s shows a certificate that nobody vouches for: %w; name its issuer's with SSL_CERT_FILE", c.base, err)}
	case err != nil:
		return failure{exitNoServer, fmt.Errorf("no host at %s; start havip serve, or read its log where it runs (its store may be full); name another with --host, or use --direct where there is one", c.base)}
	}
	defer answer.Body.Close() //nolint:errcheck // it was read, or its error is told
	text, err := io.ReadAll(io.LimitReader(answer.Body, 64<<20))
	if err != nil {
		return failure{exitNoServer, fmt.Errorf("the host's answer broke off: %w", err)}
	}
	if answer.StatusCode/100 != 2 {
		return refusal(answer.StatusCode, text)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return failure{exitNoServer, fmt.Errorf("%s does not answer as a host of ours: %w", c.base, err)}
	}
	return nil
}

func refusal(status int, text []byte) error {
	var p api.Problem
	if json.Unmarshal(text, &p) != nil || p.Detail == "" {
		p.Detail = fmt.Sprintf("the host answered %d", status)
	}
	switch status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return failure{exitNoServer, fmt.Errorf("%s", p.Detail)}
	case http.StatusNotFound:
		return other("%s", p.Detail)
	}
	return usage("%s", p.Detail)
}

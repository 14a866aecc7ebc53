package wire

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
)

// WithoutRedirects is the client, or http.DefaultClient where it is nil, that
// follows none, because one would carry tokens and signatures elsewhere.
func WithoutRedirects(c *http.Client) *http.Client {
	client := *cmp.Or(c, http.DefaultClient)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// WithoutURL is the error without the address that net/http puts before it,
// which may hold a token.
func WithoutURL(err error) error {
	if u := new(url.Error); errors.As(err, &u) {
		return u.Err
	}
	return err
}

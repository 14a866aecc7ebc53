package wire

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// ObjectRequest asks the store at the endpoint for scheme://bucket/key. It names
// the bucket in the path where the endpoint's host does not.
func ObjectRequest(ctx context.Context, endpoint string, object *url.URL) (*http.Request, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("%q is no endpoint of a store; give https://host", endpoint)
	}
	path := object.EscapedPath()
	if !strings.HasPrefix(u.Host, object.Host+".") {
		path = "/" + object.Host + path
	}
	return http.NewRequestWithContext(ctx, http.MethodGet, u.Scheme+"://"+u.Host+path, nil)
}

// Download returns the object that the store answers a signed request with. One
// of more bytes than most is an error, and so is any other status than 200.
func Download(r *http.Request, most int64) ([]byte, error) {
	answer, err := WithoutRedirects(nil).Do(r)
	if err != nil {
		return nil, WithoutURL(err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was read, or its error is told
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the store answered %s; allow the function's role to read the object, and check bucket, key and region", answer.Status)
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("the object is larger than %d bytes; split it", most)
	}
	return text, err
}

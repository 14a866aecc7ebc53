// Package tablestore speaks to Tablestore of Alibaba Cloud: the five calls on rows
// that a ledger needs, by their documented wire.
package tablestore

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

// Client calls one instance. It is safe for concurrent use.
type Client struct {
	Endpoint string // with https://
	Instance string

	// Keys give the credentials of each call anew: those of a function's role change.
	Keys func(context.Context) (havip.Credentials, error)

	Transport http.RoundTripper // nil: one that all such clients share
}

// Error is what Tablestore refuses a call with.
// https://www.alibabacloud.com/help/en/tablestore/developer-reference/error-codes
type Error struct {
	Op, Code, Message, RequestID string
	Status                       int
}

// Error says what was refused, and names the request.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s (%d): %s (request %s)", e.Op, e.Code, e.Status, e.Message, e.RequestID)
}

// ConditionFailed is the code where a row is not as its condition asks.
const ConditionFailed = "OTSConditionCheckFail"

// Later are the codes after which the same call may succeed. The page says so of each.
var later = map[string]bool{
	"OTSRowOperationConflict": true, "OTSServerBusy": true, "OTSPartitionUnavailable": true, "OTSTimeout": true,
	"OTSServerUnavailable": true, "OTSInternalServerError": true, "OTSTableNotReady": true, "OTSRequestTimeout": true,
	"OTSNotEnoughCapacityUnit": true, "OTSCapacityUnitExhausted": true, "OTSQuotaExhausted": true,
}

// Later tells whether the same call may succeed after a while.
func (e *Error) Later() bool { return later[e.Code] || e.Status >= http.StatusInternalServerError }

// answer is what came of a call, and when by the server's clock.
type answer struct {
	fields map[fieldNumber][]byte
	at     time.Time // zero where the server told none
}

const (
	tries    = 6 // where it answers that it is busy; the vendor's client makes ten
	silences = 3
	aTry     = 3 * time.Second       // then its connection may be dead, after a freeze
	pause    = 50 * time.Millisecond // before the second try, at most; it doubles
	maxReply = 16 << 20              // a range has 4 MB at most, and its encoding
)

// call makes a call, and again where that may help: each of ours may be made twice.
func (c *Client) call(ctx context.Context, op string, m message) (a answer, err error) {
	keys, err := c.Keys(ctx)
	if err != nil {
		return a, err
	}
	silent := 0
	for n := range tries {
		if n > 0 && wait(ctx, pause<<(n-1)) != nil {
			return a, err
		}
		a, err = c.try(ctx, op, m, keys)
		var refused *Error
		answered := errors.As(err, &refused)
		if err == nil || ctx.Err() != nil || answered && !refused.Later() {
			return a, err
		}
		if !answered {
			silent++
		}
		if silent == silences {
			return a, err
		}
	}
	return a, err
}

// wait waits for a while at random, so that those who collided do not again.
func wait(ctx context.Context, most time.Duration) error {
	t := time.NewTimer(rand.N(most))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Client) try(ctx context.Context, op string, m message, keys havip.Credentials) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, aTry)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint+"/"+op, bytes.NewReader(m))
	if err != nil {
		return answer{}, err
	}
	Sign(r, c.Instance, keys, m, time.Now())
	reply, err := wire.WithoutRedirects(&http.Client{Transport: cmp.Or(c.Transport, shared)}).Do(r)
	if err != nil {
		return answer{}, err
	}
	defer reply.Body.Close() //nolint:errcheck // it was read, or its error is told
	body, err := io.ReadAll(io.LimitReader(reply.Body, maxReply))
	if err != nil {
		return answer{}, &url.Error{Op: http.MethodPost, URL: r.URL.String(), Err: err} // as Do says it
	}
	return read(op, reply, body)
}

// shared keeps as many connections as calls are on their way at once.
var shared = func() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 32
	return t
}()

// read judges a reply. One without a request's id is not Tablestore's.
func read(op string, reply *http.Response, body []byte) (answer, error) {
	id := reply.Header.Get("X-Ots-Requestid")
	found, err := fields(body)
	switch {
	case id == "":
		return answer{}, &Error{Op: op, Code: "NotTablestore", Status: reply.StatusCode, Message: "an answer without x-ots-requestid"}
	case reply.StatusCode != http.StatusOK:
		return answer{}, &Error{Op: op, Code: cmp.Or(string(found[1]), "HTTP"), Status: reply.StatusCode, Message: string(found[2]), RequestID: id}
	case err != nil:
		return answer{}, fmt.Errorf("%s: %w (request %s)", op, err, id)
	}
	return answer{found, serverTime(reply.Header)}, nil
}

// serverTime is told in whole seconds or in milliseconds; documents of several years
// write it differently.
func serverTime(h http.Header) time.Time {
	for _, text := range []string{h.Get("X-Ots-Date"), h.Get("Date")} {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			at, err = http.ParseTime(text)
		}
		if err != nil {
			continue
		}
		if at.Nanosecond() == 0 {
			at = at.Add(time.Second / 2)
		}
		return at
	}
	return time.Time{}
}

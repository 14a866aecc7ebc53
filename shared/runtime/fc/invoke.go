package fc

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/shared/alibaba"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/runtime"
	"havip-functions/shared/wire"
)

const (
	version    = "2023-03-30"
	maxDelay   = time.Hour // x-fc-async-delay takes no more
	maxSize    = 128 << 10 // of an asynchronous payload
	tries      = 4
	firstPause = 200 * time.Millisecond // before the second try; it doubles
	tryTimeout = 10 * time.Second       // of one try
)

// Bus publishes an event by invoking a function of Function Compute
// asynchronously. The delay is FC's best effort and an hour at most: an event
// may come early, and twice.
type Bus struct {
	Endpoint    string // https://{account}.{region}.fc.aliyuncs.com, see [Endpoint]
	Function    string // which one, see [FollowUps]
	Credentials func(context.Context) (havip.Credentials, error)
	Client      *http.Client // http.DefaultClient where nil
}

// Endpoint is the public endpoint of the call's own account and region.
func Endpoint(c runtime.Call) string {
	return "https://" + c.AccountID + "." + c.Region + ".fc.aliyuncs.com"
}

// FollowUps is the name of the function that takes the follow-ups: havip-status-check
// where HAVIP_FOLLOWUP_FUNCTION names no other.
func FollowUps(getenv func(string) string) string {
	return cmp.Or(getenv("HAVIP_FOLLOWUP_FUNCTION"), "havip-status-check")
}

// Publish returns nil once FC has accepted the event, to be delivered after so
// long, or now. It tries a few times within the context; its error names no secret.
func (b Bus) Publish(ctx context.Context, e event.Event, after time.Duration) error {
	body, err := events.Encode(e)
	if err != nil {
		return fmt.Errorf("event %s can't be sent to %s: %w", e.ID(), b.Function, err)
	}
	if len(body) > maxSize {
		return fmt.Errorf("event %s: %w: it has %d bytes, and Function Compute takes %d at most", e.ID(), flow.ErrUnsendable, len(body), maxSize)
	}
	pause := firstPause
	for try := 1; ; try++ {
		err := b.send(ctx, body, after)
		if err == nil {
			return nil
		}
		var again transient
		if !errors.As(err, &again) || try == tries {
			return fmt.Errorf("event %s was not sent to %s: %w", e.ID(), b.Function, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("event %s was not sent to %s in time: %w", e.ID(), b.Function, err)
		case <-time.After(pause):
		}
		pause *= 2
	}
}

// transient is a failure that another try may cure.
type transient struct{ error }

func (t transient) Unwrap() error { return t.error }

func (b Bus) send(ctx context.Context, body []byte, after time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	r, err := b.request(ctx, body, after)
	if err != nil {
		return err
	}
	answer, err := wire.WithoutRedirects(b.Client).Do(r)
	if err != nil {
		return transient{wire.WithoutURL(err)}
	}
	defer answer.Body.Close() //nolint:errcheck // its status was read, and that is all
	if answer.StatusCode == http.StatusAccepted {
		return nil
	}
	err = refusal(answer)
	if answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500 {
		return transient{err}
	}
	return err
}

func (b Bus) request(ctx context.Context, body []byte, after time.Duration) (*http.Request, error) {
	address := strings.TrimSuffix(b.Endpoint, "/") + "/" + version + "/functions/" + url.PathEscape(b.Function) + "/invocations"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil || r.URL.Host == "" {
		return nil, fmt.Errorf("%q is no endpoint of Function Compute; give HAVIP_FC_ENDPOINT as https://host", b.Endpoint)
	}
	credentials, err := b.Credentials(ctx)
	if err != nil {
		return nil, fmt.Errorf("no credentials: %w", err)
	}
	r.Header.Set("Content-Type", "application/cloudevents+json")
	r.Header.Set("x-acs-action", "InvokeFunction")
	r.Header.Set("x-acs-version", version)
	r.Header.Set("x-fc-invocation-type", "Async")
	if s := wire.Seconds(after, maxDelay); s > 0 {
		r.Header.Set("x-fc-async-delay", strconv.Itoa(s))
	}
	alibaba.Sign(r, body, credentials)
	return r, nil
}

// refusal names FC's code and request id. Its message stays out: that of a
// refused signature repeats the signed headers, the STS token among them.
func refusal(answer *http.Response) error {
	var said struct{ Code, RequestID string }
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil || json.Unmarshal(body, &said) != nil {
		said.Code = "no code"
	}
	id := cmp.Or(answer.Header.Get("x-fc-request-id"), said.RequestID, "unknown")
	return fmt.Errorf("the API of Function Compute answered %d %.64q (request %.64q); allow fc:InvokeFunction on the function and check its name and HAVIP_FC_ENDPOINT",
		answer.StatusCode, said.Code, id)
}

package alibaba

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

// What PutEvents takes of an event.
const (
	ebMaxID   = 128
	ebMaxType = 64
	ebTimeout = 5 * time.Second
)

// EventBridge publishes events to a bus of Alibaba's EventBridge by PutEvents,
// https://www.alibabacloud.com/help/en/eventbridge/developer-reference/api-eventbridge-2020-04-01-putevents
type EventBridge struct {
	Endpoint    string // https://eventbridge.{region}.aliyuncs.com
	Bus         string
	Credentials func(context.Context) (havip.Credentials, error)
}

// ebEvent is an event in the words of PutEvents.
type ebEvent struct {
	ID          string `json:"Id"`
	Source      string
	SpecVersion string
	Type        string
	Subject     string `json:",omitempty"`
	Time        string `json:",omitempty"`
	ContentType string `json:"DataContentType"`
	Data        json.RawMessage
}

// Publish returns nil once the bus has taken the event. There is no later: the
// delay is not looked at.
func (b EventBridge) Publish(ctx context.Context, e event.Event, _ time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, ebTimeout)
	defer cancel()
	r, err := b.request(ctx, e)
	if err != nil {
		return err
	}
	answer, err := wire.WithoutRedirects(nil).Do(r)
	if err != nil {
		return fmt.Errorf("event %s was not sent to the bus %s: %w", e.ID(), b.Bus, wire.WithoutURL(err))
	}
	defer answer.Body.Close() //nolint:errcheck // it was read, or its error is told
	return b.verdict(e.ID(), answer)
}

func (b EventBridge) request(ctx context.Context, e event.Event) (*http.Request, error) {
	list, err := events.Encode([]ebEvent{{
		ID: ebID(e.ID()), Source: e.Source(), SpecVersion: "1.0", Type: ebType(e.Type()), Subject: e.Subject(),
		Time: e.Time().UTC().Format(time.RFC3339Nano), ContentType: "application/json", Data: e.Data(),
	}})
	if err != nil {
		return nil, fmt.Errorf("event %s can't be sent to the bus %s: %w", e.ID(), b.Bus, err)
	}
	body := url.Values{"EventBusName": {b.Bus}, "EventList": {string(list)}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(b.Endpoint, "/")+"/", strings.NewReader(body))
	if err != nil || r.URL.Host == "" {
		return nil, fmt.Errorf("%q is no endpoint of EventBridge; give HAVIP_EVENTBRIDGE_ENDPOINT as https://host", b.Endpoint)
	}
	credentials, err := b.Credentials(ctx)
	if err != nil {
		return nil, fmt.Errorf("no credentials: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("x-acs-action", "PutEvents")
	r.Header.Set("x-acs-version", "2020-04-01")
	Sign(r, []byte(body), credentials)
	return r, nil
}

// verdict reads the answer: PutEvents may take the call and refuse the event.
func (b EventBridge) verdict(id string, answer *http.Response) error {
	var said struct {
		Code, RequestID string
		Data            struct {
			FailedEntryCount int
			EntryList        []struct{ ErrorCode string }
		}
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil || json.Unmarshal(body, &said) != nil {
		said.Code = "no code"
	}
	for _, entry := range said.Data.EntryList {
		if entry.ErrorCode != "" {
			said.Code = entry.ErrorCode
		}
	}
	if answer.StatusCode == http.StatusOK && said.Data.FailedEntryCount == 0 && (said.Code == "200" || said.Code == "Success" || said.Code == "") {
		return nil
	}
	return fmt.Errorf("event %s: EventBridge answered %d %.64q (request %.64q); allow eventbridge:PutEvents on the bus %s and check HAVIP_OUTCOME_BUS",
		id, answer.StatusCode, said.Code, said.RequestID, b.Bus)
}

// ebID keeps what an id may hold there: letters, digits and hyphens.
func ebID(id string) string {
	id = strings.Map(func(c rune) rune {
		if c == '-' || c < unicode.MaxASCII && (unicode.IsLetter(c) || unicode.IsDigit(c)) {
			return c
		}
		return '-'
	}, id)
	return id[:min(len(id), ebMaxID)]
}

func ebType(t string) string { return t[:min(len(t), ebMaxType)] }

package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// EventTarget is where native events of state changes go.
type EventTarget struct {
	On    bool   `json:"on"`
	URL   string `json:"url"`
	Token string `json:"token"` // of the header x-eventbridge-signature-token
}

// SendEvents turns the native events on or off: EventBridge's, for each change
// of an Alibaba instance's state. Baidu has no such service. A delivery is tried
// three times.
func (s *Simulator) SendEvents(t EventTarget) error {
	if u, err := url.Parse(t.URL); t.On && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return errors.New("url is no address; give one like http://127.0.0.1:8080/events")
	}
	s.alarm.mu.Lock()
	defer s.alarm.mu.Unlock()
	s.alarm.target = t
	return nil
}

// notifier delivers events in the background.
type notifier struct {
	mu     sync.Mutex
	target EventTarget
	sent   int
	closed bool

	ctx     context.Context // it ends the deliveries, which outlive any call
	cancel  context.CancelFunc
	pending sync.WaitGroup
	client  http.Client
}

func (n *notifier) start() {
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.client.Timeout = 5 * time.Second
	n.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
}

func (n *notifier) stop() {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.cancel()
	n.pending.Wait()
}

// stateChange announces the state that an instance has now.
func (n *notifier) stateChange(i *instance) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.target.On || n.closed || i.realm.cloud != "alibaba" {
		return
	}
	n.sent++
	event, target := nativeEvent(i, n.sent), n.target
	n.pending.Go(func() { n.deliver(event, target) })
}

// eventAccount stands in where the world names no account.
const eventAccount = "123456789098"

// nativeEvent is EventBridge's, loose time included.
func nativeEvent(i *instance, number int) []byte {
	account := i.realm.spec.Account
	if account == "" {
		account = eventAccount
	}
	now := time.Now()
	event, _ := json.Marshal(map[string]any{ // strings only: it encodes
		"id": fmt.Sprintf("%08x-%04d", now.UnixNano()&0xffffffff, number), "source": "acs.ecs", "specversion": "1.0",
		"type":               "ecs:Instance:StateChange",
		"datacontenttype":    "application/json;charset=utf-8",
		"subject":            fmt.Sprintf("acs:ecs:%s:%s:instance/%s", i.realm.spec.Region, account, i.id),
		"time":               now.In(time.FixedZone("PRC", 8*60*60)).Format("2006-01-02T15:04:05.000") + "PRC",
		"aliyunaccountid":    account,
		"aliyunpublishtime":  now.UTC().Format("2006-01-02T15:04:05.000Z"),
		"aliyuneventbusname": "default", "aliyunregionid": i.realm.spec.Region,
		"data": map[string]string{"resourceId": i.id, "resourceType": "ALIYUN::ECS::Instance", "state": string(i.state)},
	})
	return event
}

func (n *notifier) deliver(event []byte, t EventTarget) {
	for try := range 3 {
		pause(n.ctx, time.Duration(try)*500*time.Millisecond)
		if n.ctx.Err() != nil || n.post(event, t) {
			return
		}
	}
}

// post tells whether there is nothing more to try.
func (n *notifier) post(event []byte, t EventTarget) bool {
	r, err := http.NewRequestWithContext(n.ctx, http.MethodPost, t.URL, bytes.NewReader(event))
	if err != nil {
		return true
	}
	r.Header.Set("Content-Type", "application/cloudevents+json;charset=utf-8")
	r.Header.Set("X-Eventbridge-Signature-Token", t.Token)
	answer, err := n.client.Do(r)
	if err != nil {
		return false
	}
	defer func() { _ = answer.Body.Close() }()
	return answer.StatusCode < 300
}

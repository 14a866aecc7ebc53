package main

import (
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/simulator"
)

// awsLambda plays Lambda's runtime API, and an SQS whose messages become calls.
type awsLambda struct {
	t       *testing.T
	next    chan []byte
	calls   counter
	done    chan struct{}
	delayed sync.WaitGroup
	log     *output

	mu       sync.Mutex
	answers  map[string]string // request id → response or error, with its body
	messages int
}

func openLambda(t *testing.T, name string, c clouds, env ...string) *awsLambda {
	t.Helper()
	l := &awsLambda{t: t, next: make(chan []byte), done: make(chan struct{}), answers: map[string]string{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", l.serveNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{verb}", l.serveAnswer)
	mux.HandleFunc("POST /", l.serveSQS)
	api := httptest.NewServer(mux)
	t.Cleanup(api.Close)
	k := keys(0) // Lambda has one set, in its environment
	l.log = start(t, append(append(env, c.env...), "AWS_LAMBDA_FUNCTION_NAME="+name,
		"AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"), "AWS_ENDPOINT_URL="+api.URL,
		"HAVIP_SQS_QUEUE_URL="+api.URL+"/123456789012/havip-follow-ups", "AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=testak", "AWS_SECRET_ACCESS_KEY=testsk", "ALIBABA_CLOUD_ACCESS_KEY_ID="+k.AccessKeyID,
		"ALIBABA_CLOUD_ACCESS_KEY_SECRET="+k.AccessKeySecret, "ALIBABA_CLOUD_SECURITY_TOKEN="+k.SecurityToken)).log
	t.Cleanup(func() { close(l.done); l.delayed.Wait() })
	return l
}

// call hands a payload over, when it is due.
func (l *awsLambda) call(payload []byte, after time.Duration) {
	l.delayed.Go(func() {
		select {
		case <-time.After(after):
		case <-l.done:
			return
		}
		select {
		case l.next <- payload:
		case <-l.done:
		}
	})
}

func (l *awsLambda) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case payload := <-l.next:
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", fmt.Sprintf("request-%d", l.calls.next()))
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:havip-status-check")
		_, _ = w.Write(payload)
	}
}

func (l *awsLambda) serveAnswer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers[r.PathValue("id")] = r.PathValue("verb") + " " + string(body)
	w.WriteHeader(http.StatusAccepted)
}

// serveSQS takes a message, and delivers it after its delay as SQS's event
// source does.
func (l *awsLambda) serveSQS(w http.ResponseWriter, r *http.Request) {
	var m struct {
		MessageBody  string
		DelaySeconds int
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || r.Header.Get("X-Amz-Target") != "AmazonSQS.SendMessage" {
		l.t.Errorf("not a SendMessage: %s %v", r.Header.Get("X-Amz-Target"), err)
	}
	l.mu.Lock()
	l.messages++
	id := fmt.Sprintf("message-%d", l.messages)
	l.mu.Unlock()
	batch, _ := json.Marshal(map[string]any{"Records": []map[string]string{
		{"messageId": id, "eventSource": "aws:sqs", "body": m.MessageBody},
	}})
	l.call(batch, time.Duration(m.DelaySeconds)*time.Second)
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	fmt.Fprintf(w, `{"MessageId":%q,"MD5OfMessageBody":"%x"}`, id, md5.Sum([]byte(m.MessageBody)))
}

// An event comes from AWS EventBridge; the follow-ups go by the queue.
func TestLambda(t *testing.T) {
	for _, a := range arrivals("unused") {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			c := openClouds(t, simulator.Options{AssociateTime: slow})
			l := openLambda(t, "havip-instance-started", c)
			where := "cn-hangzhou"
			if a.cloud == "baidu" {
				where = "bj"
			}
			l.call(fmt.Appendf(nil, `{"version":"0","id":"7bf73129-1428","detail-type":"havip.instance.started","source":"com.example.monitor",
				"account":"123456789012","time":%q,"region":"eu-west-1","resources":[],
				"detail":{"cloud":%q,"region":%q,"instance":%q}}`, time.Now().UTC().Format(time.RFC3339), a.cloud, where, a.instance), 0)
			c.attached(t, a, l.log)
			c.once(t, a.havip)
			l.succeeded()
		})
	}
}

// succeeded checks that no call failed and that follow-ups went by the queue.
func (l *awsLambda) succeeded() {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.messages == 0 {
		l.t.Error("no follow-up went by the queue")
	}
	for id, answer := range l.answers {
		if answer != "response " && answer != `response {"batchItemFailures":[]}` && answer != "response null" {
			l.t.Errorf("%s: %s", id, answer)
		}
	}
	if leaked := secretsIn(l.log.String()); len(leaked) > 0 {
		l.t.Errorf("the log holds %v", leaked)
	}
}

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/ledger/ledgertest"
	"havip-functions/shared/simulator"
)

// awsLambda plays Lambda: the runtime API, asynchronous calls, and the event source
// that empties a queue. The queue is of an SQS that we did not write.
type awsLambda struct {
	t     *testing.T
	next  chan invocation
	calls counter
	work  sync.WaitGroup
	ctx   context.Context
	queue queue
	log   *output

	mu      sync.Mutex
	waiting map[string]invocation // by request id
	answers []string              // response or error, with its body
	worked  time.Duration
}

type invocation struct {
	payload []byte
	began   time.Time
	answer  chan string
}

func openLambda(t *testing.T, name string, c clouds, w ways, env ...string) *awsLambda {
	t.Helper()
	l := &awsLambda{t: t, next: make(chan invocation), queue: openQueue(t, w), waiting: map[string]invocation{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", l.serveNext)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{verb}", l.serveAnswer)
	api := httptest.NewServer(mux)
	t.Cleanup(api.Close)
	k := keys(0) // Lambda has one set, in its environment
	l.log = start(t, append(append(env, c.env...), "AWS_LAMBDA_FUNCTION_NAME="+name,
		"AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"), "AWS_ENDPOINT_URL="+l.queue.server,
		"HAVIP_SQS_QUEUE_URL="+l.queue.url, "AWS_REGION=eu-west-1",
		"AWS_ACCESS_KEY_ID=testak", "AWS_SECRET_ACCESS_KEY=testsk", "ALIBABA_CLOUD_ACCESS_KEY_ID="+k.AccessKeyID,
		"ALIBABA_CLOUD_ACCESS_KEY_SECRET="+k.AccessKeySecret, "ALIBABA_CLOUD_SECURITY_TOKEN="+k.SecurityToken)).log
	var stop context.CancelFunc
	l.ctx, stop = context.WithCancel(context.WithoutCancel(t.Context()))
	t.Cleanup(func() { stop(); l.work.Wait() })
	return l
}

// call makes one invocation and returns its answer, or nothing where the test is over.
func (l *awsLambda) call(payload []byte) string {
	i := invocation{payload: payload, answer: make(chan string, 1)}
	select {
	case l.next <- i:
	case <-l.ctx.Done():
		return ""
	}
	select {
	case answer := <-i.answer:
		return answer
	case <-l.ctx.Done():
		return ""
	}
}

// async makes an asynchronous call, which Lambda tries three times.
func (l *awsLambda) async(payload []byte) {
	l.work.Go(func() {
		for range 3 {
			if strings.HasPrefix(l.call(payload), "response") {
				return
			}
		}
	})
}

func (l *awsLambda) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case i := <-l.next:
		id := fmt.Sprintf("request-%d", l.calls.next())
		i.began = time.Now()
		l.mu.Lock()
		l.waiting[id] = i
		l.mu.Unlock()
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", id)
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
		w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:havip-status-check")
		_, _ = w.Write(i.payload)
	}
}

func (l *awsLambda) serveAnswer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	answer := r.PathValue("verb") + " " + string(body)
	l.mu.Lock()
	defer l.mu.Unlock()
	i := l.waiting[r.PathValue("id")]
	l.answers, l.worked = append(l.answers, answer), l.worked+time.Since(i.began)
	i.answer <- answer
	w.WriteHeader(http.StatusAccepted)
}

// billed is how long the calls took together.
func (l *awsLambda) billed() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.worked
}

// envelope is an event as AWS EventBridge delivers it: Alibaba's own, or the data of
// one of ours.
func envelope(a arrival) []byte {
	kind, detail := "ecs:Instance:StateChange", a.payload
	if a.cloud == "baidu" {
		kind, detail = "havip.instance.started", fmt.Sprintf(`{"cloud":"baidu","region":"bj","instance":%q}`, a.instance)
	}
	return fmt.Appendf(nil, `{"version":"0","id":"7bf73129-1428","detail-type":%q,"source":"com.example.monitor",
		"account":"123456789012","time":%q,"region":"eu-west-1","resources":[],"detail":%s}`,
		kind, time.Now().UTC().Format(time.RFC3339), detail)
}

// An event of each cloud comes from AWS EventBridge; the follow-ups go by the queue,
// whatever it does.
func TestLambda(t *testing.T) {
	for name, w := range map[string]ways{
		"as documented":  {batch: 1, visibility: time.Minute},
		"is late":        {batch: 1, visibility: time.Minute, late: 2 * time.Second},
		"delivers twice": {batch: 10, visibility: 2 * time.Second, twice: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := openClouds(t, simulator.Options{AssociateTime: slow})
			l := openLambda(t, "havip-instance-started", c, w, "HAVIP_LEDGER="+ledgertest.TableAt(ledgertest.DynamoDB(t).Host))
			for _, a := range arrivals("lambda-1") {
				l.async(envelope(a))
			}
			l.poll()
			for _, a := range arrivals("") {
				c.attached(t, a, l.log)
			}
			l.idle()
			for _, a := range arrivals("") {
				c.once(t, a.havip)
				if told := ended(a, l.log); len(told) != 1 {
					t.Errorf("%s: the outcomes are %v, want one", a.havip, told)
				}
			}
			many, came := l.queue.seen.messages()
			t.Logf("%d calls; %d follow-ups went by the queue, and came %d times", l.calls.n, many, came)
			if many < 2 || w.twice && came < 2*many {
				t.Error("want one of each story at least, and each twice where it is delivered so")
			}
			l.succeeded(0)
		})
	}
}

// Of ten messages in a call one can't be read, and no ledger keeps it: it alone is
// told to have failed, comes again, and ends among the dead letters.
func TestLambdaBatch(t *testing.T) {
	t.Parallel()
	w, roster, all := many(8)
	all = append(all, arrivals("batch-1")[1])
	c := openClouds(t, simulator.Options{World: w, AssociateTime: -1})
	c.env[0] = "HAVIP_ROSTER=" + roster + "\n  - {name: cache, cloud: baidu, region: bj, id: havip-w2d4, members: [i-syG2]}"
	l := openLambda(t, "havip-status-check", c, ways{batch: 10, visibility: 5 * time.Second})
	var poison string
	for n, a := range all {
		if n == 4 {
			poison = l.queue.send("not JSON")
		}
		l.queue.send(a.payload)
	}
	l.poll()
	for _, a := range all {
		c.attached(t, a, l.log)
		c.once(t, a.havip)
	}
	var dead []string
	eventually(t, "the poison is given up", func() bool { dead = append(dead, l.queue.dead()...); return len(dead) > 0 })
	l.idle()
	if dead = append(dead, l.queue.dead()...); !slices.Equal(dead, []string{"not JSON"}) {
		t.Errorf("the dead letters are %q", dead)
	}
	l.mu.Lock()
	first := l.answers[0]
	l.mu.Unlock()
	if want := fmt.Sprintf(`response {"batchItemFailures":[{"itemIdentifier":%q}]}`, poison); first != want {
		t.Errorf("the first call said %s, want %s", first, want)
	}
	l.succeeded(2)
}

// succeeded checks that no call failed, and that so many told of a message that did.
func (l *awsLambda) succeeded(parts int) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, answer := range l.answers {
		switch {
		case strings.HasPrefix(answer, `response {"batchItemFailures":[{`):
			parts--
		case answer != "response " && answer != `response {"batchItemFailures":[]}` && answer != "response null":
			l.t.Errorf("a call said %s", answer)
		}
	}
	if parts != 0 {
		l.t.Errorf("%d calls less told of a message that failed than should", parts)
	}
	if leaked := secretsIn(l.log.String()); len(leaked) > 0 {
		l.t.Errorf("the log holds %v", leaked)
	}
}

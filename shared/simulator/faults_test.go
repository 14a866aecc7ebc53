package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/simulator"
	"havip-functions/shared/simulator/worldfile"
)

func (c *client) fault(s *simulator.Simulator, text string) {
	c.t.Helper()
	var f simulator.Fault
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		c.t.Fatal(err)
	}
	if err := s.AddFault(f); err != nil {
		c.t.Fatal(err)
	}
}

func last(t *testing.T, s *simulator.Simulator) simulator.Call {
	t.Helper()
	calls := s.Calls(simulator.CallFilter{})
	if len(calls) == 0 {
		t.Fatal("no call was written down")
	}
	return calls[len(calls)-1]
}

func TestFaultsOfTheAnswer(t *testing.T) {
	for _, tc := range []struct {
		fault       string
		status      int
		code        string
		effect      bool
		body        string
		baiduStatus int
		baiduCode   string
	}{
		{`{"error":{"status":418,"code":"Teapot","message":"short and stout"}}`, 418, "Teapot", false, "short and stout", 418, "Teapot"},
		{`{"error":{"code":"InternalError"}}`, 500, "InternalError", false, "unknown error", 500, "InternalError"},
		{`{"redirect":true}`, 307, "", false, "", 307, ""},
		{`{"html":true}`, 502, "", false, "<html>", 502, ""},
		{`{"numericCode":true}`, 500, "123123", false, `"Code":123`, 500, "123123"},
		{`{"slowBody":"1ms"}`, 200, "", true, "RequestId", 200, ""},
	} {
		t.Run(tc.fault, func(t *testing.T) {
			s, c := start(t, simulator.Options{})
			c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			c.fault(s, tc.fault)
			r := c.change("AssociateHaVip", "i-db1")
			if r.Status != tc.status || strings.ReplaceAll(r.Code, "<nil>", "") != tc.code || !strings.Contains(r.Raw, tc.body) || last(t, s).Effect != tc.effect {
				t.Errorf("Alibaba: %d %s, effect %v: %s", r.Status, r.Code, last(t, s).Effect, r.Raw)
			}
			r = c.attach("attach", "i-syG1")
			if r.Status != tc.baiduStatus || r.Code != tc.baiduCode || last(t, s).Effect != tc.effect {
				t.Errorf("Baidu: %d %s, effect %v: %s", r.Status, r.Code, last(t, s).Effect, r.Raw)
			}
		})
	}
}

func TestLostReplyAndCut(t *testing.T) {
	s, c := start(t, simulator.Options{})
	socket := httptest.NewServer(s.Alibaba())
	defer socket.Close()
	for _, over := range []string{"http://alibaba.sim", socket.URL} {
		c.alibaba = over
		if over == socket.URL {
			c.http.Transport = http.DefaultTransport
		}
		s.Reset()
		c.fault(s, `{"operation":"AssociateHaVip","cut":true,"times":1}`)
		if r := c.change("AssociateHaVip", "i-db1"); r.err == nil {
			t.Errorf("%s: a cut call was answered: %s", over, r.Raw)
		}
		if call := last(t, s); call.Effect || !call.ReplyLost || call.Status != 0 {
			t.Errorf("%s: the cut call is %+v", over, call)
		}
		c.fault(s, `{"operation":"AssociateHaVip","loseReply":true,"times":1}`)
		if r := c.change("AssociateHaVip", "i-db1"); r.err == nil {
			t.Errorf("%s: a lost reply came: %s", over, r.Raw)
		}
		if call := last(t, s); !call.Effect || !call.ReplyLost || call.Status != 200 {
			t.Errorf("%s: the call whose reply was lost is %+v", over, call)
		}
		expect(t, c.look(), "InUse [i-db1] i-db1")
	}
}

func TestThrottle(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		c.fault(s, `{"throttlePerSecond":2}`)
		for range 2 {
			c.rpc("DescribeHaVips").want(t, 200, "")
		}
		c.rpc("DescribeHaVips").want(t, 400, "Throttling.User")
		c.rpc("DescribeInstances").want(t, 200, "") // each operation counts on its own
		for _, status := range []int{200, 200, 429} {
			if r := c.rest("GET", "/v1/havip", ""); r.Status != status || status == 429 && r.Code != "RequestLimitExceeded" {
				t.Errorf("Baidu's answer is %d %s, want %d", r.Status, r.Code, status)
			}
		}
		elapse(time.Second)
		c.rpc("DescribeHaVips").want(t, 200, "")
	})
}

func TestThrottleIsAnAccountsOwn(t *testing.T) {
	w, err := worldfile.Parse([]byte(`
alibaba:
  - {region: cn-hangzhou, account: "1", accessKeys: {testak: testsk, secondak: secondsk}}
  - {region: cn-hangzhou, account: "2", accessKeys: {otherak: othersk}}
`))
	if err != nil {
		t.Fatal(err)
	}
	s, c := start(t, simulator.Options{World: w})
	c.fault(s, `{"throttlePerSecond":1}`)
	for _, tc := range []struct {
		key, secret string
		status      int
		code        string
	}{
		{"testak", "testsk", 200, ""},
		{"secondak", "secondsk", 400, "Throttling.User"}, // the same account
		{"otherak", "othersk", 200, ""},
	} {
		c.key, c.secret = tc.key, tc.secret
		c.rpc("DescribeHaVips").want(t, tc.status, tc.code)
	}
}

func TestStuckUntilCleared(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		c.fault(s, `{"cloud":"alibaba","stuck":true}`)
		c.change("AssociateHaVip", "i-db1").want(t, 200, "")
		elapse(time.Hour)
		expect(t, c.look(), "Associating [] ")
		s.ClearFaults()
		expect(t, c.look(), "InUse [i-db1] i-db1")
	})
}

func TestDelayOutlivesItsClient(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		c.fault(s, `{"operation":"AssociateHaVip","delay":"3s"}`)
		begun := time.Now()
		c.change("AssociateHaVip", "i-db1").want(t, 200, "")
		if took := time.Since(begun); took != 3*time.Second || last(t, s).MS != 3000 {
			t.Errorf("the call took %v and was written down with %d ms", took, last(t, s).MS)
		}
		elapse(2 * time.Second)
		c.http.Timeout = time.Second
		begun = time.Now()
		if r := c.change("AssociateHaVip", "i-db2"); r.err == nil || time.Since(begun) != time.Second {
			t.Errorf("the client waited %v: %v", time.Since(begun), r.err)
		}
		synctest.Wait()
		if call := last(t, s); !call.Effect || !call.ReplyLost {
			t.Errorf("the call of a client that hung up is %+v", call)
		}
	})
}

func TestSlowBody(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		c.fault(s, `{"slowBody":"3s"}`)
		c.http.Timeout = time.Second
		if r := c.rpc("DescribeHaVips"); r.Status != 200 || r.err == nil {
			t.Errorf("the head is %d, the body's error %v", r.Status, r.err)
		}
		c.http.Timeout = 0
		begun := time.Now()
		if c.rpc("DescribeHaVips").want(t, 200, ""); time.Since(begun) != 3*time.Second {
			t.Errorf("the body took %v", time.Since(begun))
		}
	})
	s, c := start(t, simulator.Options{})
	socket := httptest.NewServer(s.Alibaba())
	defer socket.Close()
	c.fault(s, `{"slowBody":"20ms"}`)
	c.alibaba, c.http.Transport = socket.URL, http.DefaultTransport
	begun := time.Now()
	if c.rpc("DescribeHaVips").want(t, 200, ""); time.Since(begun) < 20*time.Millisecond {
		t.Errorf("over a socket the body took %v", time.Since(begun))
	}
}

func TestFaultsArePickedAndDrawn(t *testing.T) {
	draw := func(seed int64) (refused string) {
		s, c := start(t, simulator.Options{Seed: seed, Faults: []simulator.Fault{
			{Operation: "DescribeHaVips", Probability: 0.5, Error: &simulator.FaultError{Code: "SystemBusy"}},
		}})
		for range 40 {
			refused += string("-x"[min(len(c.rpc("DescribeHaVips").Code), 1)])
		}
		c.rpc("DescribeInstances").want(t, 200, "")
		c.rest("GET", "/v1/havip", "").want(t, 200, "")
		s.ClearFaults()
		c.rpc("DescribeHaVips").want(t, 200, "")
		return refused
	}
	one, again, other := draw(1), draw(1), draw(2)
	if n := strings.Count(one, "x"); one != again || one == other || n < 10 || n > 30 {
		t.Errorf("the draws are\n%s\n%s\n%s", one, again, other)
	}
}

func TestParseFaults(t *testing.T) {
	got, err := simulator.ParseFaults("throttle=50, loseReply=0.1,delay=200ms,AssociateHaVip:cut=0.5,baidu:stuck,error=SystemBusy,slowBody=1s")
	want := []simulator.Fault{
		{ThrottlePerSecond: 50}, {LoseReply: true, Probability: 0.1}, {Delay: 200 * time.Millisecond},
		{Operation: "AssociateHaVip", Cut: true, Probability: 0.5}, {Cloud: "baidu", Stuck: true},
		{Error: &simulator.FaultError{Code: "SystemBusy"}}, {SlowBody: time.Second},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("faults are %+v, %v", got, err)
	}
	if none, err := simulator.ParseFaults(""); err != nil || len(none) != 0 {
		t.Errorf("nothing gives %v, %v", none, err)
	}
	for _, bad := range []string{"throttle", "throttle=0", "throttle=-1", "cut=2", "cut=0", "cut=much", "delay=5", "explode=1", "error="} {
		if f, err := simulator.ParseFaults(bad); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s gives %+v, %v", bad, f, err)
		}
	}
}

func TestFaultsAreChecked(t *testing.T) {
	s, _ := start(t, simulator.Options{})
	for _, bad := range []simulator.Fault{
		{}, {Cloud: "azure", Cut: true}, {Times: -1, Cut: true}, {Probability: 1.5, Cut: true},
		{Error: &simulator.FaultError{Status: 400}}, {Error: &simulator.FaultError{Code: "x", Status: 200}},
	} {
		if s.AddFault(bad) == nil {
			t.Errorf("%+v was taken", bad)
		}
		if _, err := simulator.New(simulator.Options{Faults: []simulator.Fault{bad}}); err == nil {
			t.Errorf("New took %+v", bad)
		}
	}
}

func TestFaultReadsAndWrites(t *testing.T) {
	text := `{"delay":"200ms","slowBody":"2s","cloud":"baidu","operation":"AttachHaVip","times":3,"loseReply":true}`
	var f simulator.Fault
	if err := json.Unmarshal([]byte(text), &f); err != nil || f.Delay != 200*time.Millisecond || f.Times != 3 {
		t.Fatalf("fault is %+v, %v", f, err)
	}
	if back, err := json.Marshal(f); err != nil || string(back) != text {
		t.Errorf("it writes %s, %v", back, err)
	}
	for _, bad := range []string{`{"delay":"soon"}`, `{"delay":5}`, `{"colour":"red"}`} {
		if json.Unmarshal([]byte(bad), &f) == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

func TestTransportEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T, s *simulator.Simulator, c *client) {
		c.fault(s, `{"cut":true,"times":1}`)
		if r := c.rpc("DescribeHaVips"); !errors.Is(r.err, io.ErrUnexpectedEOF) {
			t.Errorf("a cut connection is %v", r.err)
		}
		c.fault(s, `{"delay":"2s"}`)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 2 { // ended on the way, and before
			r := c.signBCE(c.request("GET", c.baidu+"/v1/havip", ""), time.Now()).WithContext(ctx)
			if _, err := s.Transport().RoundTrip(r); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the error is %v", err)
			}
		}
		if n := len(s.Calls(simulator.CallFilter{Operation: "ListHaVips"})); n != 1 {
			t.Errorf("%d calls arrived, want 1", n)
		}
	})
}

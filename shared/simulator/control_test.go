package simulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/simulator"
	"havip-functions/shared/simulator/worldfile"
)

// control asks the control address.
func control(t *testing.T, s *simulator.Simulator, method, path, body string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.Control().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

func TestControl(t *testing.T) {
	for _, tc := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "/world", "", 200, `"havips":[{"id":"havip-bp1orders","vswitch":"vsw-a","ip":"10.0.0.100","limit":2,"holders":[],"status":"Available","master":""}]`},
		{"PUT", "/clouds/alibaba/instances/i-db1", `{"state":"Stopped"}`, 200, ""},
		{"PUT", "/clouds/baidu/instances/i-syG1", `{"state":"Pending"}`, 200, ""},
		{"PUT", "/clouds/alibaba/instances/i-none", `{"state":"Stopped"}`, 404, "alibaba has no instance"},
		{"PUT", "/clouds/azure/instances/i-db1", `{"state":"Stopped"}`, 404, "azure has no instance"},
		{"PUT", "/clouds/alibaba/instances/i-db1", `{"state":"Dancing"}`, 400, "Pending, Starting, Running, Stopping, Stopped, Deleted"},
		{"PUT", "/clouds/alibaba/instances/i-db1", `{"colour":"red"}`, 400, "colour"},
		{"PUT", "/clouds/alibaba/instances/i-db1", `{`, 400, "JSON"},
		{"PUT", "/clouds/alibaba/instances/i-db1", `{"state":"Stopped"} {}`, 400, "one value"},
		{"PUT", "/clouds/alibaba/havips/havip-bp1orders", `{"status":"Associating"}`, 200, ""},
		{"PUT", "/clouds/baidu/havips/havip-w2d4", `{"master":""}`, 200, ""},
		{"PUT", "/clouds/alibaba/havips/havip-bp1orders", `{"status":"Dancing"}`, 400, "Creating, Pending, Available, Associating, InUse, Unassociating, Deleting"},
		{"PUT", "/clouds/alibaba/havips/havip-bp1orders", `{"master":"i-none"}`, 400, "does not run"},
		{"PUT", "/clouds/alibaba/havips/havip-bp1orders", `{"master":"i-web1"}`, 200, ""},
		{"PUT", "/clouds/alibaba/havips/havip-bp1orders", `{"removed":true,"unheard":true}`, 200, ""},
		{"PUT", "/clouds/alibaba/havips/none", `{"status":"InUse"}`, 404, "has no HAVIP"},
		{"POST", "/faults", `{"operation":"AssociateHaVip","delay":"2s","times":1}`, 200, ""},
		{"POST", "/faults", `{"operation":"AssociateHaVip"}`, 400, "does nothing"},
		{"DELETE", "/faults", "", 200, ""},
		{"POST", "/faults", `{"cloud":"azure","cut":true}`, 400, "alibaba, baidu"},
		{"POST", "/faults", `{"delay":"soon"}`, 400, "200ms or 2s"},
		{"POST", "/faults", `{"cut":true,"probability":2}`, 400, "between 0 and 1"},
		{"POST", "/faults", `{"error":{"code":"x","status":200}}`, 400, "400 to 599"},
		{"POST", "/faults", `{"cut":true,"times":-1}`, 400, "negative"},
		{"POST", "/faults", "", 400, "JSON"},
		{"POST", "/faults", strings.Repeat(" ", 1<<20+1), 400, "too large"},
		{"PUT", "/clouds/alibaba/instances/i-db1", `{"state":""}`, 400, "not one of"},
		{"GET", "/faults", "", 404, "there is no GET /faults"},
		{"POST", "/events", `{"on":true,"url":"http://127.0.0.1:8080/events","token":"t"}`, 200, ""},
		{"POST", "/events", `{"on":true,"url":"nowhere"}`, 400, "url is no address"},
		{"POST", "/reset", "", 200, ""},
		{"GET", "/calls", "", 200, `{"calls":[],"dropped":0,"total":0}`},
		{"GET", "/toaster", "", 404, "there is no GET /toaster"},
	} {
		s, _ := start(t, simulator.Options{})
		status, body := control(t, s, tc.method, tc.path, tc.body)
		if status != tc.status || !strings.Contains(body, tc.want) {
			t.Errorf("%s %s %s: %d %s, want %d with %s", tc.method, tc.path, tc.body, status, body, tc.status, tc.want)
		}
		if problem := (struct{ Status int }{}); status >= 400 && (json.Unmarshal([]byte(body), &problem) != nil || problem.Status != status) {
			t.Errorf("%s %s: no problem in JSON: %s", tc.method, tc.path, body)
		}
	}
}

func TestCallsAreWrittenDown(t *testing.T) {
	s, c := start(t, simulator.Options{AssociateTime: time.Hour})
	c.change("AssociateHaVip", "i-db1", "ClientToken", "tok", "AccessKeySecret", "oops").want(t, 200, "")
	c.change("AssociateHaVip", "i-db2").want(t, 400, "IncorrectHaVipStatus")
	c.attach("attach&clientToken=tok2", "i-syG1", "i-syG2").want(t, 200, "")
	c.rpc("DescribeHaVips").want(t, 200, "")
	c.key = "nobody"
	c.rest("GET", "/v1/havip", "").want(t, 403, "InvalidAccessKeyId")

	_, body := control(t, s, "GET", "/calls", "")
	var got struct {
		Total, Dropped int
		Calls          []map[string]any
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || got.Total != 5 || got.Dropped != 0 || len(got.Calls) != 5 {
		t.Fatalf("calls are %s, %v", body, err)
	}
	for _, secret := range []string{"testsk", "oops", `"Signature"`, `"AccessKeySecret"`} {
		if strings.Contains(body, secret) {
			t.Errorf("the calls show %s", secret)
		}
	}
	for i, want := range []string{
		`1 alibaba cn-hangzhou AssociateHaVip havip-bp1orders ["i-db1"] testak V1 tok 200  true false`,
		`2 alibaba cn-hangzhou AssociateHaVip havip-bp1orders ["i-db2"] testak V1  400 IncorrectHaVipStatus false true`,
		`3 baidu bj AttachHaVip havip-w2d4 ["i-syG1","i-syG2"] testak BCE tok2 200  true false`,
		`4 alibaba cn-hangzhou DescribeHaVips  [] testak V1  200  false false`,
		`5 baidu  ListHaVips  [] nobody BCE  403 InvalidAccessKeyId false false`,
	} {
		var fields []string
		for _, k := range []string{"n", "cloud", "region", "operation", "havip", "instances", "accessKeyId", "signature", "clientToken", "status", "code", "effect", "moving"} {
			v, _ := json.Marshal(got.Calls[i][k])
			fields = append(fields, strings.Trim(string(v), `"`))
		}
		if line := strings.Join(fields, " "); line != want {
			t.Errorf("call is\n%s, want\n%s", line, want)
		}
		for _, k := range []string{"time", "params", "requestId", "replay", "replyLost", "ms"} {
			if got.Calls[i][k] == nil {
				t.Errorf("call %d has no %s", i+1, k)
			}
		}
	}
	if p := got.Calls[2]["params"].(map[string]any); p["instanceIds"] != "i-syG1,i-syG2" || p["attach"] != "" {
		t.Errorf("Baidu's parameters are %v", p)
	}

	for query, n := range map[string]int{"?operation=AssociateHaVip": 2, "?havip=havip-w2d4": 1, "?operation=AssociateHaVip&havip=havip-w2d4": 0} {
		_, body := control(t, s, "GET", "/calls"+query, "")
		if err := json.Unmarshal([]byte(body), &got); err != nil || got.Total != n || len(got.Calls) != n {
			t.Errorf("%s: %s, want %d", query, body, n)
		}
	}
}

func TestResetPutsAllBack(t *testing.T) {
	s, c := start(t, simulator.Options{Faults: []simulator.Fault{{Operation: "ListHaVips", Error: &simulator.FaultError{Code: "InternalError"}}}})
	before := asJSON(t, s.World())
	c.change("AssociateHaVip", "i-db1").want(t, 200, "")
	c.attach("attach", "i-syG1").want(t, 200, "")
	if err := s.SetInstance("alibaba", "i-db2", havip.Stopped); err != nil {
		t.Fatal(err)
	}
	c.fault(s, `{"cut":true}`)
	s.Reset()
	if after := asJSON(t, s.World()); after != before || len(s.Calls(simulator.CallFilter{})) != 0 {
		t.Errorf("the world became %s", after)
	}
	c.rpc("DescribeHaVips").want(t, 200, "")
	c.rest("GET", "/v1/havip", "").want(t, 500, "InternalError")
}

func TestStateChangesAreAnnounced(t *testing.T) {
	type delivery struct {
		token string
		event map[string]any
	}
	got := make(chan delivery, 10)
	refusals := 2
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e map[string]any
		data, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(data, &e)
		if refusals--; refusals >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		got <- delivery{r.Header.Get("x-eventbridge-signature-token"), e}
	}))
	defer target.Close()
	s, _ := start(t, simulator.Options{})
	set := func(cloud, id string, state havip.InstanceState) {
		t.Helper()
		if err := s.SetInstance(cloud, id, state); err != nil {
			t.Fatal(err)
		}
	}
	set("alibaba", "i-db2", havip.Stopped) // before anybody listens
	if status, body := control(t, s, "POST", "/events", `{"on":true,"url":"`+target.URL+`","token":"tok"}`); status != 200 {
		t.Fatal(body)
	}
	set("baidu", "i-syG1", havip.Stopped)  // no such service there
	set("alibaba", "i-db2", havip.Stopped) // no change
	set("alibaba", "i-db1", havip.Stopped)
	d := <-got
	data, _ := d.event["data"].(map[string]any)
	if id, _ := d.event["id"].(string); !strings.HasSuffix(id, "-0001") {
		t.Errorf("an event came before: %s", id)
	}
	if d.token != "tok" || d.event["source"] != "acs.ecs" || d.event["type"] != "ecs:Instance:StateChange" || d.event["specversion"] != "1.0" ||
		d.event["aliyunregionid"] != "cn-hangzhou" || data["resourceId"] != "i-db1" || data["state"] != "Stopped" || !strings.HasSuffix(d.event["time"].(string), "PRC") {
		t.Errorf("the event is %v", d)
	}
	if status, body := control(t, s, "POST", "/events", `{"on":false}`); status != 200 {
		t.Fatal(body)
	}
	set("alibaba", "i-db1", havip.Running)
	s.Close()
	if len(got) != 0 {
		t.Errorf("one event too many: %v", <-got)
	}
}

// Whoever reads /calls finds lists and objects, never null.
func TestCallsHoldNoNull(t *testing.T) {
	s, c := start(t, simulator.Options{})
	for _, cloud := range []string{"alibaba", "baidu"} {
		d := s.Direct(cloud, map[string]string{"alibaba": "cn-hangzhou", "baidu": "bj"}[cloud], directKeys)
		_, _ = d.Get(t.Context(), "havip-none")
		_, _ = d.List(t.Context())
		_, _ = d.States(t.Context(), []string{"i-db1"})
	}
	c.send(c.request("POST", c.alibaba+"/", "")).want(t, 400, "MissingAction")
	c.send(c.request("PUT", c.baidu+"/", "")).want(t, 404, "InvalidURI")
	if status, body := control(t, s, "GET", "/calls", ""); status != 200 || strings.Contains(body, "null") || strings.Count(body, `"n":`) != 8 {
		t.Errorf("the calls are %s", body)
	}
}

func TestWorldAnswersAWorldFile(t *testing.T) {
	s, c := start(t, simulator.Options{})
	c.rpc("AssociateHaVip", "HaVipId", "havip-bp1orders", "InstanceId", "i-db2").want(t, 200, "")
	text, err := json.Marshal(s.World())
	if err != nil {
		t.Fatal(err)
	}
	w, err := worldfile.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := start(t, simulator.Options{World: w})
	if h, _ := again.HAVIP("alibaba", "havip-bp1orders"); h.Status != "InUse" || h.Master != "i-db2" {
		t.Errorf("the HAVIP became %+v", h)
	}
	if a, b := again.World(), s.World(); !reflect.DeepEqual(asJSON(t, a), asJSON(t, b)) {
		t.Errorf("the world became %+v", a)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

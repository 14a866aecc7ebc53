package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/simulator"
)

// The web door takes in what comes with the token, and nothing else: no forged
// /invoke, no stranger. The work is done by a function behind it.
func TestIngress(t *testing.T) {
	c := openClouds(t, simulator.Options{AssociateTime: slow})
	f := openFC(t, c, habits{}, openCustom)
	door := openCustom(t, append(c.env, "HAVIP_FUNCTION=ingress", "HAVIP_INGRESS_TOKEN="+ingressToken, "HAVIP_FC_ENDPOINT="+f.endpoint.URL)).(custom)
	a := arrivals("door-1")[0]
	for _, tt := range []struct {
		name, request, kind, token, body string
		status                           int
	}{
		{"a forged invoke", "POST /invoke", "application/json", ingressToken, a.payload, 404},
		{"another's path", "POST /events/" + ingressToken + "/x", "application/json", "", a.payload, 404},
		{"no token", "POST /events", "application/json", "", a.payload, 401},
		{"a wrong token", "POST /events/" + ingressToken + "x", "application/json", "", a.payload, 401},
		{"a wrong method", "GET /events", "application/json", ingressToken, "", 405},
		{"no event", "POST /events", "application/json", ingressToken, "{}", 400},
		{"an event", "POST /events", "application/cloudevents+json", ingressToken, strings.Replace(a.payload, "Running", "Pending", 1), 202},
		{"an alarm", "POST /events/" + ingressToken, "application/x-www-form-urlencoded", "",
			"alertState=ALERT&alertName=db&metricName=cpu&ruleId=r1&regionId=cn-hangzhou&dimensions=%7BuserId%3D12%2C+instanceId%3Di-db1%7D", 200},
	} {
		began := time.Now()
		if got := knock(t, door.url, tt.request, tt.body, http.Header{"Content-Type": {tt.kind}, "Authorization": {"Bearer " + tt.token}}); got != tt.status {
			t.Errorf("%s: status %d, want %d", tt.name, got, tt.status)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: answered after %s", tt.name, took)
		}
	}
	c.attached(t, a, f.instance.logs()...)
	if leaked := secretsIn(door.log.String()); len(leaked) > 0 {
		t.Errorf("the log holds %v", leaked)
	}
	c.once(t, a.havip) // no stranger's event had an effect
}

// knock makes a call of the web, with the credentials that FC adds to it.
func knock(t *testing.T, base, request, body string, header http.Header) int {
	t.Helper()
	method, path, _ := strings.Cut(request, " ")
	r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	k := keys(1)
	r.Header = header
	for name, value := range map[string]string{
		"x-fc-request-id": "web-1", "x-fc-region": region, "x-fc-account-id": account, "x-fc-function-timeout": "60",
		"x-fc-access-key-id": k.AccessKeyID, "x-fc-access-key-secret": k.AccessKeySecret, "x-fc-security-token": k.SecurityToken,
	} {
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.Header.Get("x-fc-status") != "200" {
		t.Errorf("%s: x-fc-status %q, %v", request, answer.Header.Get("x-fc-status"), err)
	}
	return answer.StatusCode
}

// A function URL of Lambda opens the same door.
func TestIngressOnLambda(t *testing.T) {
	c := openClouds(t, simulator.Options{})
	l := openLambda(t, "havip-ingress", c, ways{}, "HAVIP_INGRESS_TOKEN="+ingressToken)
	for _, tt := range []struct{ path, want string }{
		{"/events/wrong", `"statusCode":401`},
		{"/invoke", `"statusCode":404`},
		{"/events/" + ingressToken, `"statusCode":202`},
	} {
		got := l.call(fmt.Appendf(nil, `{"version":"2.0","rawPath":%q,"rawQueryString":"","headers":{"content-type":"application/json"},
			"requestContext":{"domainName":"x.lambda-url.eu-west-1.on.aws","http":{"method":"POST","path":%q,"sourceIp":"192.0.2.1"}},
			"body":%q,"isBase64Encoded":false}`, tt.path, tt.path, arrivals("url-1")[0].payload))
		if !strings.HasPrefix(got, "response ") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %s", tt.path, got, tt.want)
		}
	}
	if holds := l.queue.holds(); holds != "1" {
		t.Errorf("the queue holds %s follow-ups, want one", holds)
	}
}

// What can't work does not start, and says in one line what to do.
func TestRefusesToStart(t *testing.T) {
	roster := "HAVIP_ROSTER=havips: [{name: a, cloud: baidu, region: bj, id: havip-1, members: [i-1]}]\n"
	for name, tt := range map[string]struct {
		env  []string
		want string
	}{
		"no host":         {nil, "havip serve"},
		"no roster":       {[]string{"FC_SERVER_PORT=0"}, "HAVIP_ROSTER is not set"},
		"a bad roster":    {[]string{"FC_SERVER_PORT=0", "HAVIP_ROSTER=havips: []\n"}, "name at least one HAVIP"},
		"no object":       {[]string{"FC_SERVER_PORT=0", "HAVIP_ROSTER=oss://bucket"}, "oss://bucket/key"},
		"a wrong name":    {[]string{"FC_SERVER_PORT=0", roster, "HAVIP_FUNCTION=sweeper"}, "instance-started"},
		"an open door":    {[]string{"FC_SERVER_PORT=0", roster, "FC_FUNCTION_NAME=havip-ingress"}, "HAVIP_INGRESS_TOKEN"},
		"a short token":   {[]string{"FC_SERVER_PORT=0", roster, "HAVIP_FUNCTION=ingress", "HAVIP_INGRESS_TOKEN=short"}, "16 characters"},
		"a wrong ledger":  {[]string{"FC_SERVER_PORT=0", roster, "HAVIP_LEDGER=http://u:testsk@h"}, "redis://"},
		"no Redis":        {[]string{"FC_SERVER_PORT=0", roster, "HAVIP_LEDGER=redis://:testsk@127.0.0.1:1"}, "does not answer"},
		"no queue":        {[]string{"AWS_LAMBDA_RUNTIME_API=127.0.0.1:1", roster}, "HAVIP_SQS_QUEUE_URL"},
		"a door for go1":  {[]string{"FC_RUNTIME_API=127.0.0.1:1", roster, "HAVIP_FUNCTION=ingress"}, "HTTP trigger"},
		"a port of words": {[]string{"FC_SERVER_PORT=http", roster}, "is no port"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(tt.env, started+"=1")
			said, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(said), tt.want) || len(secretsIn(string(said))) > 0 {
				t.Errorf("it said %s (%v), want %s", said, err, tt.want)
			}
		})
	}
}

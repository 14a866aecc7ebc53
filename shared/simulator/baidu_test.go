package simulator_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/simulator"
	"havip-functions/shared/simulator/worldfile"
)

func TestBaiduRefusals(t *testing.T) {
	attach := "/v1/havip/havip-w2d4?attach"
	for _, tc := range []struct {
		name, method, path, body string
		status                   int
		code                     string
	}{
		{"unknown HAVIP", "GET", "/v1/havip/havip-none", "", 404, "NoSuchObject"},
		{"unknown path", "GET", "/v1/toaster", "", 404, "InvalidURI"},
		{"neither attach nor detach", "PUT", "/v1/havip/havip-w2d4", binding("SERVER", "i-syG1"), 404, "InvalidURI"},
		{"no JSON", "PUT", attach, "{", 400, "MalformedJSON"},
		{"nobody", "PUT", attach, binding("SERVER"), 400, "InappropriateJSON"},
		{"six", "PUT", attach, binding("SERVER", "1", "2", "3", "4", "5", "6"), 400, "InappropriateJSON"},
		{"another type", "PUT", attach, binding("TOASTER", "i-syG1"), 400, "InappropriateJSON"},
		{"unknown instance", "PUT", attach, binding("SERVER", "i-none"), 404, "NoSuchObject"},
		{"twice the same", "PUT", attach, binding("SERVER", "i-syG1", "i-syG1"), 400, "InstanceAlreadyBound"},
		{"a long token", "PUT", attach + "&clientToken=" + strings.Repeat("x", 65), binding("SERVER", "i-syG1"), 400, "InvalidClientToken"},
		{"not bound", "PUT", "/v1/havip/havip-w2d4?detach", binding("SERVER", "i-syG1"), 400, "InstanceNotBound"},
		{"too many keys", "GET", "/v1/havip?maxKeys=1001", "", 400, "InappropriateJSON"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, c := start(t, simulator.Options{})
			r := c.rest(tc.method, tc.path, tc.body).want(t, tc.status, tc.code)
			if r.Header.Get("x-bce-request-id") != r.text("requestId") || r.text("requestId") == "" {
				t.Errorf("the request id is not in header and body: %s", r.Raw)
			}
		})
	}
}

func TestBaiduRules(t *testing.T) {
	w, err := worldfile.Parse([]byte(`
baidu:
  region: bj
  accessKeys: {testak: testsk, stsak: stssk}
  securityTokens: {stsak: tok}
  subnets: [{id: sbn-a, vpc: vpc-1}, {id: sbn-b, vpc: vpc-1}, {id: sbn-c, vpc: vpc-2}]
  instances: [{id: i-1, subnet: sbn-a}, {id: i-2, subnet: sbn-b}, {id: i-3, subnet: sbn-c}, {id: i-4, subnet: sbn-a, state: Starting}]
  interfaces: [{id: eni-1, subnet: sbn-a, instance: i-1}, {id: eni-2, subnet: sbn-a, instance: i-2}, {id: eni-0, subnet: sbn-a}]
  havips: [{id: havip-w2d4, subnet: sbn-a, ip: 192.168.0.1, limit: 2}]
`))
	if err != nil {
		t.Fatal(err)
	}
	_, c := start(t, simulator.Options{World: w})
	put := func(kind string, ids ...string) reply {
		return c.rest("PUT", "/v1/havip/havip-w2d4?attach", binding(kind, ids...))
	}
	put("SERVER", "i-3").want(t, 400, "VpcMismatch")
	put("SERVER", "i-4").want(t, 409, "InstanceStatusConflict")
	put("ENI", "eni-0").want(t, 400, "EniNotAttached")
	put("ENI", "eni-9").want(t, 404, "NoSuchObject")
	put("ENI", "eni-1").want(t, 200, "")
	put("SERVER", "i-2").want(t, 400, "BindMultipleType")
	put("ENI", "eni-2").want(t, 200, "") // another subnet of the VPC
	if r := c.rest("GET", "/v1/havip/havip-w2d4", ""); r.text("bindedInstances.1.instanceType") != "ENI" || r.text("bindedInstances.0.master") != "true" {
		t.Errorf("the HAVIP is %s", r.Raw)
	}
	c.key, c.secret = "stsak", "stssk"
	put("ENI", "eni-1").want(t, 400, "InvalidSessionToken")
	r := c.signBCE(c.request("GET", c.baidu+"/v1/havip/havip-w2d4", ""), time.Now())
	r.Header.Set("x-bce-security-token", "tok")
	c.send(r).want(t, 200, "")
}

func TestBaiduRetryIsNoReplay(t *testing.T) {
	_, c := start(t, simulator.Options{})
	at := time.Now()
	for range 2 {
		c.send(c.signBCE(c.request("GET", c.baidu+"/v1/havip/havip-w2d4", ""), at)).want(t, 200, "")
	}
	c.send(c.signBCE(c.request("GET", c.baidu+"/v1/havip/havip-w2d4", ""), at.Add(-31*time.Minute))).want(t, 400, "RequestExpired")
	c.send(c.request("GET", c.baidu+"/v1/havip/havip-w2d4", "")).want(t, 403, "AccessDenied")
	c.secret = "wrong"
	c.rest("GET", "/v1/havip/havip-w2d4", "").want(t, 400, "SignatureDoesNotMatch")
}

func TestBaiduSignatureCoversWhatItMust(t *testing.T) {
	_, c := start(t, simulator.Options{})
	get := func() *http.Request { return c.request("GET", c.baidu+"/v1/havip", "") }
	c.send(c.signBCE(get(), time.Now().Add(14*time.Minute))).want(t, 200, "")
	c.send(c.signBCE(get(), time.Now().Add(16*time.Minute))).want(t, 400, "RequestExpired")
	r := c.signBCE(get(), time.Now())
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/host/", "/x-bce-date/", 1))
	c.send(r).want(t, 400, "InvalidHTTPAuthHeader")

	// No names at all mean the standard's choice, of which this call has only
	// the host and its own x-bce- header.
	r = get()
	r.Header.Set("x-bce-date", "2026-01-01T00:00:00Z")
	prefix := "bce-auth-v1/testak/" + time.Now().UTC().Format("2006-01-02T15:04:05Z") + "/1800"
	canonical := "GET\n/v1/havip\n\ncontent-length:0\nhost:baidu.sim\nx-bce-date:2026-01-01T00%3A00%3A00Z"
	r.Header.Set("Authorization", prefix+"//"+hmacHex([]byte(hmacHex([]byte("testsk"), prefix)), canonical))
	c.send(r).want(t, 200, "")
}

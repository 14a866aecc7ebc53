package simulator_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"havip-functions/shared/simulator"
	"havip-functions/shared/simulator/worldfile"
)

func TestAlibabaGateway(t *testing.T) {
	future := time.Now().Add(16 * time.Minute).UTC().Format("2006-01-02T15:04:05Z")
	for _, tc := range []struct {
		name   string
		prep   func(*client)
		action string
		pairs  []string
		status int
		code   string
	}{
		{"unknown action", nil, "ExplodeHaVip", nil, 404, "InvalidAction.NotFound"},
		{"unknown version", nil, "DescribeHaVips", []string{"Version", "1999-01-01"}, 404, "InvalidAction.NotFound"},
		{"no region", nil, "DescribeHaVips", []string{"RegionId", ""}, 400, "MissingRegionId"},
		{"no HAVIP", nil, "AssociateHaVip", []string{"InstanceId", "i-1"}, 400, "MissingHaVipId"},
		{"no instance", nil, "AssociateHaVip", []string{"HaVipId", "one"}, 400, "MissingInstanceId"},
		{"unknown key", func(c *client) { c.key = "nobody" }, "DescribeHaVips", nil, 404, "InvalidAccessKeyId.NotFound"},
		{"wrong secret", func(c *client) { c.secret = "wrong" }, "DescribeHaVips", nil, 400, "SignatureDoesNotMatch"},
		{"wrong secret, ACS3", func(c *client) { c.secret, c.acs3 = "wrong", true }, "DescribeHaVips", nil, 400, "SignatureDoesNotMatch"},
		{"a clock far ahead", nil, "DescribeHaVips", []string{"Timestamp", future}, 400, "InvalidTimeStamp.Expired"},
		{"no time", nil, "DescribeHaVips", []string{"Timestamp", "yesterday"}, 400, "InvalidTimeStamp.Format"},
		{"a long token", nil, "AssociateHaVip", []string{"HaVipId", "one", "InstanceId", "i-2", "ClientToken", strings.Repeat("x", 65)}, 400, "InvalidClientToken.Malformed"},
		{"a token beyond ASCII", nil, "AssociateHaVip", []string{"HaVipId", "one", "InstanceId", "i-2", "ClientToken", "tök"}, 400, "InvalidClientToken.Malformed"},
		{"a long page", nil, "DescribeHaVips", []string{"PageSize", "51"}, 400, "InvalidParameter"},
		{"the longest page", nil, "DescribeHaVips", []string{"PageSize", "50"}, 200, ""},
		{"an empty page", nil, "DescribeHaVips", []string{"PageSize", "0"}, 400, "InvalidParameter"},
		{"page nought", nil, "DescribeHaVips", []string{"PageNumber", "0"}, 400, "InvalidParameter"},
		{"a page of words", nil, "DescribeInstances", []string{"PageSize", "all"}, 400, "InvalidParameter"},
		{"a long page of instances", nil, "DescribeInstances", []string{"PageSize", "101"}, 400, "InvalidParameter"},
		{"a filter without values", nil, "DescribeHaVips", []string{"Filter.1.Key", "Status"}, 400, "InvalidParameter"},
		{"a parameter that nobody knows", nil, "DescribeHaVips", []string{"Colour", "red"}, 200, ""},
		{"another signature", nil, "DescribeHaVips", []string{"SignatureVersion", "2.0"}, 400, "InvalidSignatureMethod"},
		{"an unknown filter", nil, "DescribeHaVips", []string{"Filter.1.Key", "Colour", "Filter.1.Value.1", "red"}, 400, "InvalidParameter"},
		{"all in the query", func(c *client) { c.get = true }, "DescribeHaVips", nil, 200, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, c := rules(t)
			if tc.prep != nil {
				tc.prep(c)
			}
			c.rpc(tc.action, tc.pairs...).want(t, tc.status, tc.code)
		})
	}
}

func TestNonceServesOnce(t *testing.T) {
	_, c := rules(t)
	c.rpc("DescribeHaVips", "SignatureNonce", "once").want(t, 200, "")
	c.rpc("DescribeHaVips", "SignatureNonce", "once").want(t, 400, "SignatureNonceUsed")
}

func TestNonceServesOnceInACS3(t *testing.T) {
	_, c := rules(t)
	for _, want := range []struct {
		nonce  string
		status int
		code   string
	}{{"once", 200, ""}, {"once", 400, "SignatureNonceUsed"}, {"another", 200, ""}} {
		now := time.Now().UTC().Format("2006-01-02T15:04:05Z")
		r := c.signACS3("DescribeHaVips", "2016-04-28", want.nonce, now, map[string]string{"RegionId": c.region})
		c.send(r).want(t, want.status, want.code)
	}
}

// A refused call does not use its nonce up.
func TestNonceOfARefusedCallStillServes(t *testing.T) {
	_, c := rules(t)
	c.secret = "wrong"
	c.rpc("DescribeHaVips", "SignatureNonce", "once").want(t, 400, "SignatureDoesNotMatch")
	c.secret = "testsk"
	c.rpc("DescribeHaVips", "SignatureNonce", "once").want(t, 200, "")
}

func TestClockSkew(t *testing.T) {
	for minutes, code := range map[time.Duration]string{
		-16: "InvalidTimeStamp.Expired", -14: "", 0: "", 14: "", 16: "InvalidTimeStamp.Expired",
	} {
		_, c := rules(t)
		status := map[bool]int{true: 200, false: 400}[code == ""]
		at := time.Now().Add(minutes * time.Minute).UTC().Format("2006-01-02T15:04:05Z")
		c.rpc("DescribeHaVips", "Timestamp", at).want(t, status, code)
		c.send(c.signACS3("DescribeHaVips", "2016-04-28", "n", at, map[string]string{"RegionId": c.region})).want(t, status, code)
	}
}

// What is signed may stand in the query, in the form, or in both.
func TestParametersSplitBetweenQueryAndForm(t *testing.T) {
	for _, inQuery := range [][]string{
		{"Action", "Version"},
		{"HaVipId", "SignatureNonce", "Timestamp"},
		{"Signature", "AccessKeyId", "SignatureType"}, // the last one is empty, and signed
	} {
		s, c := start(t, simulator.Options{})
		c.inQuery = inQuery
		c.change("AssociateHaVip", "i-db1").want(t, 200, "")
		if h, _ := s.HAVIP("alibaba", "havip-bp1orders"); len(h.Holders) != 1 {
			t.Errorf("with %v in the query the HAVIP is %+v", inQuery, h)
		}
	}
}

func TestMismatchTellsTheStringToSign(t *testing.T) {
	_, c := rules(t)
	c.secret = "wrong"
	if r := c.rpc("DescribeHaVips"); !strings.Contains(r.Message, "server string to sign is:POST&%2F&AccessKeyId%3Dtestak") || strings.Contains(r.Raw, "testsk") {
		t.Errorf("the message is %s", r.Message)
	}
}

func TestAssumedRoleSigns(t *testing.T) {
	_, c := rules(t)
	r := c.rpc("AssumeRole", "RoleArn", "acs:ram::1234567890123456:role/havip", "RoleSessionName", "story-1").want(t, 200, "")
	c.key, c.secret = r.text("Credentials.AccessKeyId"), r.text("Credentials.AccessKeySecret")
	c.rpc("DescribeHaVips").want(t, 400, "MissingSecurityToken")
	c.token = "another"
	c.rpc("DescribeHaVips").want(t, 400, "InvalidSecurityToken.MismatchWithAccessKey")
	c.token = r.text("Credentials.SecurityToken")
	c.rpc("DescribeHaVips").want(t, 200, "")
	c.acs3 = true
	c.rpc("AssociateHaVip", "HaVipId", "empty", "InstanceId", "i-2", "InstanceType", "").want(t, 400, "CountLimitExceed.HaVipOnInstance")
	c.rpc("AssumeRole", "RoleArn", "nonsense", "RoleSessionName", "story-1").want(t, 400, "InvalidParameter")
}

func TestAssumedRoleEndsAndHasItsAccount(t *testing.T) {
	w, err := worldfile.Parse([]byte(`
alibaba:
  - {region: cn-hangzhou, account: "1", accessKeys: {testak: testsk}}
  - {region: cn-hangzhou, account: "2", accessKeys: {otherak: othersk}, vswitches: [{id: vsw-a, vpc: vpc-1}], havips: [{id: havip-2, vswitch: vsw-a, ip: 10.0.0.1}]}
`))
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s, err := simulator.New(simulator.Options{World: w})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		c := newClient(t, s)
		assume := func(account, seconds string) reply {
			return c.rpc("AssumeRole", "RoleArn", "acs:ram::"+account+":role/havip", "RoleSessionName", "story", "DurationSeconds", seconds)
		}
		assume("3", "900").want(t, 404, "EntityNotExist.Role")
		assume("2", "899").want(t, 400, "InvalidParameter")
		r := assume("2", "900").want(t, 200, "")
		c.key, c.secret, c.token = r.text("Credentials.AccessKeyId"), r.text("Credentials.AccessKeySecret"), r.text("Credentials.SecurityToken")
		if r := c.rpc("DescribeHaVips").want(t, 200, ""); r.ids("HaVips.HaVip", "HaVipId") != "havip-2" {
			t.Errorf("the role sees %s", r.Raw)
		}
		for _, call := range s.Calls(simulator.CallFilter{}) {
			if strings.Contains(fmt.Sprint(call), c.token) {
				t.Errorf("the token is shown: %+v", call)
			}
		}
		elapse(901 * time.Second)
		c.rpc("DescribeHaVips").want(t, 400, "InvalidSecurityToken.Expired")
	})
}

func TestACS3CoversWhatItMust(t *testing.T) {
	_, c := rules(t)
	sign := func() *http.Request {
		return c.signACS3("DescribeHaVips", "2016-04-28", fmt.Sprint("n", nonces.Add(1)), time.Now().UTC().Format("2006-01-02T15:04:05Z"), map[string]string{"RegionId": "cn-hangzhou"})
	}
	c.send(sign()).want(t, 200, "")
	r := sign()
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader("another body")), 12
	c.send(r).want(t, 400, "SignatureDoesNotMatch")
	r = sign()
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), ";x-acs-date", "", 1))
	c.send(r).want(t, 400, "IncompleteSignature")
	r = sign()
	r.Header.Set("Authorization", "ACS3-HMAC-SHA256 nonsense")
	c.send(r).want(t, 400, "MissingAccessKeyId")
}

func TestRequestsThatNoCloudKnows(t *testing.T) {
	_, c := rules(t)
	c.send(c.request("POST", c.alibaba+"/", strings.Repeat("x", 1<<20+1))).want(t, 400, "InvalidHTTPRequest")
	c.send(c.request("DELETE", c.alibaba+"/", "")).want(t, 400, "UnsupportedHTTPMethod")
	c.send(c.request("POST", c.alibaba+"/", "")).want(t, 400, "MissingAction")
	c.send(c.request("POST", c.alibaba+"/?Action=DescribeHaVips", "")).want(t, 400, "MissingVersion")
	c.send(c.request("POST", c.alibaba+"/?Action=DescribeHaVips&Version=2016-04-28", "")).want(t, 400, "MissingAccessKeyId")
	c.send(c.request("POST", c.alibaba+"/?%zz", "")).want(t, 400, "InvalidParameter")
	c.rpc("DescribeHaVips", "SignatureMethod", "HMAC-MD5").want(t, 400, "InvalidSignatureMethod")
	six := []string{"Filter.1.Key", "Status"}
	for _, m := range strings.Split("123456", "") {
		six = append(six, "Filter.1.Value."+m, "InUse")
	}
	c.rpc("DescribeHaVips", six...).want(t, 400, "InvalidParameter")
}

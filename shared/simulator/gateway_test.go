package simulator_test

import (
	"strings"
	"testing"
	"time"
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

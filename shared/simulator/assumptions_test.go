package simulator_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/simulator"
)

var live = flag.Bool("live", false, "hold the assumptions against the real clouds too, with the credentials of the environment; nothing is changed there")

// probes are assumptions that can be held against a cloud without changing it.
var probes = []struct {
	assumption int
	cloud      string
	ask        func(*client) reply
	status     int
	code       string
	shape      string // what the answer's text matches
}{
	{1, "alibaba", func(c *client) reply {
		return c.rpc("DescribeHaVips", "Filter.1.Key", "HaVipId", "Filter.1.Value.1", "havip-none")
	}, 200, "", `"HaVip":\[\]`},
	{2, "alibaba", func(c *client) reply { c.secret = "wrong"; return c.rpc("DescribeHaVips") }, 400, "SignatureDoesNotMatch", "server string to sign is:POST"},
	{3, "alibaba", func(c *client) reply { return c.rpc("ExplodeHaVip") }, 404, "InvalidAction.NotFound", "HostId"},
	{4, "alibaba", func(c *client) reply { return c.rpc("AssociateHaVip", "InstanceId", "i-none") }, 400, "MissingHaVipId", "Recommend"},
	{5, "alibaba", func(c *client) reply { return c.rpc("DescribeHaVips", "PageSize", "51") }, 400, "InvalidParameter", "PageSize"},
	{9, "alibaba", func(c *client) reply {
		return c.rpc("AssociateHaVip", "HaVipId", "havip-none", "InstanceId", "i-none")
	}, 404, "InvalidHaVipId.NotFound", "RequestId"},
	{20, "baidu", func(c *client) reply { return c.rest("GET", "/v1/havip/havip-none", "") }, 404, "NoSuchObject", "requestId"},
	{21, "baidu", func(c *client) reply {
		return c.rest("PUT", "/v1/havip/havip-none?attach", binding("TOASTER", "i-none"))
	}, 400, "InappropriateJSON", "requestId"},
	{22, "baidu", func(c *client) reply { return c.rest("GET", "/v1/havip?maxKeys=1001", "") }, 400, "InappropriateJSON", "requestId"},
	{23, "baidu", func(c *client) reply { return c.send(c.request("GET", c.baidu+"/v1/havip", "")) }, 403, "AccessDenied", "requestId"},
}

func TestLiveAssumptions(t *testing.T) {
	for _, p := range probes {
		for where, c := range probed(t, p.cloud) {
			t.Run(fmt.Sprint(p.assumption, " ", where), func(t *testing.T) {
				r := p.ask(c).want(t, p.status, p.code)
				if !regexp.MustCompile(p.shape).MatchString(r.Raw) {
					t.Errorf("the answer is %s, want %s", r.Raw, p.shape)
				}
			})
		}
	}
}

// probed are the simulator and, where it is asked for and its credentials are
// given, the real cloud.
func probed(t *testing.T, cloud string) map[string]*client {
	t.Helper()
	_, c := start(t, simulator.Options{})
	found := map[string]*client{"simulator": c}
	key, secret := os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_ID"), os.Getenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
	if cloud == "baidu" {
		key, secret = os.Getenv("BCE_ACCESS_KEY_ID"), os.Getenv("BCE_SECRET_ACCESS_KEY")
	}
	if *live && key != "" {
		found["live"] = &client{
			t: t, http: http.Client{Timeout: 30 * time.Second}, key: key, secret: secret, region: "cn-hangzhou",
			alibaba: "https://vpc.cn-hangzhou.aliyuncs.com", baidu: "https://bcc.bj.baidubce.com",
		}
	}
	return found
}

// Each assumption has a number, in order, and a source or the word guess.
func TestAssumptionsAreNumbered(t *testing.T) {
	text, err := os.ReadFile("assumptions.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		if !regexp.MustCompile(`^\d+\. `).MatchString(line) {
			continue
		}
		n++
		if !strings.HasPrefix(line, fmt.Sprintf("%d. ", n)) {
			t.Errorf("number %d is missing before %s", n, line)
		}
		if !regexp.MustCompile(`\((guess|.*(https://|seed|SDK|design).*)\)\n$`).MatchString(line) {
			t.Errorf("no source and no guess: %s", line)
		}
	}
	for _, p := range probes {
		if p.assumption > n {
			t.Errorf("assumption %d is not written down", p.assumption)
		}
	}
}

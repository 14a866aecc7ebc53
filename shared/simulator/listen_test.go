package simulator_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"havip-functions/shared/simulator"
)

func TestServe(t *testing.T) {
	s, c := start(t, simulator.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	l, err := simulator.Serve(ctx, simulator.Addrs{Alibaba: "127.0.0.1:0", Baidu: "localhost:0", Control: "[::1]:0"}, s)
	if err != nil && strings.Contains(err.Error(), "::1") { // a machine without IPv6
		l, err = simulator.Serve(ctx, simulator.Addrs{Alibaba: "127.0.0.1:0", Baidu: "localhost:0", Control: "127.0.0.1:0"}, s)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.alibaba, c.baidu, c.http.Transport = "http://"+l.Addrs.Alibaba, "http://"+l.Addrs.Baidu, http.DefaultTransport
	for _, c.acs3 = range []bool{false, true} {
		c.rpc("DescribeHaVips").want(t, 200, "")
	}
	c.attach("attach", "i-syG1").want(t, 200, "")
	expect(t, c.lookBaidu(), "bound [i-syG1*]")
	c.send(c.request("GET", "http://"+l.Addrs.Control+"/world", "")).want(t, 200, "")
	cancel()
	if err := l.Wait(); err != nil {
		t.Error(err)
	}
	if r := c.rpc("DescribeHaVips"); r.err == nil {
		t.Error("it still answers")
	}
}

func TestServeListensOnLoopbackOnly(t *testing.T) {
	s, _ := start(t, simulator.Options{})
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for addr, want := range map[string]string{
		"0.0.0.0:0": "not on loopback", ":0": "not on loopback", "192.0.2.1:0": "not on loopback",
		"example.com:80": "not on loopback", "9101": "not host:port", taken.Addr().String(): "in use",
	} {
		_, err := simulator.Serve(t.Context(), simulator.Addrs{Alibaba: "127.0.0.1:0", Baidu: "127.0.0.1:0", Control: addr}, s)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "control address") {
			t.Errorf("%s: %v, want %s", addr, err, want)
		}
	}
}

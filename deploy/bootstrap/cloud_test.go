package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/roster"
	"havip-functions/shared/simulator"
)

// rotating is how many sets of credentials the calls take turns with.
const rotating = 5

// keys are the n-th set: of STS, as a function's role has them.
func keys(n int) havip.Credentials {
	n %= rotating
	return havip.Credentials{
		AccessKeyID:     fmt.Sprintf("STS.key%d", n),
		AccessKeySecret: fmt.Sprintf("secret-of-key%d", n),
		SecurityToken:   fmt.Sprintf("token-of-key%d", n),
	}
}

// world is the built-in one, whose Alibaba account knows the rotating keys alone.
func world() simulator.World {
	w := simulator.Builtin()
	realm := &w.Alibaba[0]
	realm.Account = account
	realm.AccessKeys, realm.SecurityTokens = map[string]string{}, map[string]string{}
	for n := range rotating {
		k := keys(n)
		realm.AccessKeys[k.AccessKeyID] = k.AccessKeySecret
		realm.SecurityTokens[k.AccessKeyID] = k.SecurityToken
	}
	return w
}

const account, region = "1234567890123456", "cn-hangzhou"

// clouds are both clouds on sockets, and what a bootstrap has to know of them.
type clouds struct {
	*simulator.Simulator
	env []string
}

func openClouds(t *testing.T, o simulator.Options) clouds {
	t.Helper()
	if o.World.Alibaba == nil {
		o.World = world()
	}
	sim, err := simulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	free := simulator.Addrs{Alibaba: "127.0.0.1:0", Baidu: "127.0.0.1:0", Control: "127.0.0.1:0"}
	l, err := simulator.Serve(context.WithoutCancel(t.Context()), free, sim)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return clouds{sim, []string{
		"HAVIP_ROSTER=" + string(roster.Builtin()),
		"HAVIP_ALIBABA_ENDPOINT=http://" + l.Addrs.Alibaba,
		"HAVIP_BAIDU_ENDPOINT=http://" + l.Addrs.Baidu,
		"BCE_ACCESS_KEY_ID=testak", "BCE_SECRET_ACCESS_KEY=testsk",
	}}
}

// calls counts the mutating calls of a HAVIP, those of them that changed it, and
// those that reached it while it moved.
func (c clouds) calls(id string) (mutating, effects, moving int) {
	for _, call := range c.Calls(simulator.CallFilter{HAVIP: id}) {
		switch call.Operation {
		case "AssociateHaVip", "AttachHaVip", "UnassociateHaVip", "DetachHaVip":
			mutating++
		}
		if call.Effect {
			effects++
		}
		if call.Moving {
			moving++
		}
	}
	return mutating, effects, moving
}

// once checks that one call was made of a HAVIP, and had its effect.
func (c clouds) once(t *testing.T, id string) {
	t.Helper()
	if mutating, effects, moving := c.calls(id); mutating != 1 || effects != 1 || moving != 0 {
		t.Errorf("%s: %d mutating calls, %d with an effect, %d while it moved; want one", id, mutating, effects, moving)
	}
}

// arrival is an event as a cloud sends it, and what should come of it.
type arrival struct {
	name, cloud, havip, instance string
	payload                      string
}

// arrivals are one event for each of the two clouds.
func arrivals(id string) []arrival {
	return []arrival{
		{"alibaba", "alibaba", "havip-bp1orders", "i-db2", `{"id":"` + id + `","source":"acs.ecs","specversion":"1.0",
			"type":"ecs:Instance:StateChange","datacontenttype":"application/json;charset=utf-8",
			"subject":"acs:ecs:cn-hangzhou:1234567890123456:instance/i-db2","time":"` + loose() + `",
			"aliyunaccountid":"1234567890123456","aliyuneventbusname":"default","aliyunregionid":"cn-hangzhou",
			"data":{"resourceId":"i-db2","resourceType":"ALIYUN::ECS::Instance","state":"Running"}}`},
		{"baidu", "baidu", "havip-w2d4", "i-syG2", `[{"id":"` + id + `","source":"/monitor","specversion":"1.0",
			"type":"havip.instance.started","data":{"cloud":"baidu","region":"bj","instance":"i-syG2"}}]`},
	}
}

// loose is the time as Alibaba's EventBridge writes it.
func loose() string {
	return time.Now().In(time.FixedZone("PRC", 8*3600)).Format("2006-01-02T15:04:05.000") + "PRC"
}

// outcome is a line that a function logs when a story ends.
type outcome struct {
	Msg, HAVIP, Story, Event, Instance, RequestID string
	Holders                                       []string
	Attempts, Calls                               int
}

// outcomes are those in the logs so far, of one HAVIP.
func outcomes(id string, logs ...*output) (ended []outcome) {
	for _, log := range logs {
		for _, line := range log.lines() {
			var o outcome
			if json.Unmarshal([]byte(line), &o) == nil && o.Story != "" && o.HAVIP == id {
				ended = append(ended, o)
			}
		}
	}
	return ended
}

// eventually waits for what has to become true.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	every := time.NewTicker(20 * time.Millisecond)
	defer every.Stop()
	limit := time.After(90 * time.Second)
	for !done() {
		select {
		case <-every.C:
		case <-limit:
			t.Fatalf("it took too long: %s", what)
		}
	}
}

// good are the outcomes that leave the HAVIP as it should be. A copy of an event
// that comes late to a function without a ledger finds nothing left to do.
var good = []string{"attached", "unchanged"}

// attached waits for an outcome, and reads the cloud.
func (c clouds) attached(t *testing.T, a arrival, logs ...*output) outcome {
	t.Helper()
	eventually(t, a.havip+" has an outcome", func() bool { return len(outcomes(a.havip, logs...)) > 0 })
	ended := outcomes(a.havip, logs...)[0]
	if h, _ := c.HAVIP(a.cloud, a.havip); !slices.Contains(good, ended.Msg) || h.Status != havip.InUse || !slices.Equal(h.Holders, []string{a.instance}) {
		t.Errorf("the outcome is %+v, the HAVIP %s with %v; want attached to %s", ended, h.Status, h.Holders, a.instance)
	}
	return ended
}

// secretsIn are the secrets that a log holds, which must be none.
func secretsIn(log string) (found []string) {
	secrets := []string{"testsk", ingressToken}
	for n := range rotating {
		secrets = append(secrets, keys(n).AccessKeySecret, keys(n).SecurityToken)
	}
	return slices.DeleteFunc(secrets, func(s string) bool { return !strings.Contains(log, s) })
}

const ingressToken = "the-token-of-the-door"

// counter numbers the calls.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) next() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n
}

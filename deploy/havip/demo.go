package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"havip-functions/events"
)

func demoCommand() *cobra.Command {
	var associate, patience time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show one failover on each cloud, on simulated ones, over real sockets",
		Long: `Show one failover on each cloud, on simulated ones, over real sockets. It exits
with 0 only when both HAVIPs were read as attached to the standby, which serves,
and the failed instance holds neither.`,
		Example: "  havip demo\n  havip demo --associate-time 10m    # too slow for the minute that it gives itself",
		Args:    cobra.NoArgs,
	}
	cmd.Flags().DurationVar(&associate, "associate-time", time.Second, "how long the simulated clouds take to attach or detach")
	cmd.Flags().DurationVar(&patience, "patience", time.Minute, "what the demo gives its stories")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print how it ended as JSON, and tell the rest on stderr")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return demo(cmd.Context(), associate, patience, asJSON) }
	return cmd
}

// act is one cloud's part of the demo.
type act struct {
	cloud, region, havip, name string
	first, standby             string
	started                    []byte // the event that says that first runs
	client                     client
	control                    string
	tell                       *teller
}

func demo(ctx context.Context, associate, patience time.Duration, asJSON bool) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	began := time.Now()
	folder, err := os.MkdirTemp("", "havip-demo-")
	if err != nil {
		return fmt.Errorf("a folder for the engine: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }() // what stays is in the system's own folder for such
	s := serving{addr: "127.0.0.1:0", data: folder, simulate: true, associate: associate, log: slog.New(slog.DiscardHandler), getenv: nothing}
	up, down := make(chan addresses, 1), make(chan error, 1)
	go func() { down <- s.run(ctx, func(a addresses) { up <- a }) }()
	var at addresses
	select {
	case at = <-up:
	case err := <-down:
		return err
	}
	out := &lines{out: os.Stdout}
	if asJSON {
		out.out = os.Stderr
	}
	go out.keepUp(ctx)
	fmt.Fprintf(out, "Two simulated clouds (Alibaba at %s, Baidu at %s) and a host at %s, over real sockets.\n",
		at.Alibaba, at.Baidu, at.Addr)
	telling, enough := context.WithTimeout(ctx, patience)
	defer enough()
	failed := play(telling, at, out)
	out.flush(time.Time{})
	stop()
	if err := <-down; err != nil {
		return other("the host did not stop as it should: %v", err)
	}
	if asJSON {
		printJSON(played{len(failed) == 0, append([]string{}, failed...), time.Since(began).Seconds()})
	}
	if len(failed) > 0 {
		return other("did not get there within %s: %s", patience, strings.Join(failed, ", "))
	}
	fmt.Fprintf(out, "Both HAVIPs moved to their standby, as read from the clouds, in %.1f s.\n", time.Since(began).Seconds())
	return nil
}

// played is how a demo ended.
type played struct {
	Moved   bool     `json:"moved"` // both HAVIPs, to their standby
	Failed  []string `json:"failed"`
	Seconds float64  `json:"seconds"`
}

// play plays both acts at once and names the HAVIPs that did not get there.
func play(ctx context.Context, at addresses, out *lines) []string {
	c := client{"http://" + at.Addr, nothing}
	acts := []*act{
		{cloud: "alibaba", region: "cn-hangzhou", havip: "havip-bp1orders", name: "orders-db", first: "i-db1", standby: "i-db2",
			started: nativeStarted("i-db1", "cn-hangzhou")},
		{cloud: "baidu", region: "bj", havip: "havip-w2d4", name: "cache", first: "i-syG1", standby: "i-syG2",
			started: ownStarted("i-syG1", "bj")},
	}
	failed := make([]string, len(acts))
	var playing sync.WaitGroup
	for i, a := range acts {
		a.client, a.control = c, "http://"+at.Control
		a.tell = &teller{out: out, prefix: fmt.Sprintf("%-8s", a.cloud)}
		playing.Go(func() {
			if err := a.play(ctx); err != nil {
				a.say("%v", err)
				failed[i] = fmt.Sprintf("%s (%s)", a.name, a.havip)
			}
		})
	}
	playing.Wait()
	return slices.DeleteFunc(failed, func(name string) bool { return name == "" })
}

// nothing is an environment that has no settings of ours: the demo is the same
// for everyone.
func nothing(string) string { return "" }

func (a *act) say(format string, args ...any) { a.tell.line(time.Now(), format, args...) }

// play tells the act: an instance starts, serves, fails, and the standby takes over.
func (a *act) play(ctx context.Context) error {
	a.say("event: %s runs", a.first)
	if err := a.post(ctx, a.started); err != nil {
		return err
	}
	if err := a.await(ctx, a.first); err != nil {
		return err
	}
	a.say("%s stops, and its health check fails", a.first)
	if err := a.stop(ctx); err != nil {
		return err
	}
	body, err := encode(events.New("", time.Now().UTC(), events.HealthFailed{
		Cloud: a.cloud, Region: a.region, Instance: a.first, Reason: "demo",
	}))
	if err != nil {
		return err
	}
	if err := a.post(ctx, body); err != nil {
		return err
	}
	return a.await(ctx, a.standby)
}

// post sends an event and follows its story, telling each step.
func (a *act) post(ctx context.Context, body []byte) error {
	answer, err := a.client.send(ctx, body)
	if err != nil {
		return err
	}
	if len(answer.Accepted) != 1 || len(answer.Accepted[0].Stories) != 1 {
		return errors.New("the event began no story")
	}
	id := answer.Accepted[0].Stories[0]
	plan, err := a.client.story(ctx, id)
	if err != nil {
		return err
	}
	a.say("story %s, to be told by %s", id, plan.Deadline.Local().Format("15:04:05"))
	follow := &teller{out: a.tell.out, prefix: a.tell.prefix}
	ended, err := a.client.follow(ctx, id, follow)
	if err != nil {
		return err
	}
	a.say("%s", verdict(ended))
	return nil
}

// await reads the HAVIP back until the instance alone holds it, and serves.
func (a *act) await(ctx context.Context, instance string) error {
	for {
		views, err := a.client.havips(ctx, a.havip)
		if err != nil {
			return err
		}
		v := views[0]
		if len(v.Holders) == 1 && v.Holders[0].ID == instance && v.Serving == instance {
			a.say("read back: %s, held by %s, which serves", v.Status, instance)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("read back: %s, held by %d, %s serves: not yet %s", v.Status, len(v.Holders), orNone(v.Serving), instance)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stop stops the serving instance in the simulator.
func (a *act) stop(ctx context.Context) error {
	url := a.control + "/clouds/" + a.cloud + "/instances/" + a.first
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, url, strings.NewReader(`{"state":"Stopped"}`))
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // only its status matters
	if answer.StatusCode/100 != 2 {
		return fmt.Errorf("the simulator answered %s", answer.Status)
	}
	return nil
}

// nativeStarted is what Alibaba's EventBridge sends of an instance that runs.
func nativeStarted(instance, region string) []byte {
	body, _ := json.Marshal(map[string]any{ // of strings alone
		"id": "demo-" + instance, "source": "acs.ecs", "specversion": "1.0", "type": "ecs:Instance:StateChange",
		"datacontenttype": "application/json;charset=utf-8", "subject": "acs:ecs:" + region + ":123456789098:instance/" + instance,
		"time":            time.Now().In(time.FixedZone("PRC", 8*3600)).Format("2006-01-02T15:04:05.000") + "PRC",
		"aliyunaccountid": "123456789098", "aliyuneventbusname": "default", "aliyunregionid": region,
		"data": map[string]string{"resourceId": instance, "resourceType": "ALIYUN::ECS::Instance", "state": "Running"},
	})
	return body
}

func ownStarted(instance, region string) []byte {
	body, _ := encode(events.New("", time.Now().UTC(), events.InstanceStarted{ // of strings alone
		Cloud: "baidu", Region: region, Instance: instance,
	}))
	return body
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/ledger"
)

// cluster checks what keeps the records of hosts that share a NATS cluster: whether each
// stream has a copy on three nodes, whether those are up to date, and whether a node has
// on its disk what it acknowledges, which its monitoring alone says.
func (e *examination) cluster(ctx context.Context, at, monitors string) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	conn, err := ledger.NATSFrom(at, os.Getenv).Connect()
	if err != nil {
		e.say(err.Error(), "cluster", "")
		return
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		e.say(err.Error(), "cluster", "")
		return
	}
	list, found := js.ListStreams(ctx), 0
	for s := range list.Info() {
		if name := s.Config.Name; strings.HasPrefix(name, "HAVIP-") || strings.HasPrefix(name, "KV_havip-") {
			found++
			e.stream(s)
		}
	}
	switch {
	case list.Err() != nil:
		e.say(fmt.Sprintf("it does not say what it has: %v", list.Err()), "cluster", "")
	case found == 0:
		e.say("it has no stream of ours; did a host start there with --nats?", "cluster", "")
	}
	if monitors == "" {
		e.tell("unknown", "cluster's disks", "no client can ask whether a node syncs what it acknowledges; name their monitoring with --nats-monitor")
		return
	}
	for one := range strings.SplitSeq(monitors, ",") {
		e.node(ctx, strings.TrimSuffix(strings.TrimSpace(one), "/"))
	}
}

// unheard is how long a leader hears nothing from who follows before he is away: they tell
// each other that they are there each second.
const unheard = 5 * time.Second

// stream says whether one survives a node.
func (e *examination) stream(s *jetstream.StreamInfo) {
	name := "stream " + s.Config.Name
	if s.Config.Replicas < 3 {
		e.say(fmt.Sprintf("%d copy of it: it goes with its node; have three nodes, and start havip serve again, which makes three", s.Config.Replicas), name, "")
		return
	}
	var wrong []string
	if s.Cluster == nil || s.Cluster.Leader == "" {
		wrong = append(wrong, "it has no leader: nothing is written")
	} else {
		for _, r := range s.Cluster.Replicas {
			switch {
			case r.Offline, !r.Current && r.Active > unheard:
				wrong = append(wrong, r.Name+" is away; start it: without one more nothing is written")
			case !r.Current:
				wrong = append(wrong, fmt.Sprintf("%s lags by %d writes; wait, and ask again before you stop another node", r.Name, r.Lag))
			}
		}
	}
	if wrong == nil {
		e.say("", name, fmt.Sprintf("%d copies, %s leads, %d messages", s.Config.Replicas, s.Cluster.Leader, s.State.Msgs))
	}
	for _, w := range wrong {
		e.say(w, name, "")
	}
}

// node says whether one has on its disk what it acknowledges.
func (e *examination) node(ctx context.Context, monitor string) {
	var says server.Varz
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, monitor+"/varz", http.NoBody)
	if err == nil {
		var answer *http.Response
		if answer, err = http.DefaultClient.Do(r); err == nil {
			err = errors.Join(json.NewDecoder(answer.Body).Decode(&says), answer.Body.Close())
		}
	}
	name := "node " + says.Name
	switch c := says.JetStream.Config; {
	case err != nil:
		e.say(fmt.Sprintf("%v; give its monitoring address, such as http://10.0.0.1:8222", err), "node "+monitor, "")
	case c == nil:
		e.say("it has no JetStream", name, "")
	case !c.SyncAlways:
		e.say(fmt.Sprintf("it syncs every %s: what was acknowledged since goes with two machines at once; set sync_interval: always", c.SyncInterval), name, "")
	default:
		e.say("", name, "NATS "+says.Version+", syncs what it acknowledges")
	}
}

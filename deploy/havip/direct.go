package main

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"os"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"havip-functions/events"
	"havip-functions/functions"
	"havip-functions/shared/accounts"
	"havip-functions/shared/api"
	"havip-functions/shared/flow"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/roster"
)

// direct works without a host and without a ledger: the way out when everything
// of ours is down. It needs the roster and the clouds' credentials alone.
type direct struct {
	roster *roster.File
	clouds havip.Clouds
	words  io.Writer
}

func openDirect(path string, words io.Writer) (*direct, error) {
	file, err := openRoster(path)
	if err != nil {
		return nil, err
	}
	return &direct{file, accounts.New(os.Getenv).Clouds(havip.Credentials{}), words}, nil
}

// openRoster opens the roster that the flag names, else HAVIP_ROSTER, else
// roster.yaml beside us.
func openRoster(path string) (*roster.File, error) {
	path = cmp.Or(path, os.Getenv("HAVIP_ROSTER"), "roster.yaml")
	file, err := roster.Open(path)
	if err != nil {
		return nil, usage("%v (--roster names it, havip roster import writes one)", err)
	}
	return file, nil
}

func (d *direct) keeper(l havip.Ledger) havip.Keeper {
	return havip.Keeper{Ledger: l, Roster: d.roster, Clouds: d.clouds, CallTimeout: longestCall}
}

// longestCall is how long a look waits for a cloud.
const longestCall = 10 * time.Second

func (d *direct) find(name string) (havip.Policy, error) {
	p, err := roster.Find(d.roster.Policies(), name)
	if err != nil {
		return p, usage("%v", err)
	}
	return p, nil
}

// run takes an event through its whole story in this process.
func (d *direct) run(ctx context.Context, body []byte, asJSON bool) error {
	memory, next := ledger.NewMemory(), &agenda{}
	f := functions.New(flow.Function{
		Keeper: d.keeper(memory), Ledger: memory, Bus: next, Log: slog.New(slog.DiscardHandler),
	})
	t := &teller{out: d.words}
	for due := body; due != nil; due = next.take() {
		if err := f.Invoke(ctx, due); err != nil {
			return other("%v", err)
		}
		if err := d.tell(ctx, memory, t); err != nil {
			return err
		}
	}
	stories, _, err := memory.Stories(ctx, "", "", 100)
	if err != nil {
		return err
	}
	ended := make([]api.Story, 0, len(stories))
	for _, s := range stories {
		ended = append(ended, api.NewStory(s))
	}
	return cmp.Or(conclude(ended, asJSON), served(ended))
}

func (d *direct) tell(ctx context.Context, memory *ledger.Memory, t *teller) error {
	for _, p := range d.roster.Policies() {
		r, _, err := havip.Load[havip.Record](ctx, memory, p.Key().String())
		if err != nil {
			return err
		}
		if r.Story != nil {
			t.tell(api.NewStory(*r.Story))
		}
	}
	return nil
}

// agenda is a bus of this process: it hands over the follow-up when it is due.
type agenda struct {
	body []byte
}

// Publish implements flow.Bus.
func (a *agenda) Publish(_ context.Context, e cloudevents.Event, _ time.Duration) error {
	if e.Type() != events.TypeStatusCheck {
		return nil
	}
	var err error
	a.body, err = events.Encode(e) // flow waits until its notBefore
	return err
}

func (a *agenda) take() []byte {
	body := a.body
	a.body = nil
	return body
}

package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/audit"
	"havip-functions/shared/havip"
)

// Audit is a chain of deeds in a stream of its own, of which the engine deletes nothing.
// All hosts of a cluster write it: who finds that another was first reads on, and tries
// again.
type Audit struct {
	js     jetstream.JetStream
	stream *Stream

	writing sync.Mutex
	head    audit.Head // as we know it
}

// OpenAudit opens the stream, and creates it where it is missing.
func OpenAudit(ctx context.Context, js jetstream.JetStream, replicas int) (*Audit, error) {
	stream, err := OpenStream(ctx, js, jetstream.StreamConfig{
		Name: "HAVIP-AUDIT", Subjects: []string{"havip.audit.>"}, Replicas: replicas, DenyDelete: true, DenyPurge: true,
	})
	if err != nil {
		return nil, fmt.Errorf("stream of the audit: %w", err)
	}
	return &Audit{js: js, stream: stream}, nil
}

// Append returns once the deed is on disk. One of a kind and id stands there once.
func (a *Audit) Append(ctx context.Context, d audit.Deed) error {
	a.writing.Lock()
	defer a.writing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := a.append(ctx, "havip.audit."+d.Kind+"."+d.ID, d)
		if !errors.Is(err, havip.ErrConflict) {
			return err
		}
		if a.head, err = a.last(ctx); err != nil {
			return err
		}
	}
}

func (a *Audit) append(ctx context.Context, subject string, d audit.Deed) error {
	switch _, err := a.stream.GetLastMsgForSubject(ctx, subject); {
	case err == nil:
		return nil
	case !errors.Is(err, jetstream.ErrMsgNotFound):
		return err
	}
	line, err := a.head.Next(d, time.Now().UTC())
	if err != nil {
		return err
	}
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	m := &nats.Msg{Subject: subject, Data: text}
	if _, err := a.js.PublishMsg(ctx, m, jetstream.WithExpectLastSequence(a.head.N)); err != nil {
		return kind(err)
	}
	a.head = audit.Head{N: a.head.N + 1, Hash: line.Hash}
	return nil
}

// last is the head as the stream has it.
func (a *Audit) last(ctx context.Context) (audit.Head, error) {
	info, err := a.stream.Info(ctx)
	if err != nil || info.State.LastSeq == 0 {
		return audit.Head{}, err
	}
	line, err := a.line(ctx, info.State.LastSeq)
	return audit.Head{N: info.State.LastSeq, Hash: line.Hash}, err
}

func (a *Audit) line(ctx context.Context, n uint64) (l audit.Line, err error) {
	m, err := a.stream.GetMsg(ctx, n)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return l, ErrNotFound
	}
	if err != nil {
		return l, err
	}
	return l, json.Unmarshal(m.Data, &l)
}

// Read returns at most so many lines behind the n-th.
func (a *Audit) Read(ctx context.Context, n uint64, most int) ([]audit.Line, error) {
	lines := []audit.Line{}
	for len(lines) < most {
		n++
		switch l, err := a.line(ctx, n); {
		case errors.Is(err, ErrNotFound):
			return lines, nil
		case err != nil:
			return nil, err
		default:
			lines = append(lines, l)
		}
	}
	return lines, nil
}

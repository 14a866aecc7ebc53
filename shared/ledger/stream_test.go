package ledger_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// What comes at once is written together, and each hears of its own alone: the place that
// it has, that another was first, or that it was written before.
func TestWrittenTogether(t *testing.T) {
	t.Parallel()
	js, err := jetstream.New(startNATS(t))
	if err != nil {
		t.Fatal(err)
	}
	s, err := ledger.OpenStream(t.Context(), js, jetstream.StreamConfig{Name: "S", Subjects: []string{"s.>"}, MaxMsgsPerSubject: 1})
	if err != nil {
		t.Fatal(err)
	}
	const many = 300
	write := func(rev string, id func(n int) string) (places [many]uint64, failed [many]error) {
		var all sync.WaitGroup
		for n := range many {
			all.Go(func() {
				m := nats.NewMsg(fmt.Sprint("s.", n))
				m.Data = []byte(fmt.Sprint(n, " ", rev))
				if rev != "" {
					m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, rev)
				}
				m.Header.Set(jetstream.MsgIDHeader, id(n))
				places[n], failed[n] = s.Publish(t.Context(), m)
			})
		}
		all.Wait()
		return places, failed
	}
	places, failed := write("0", func(n int) string { return fmt.Sprint("a", n) })
	for n := range many {
		m, err := s.GetMsg(t.Context(), places[n])
		if failed[n] != nil || err != nil || m.Subject != fmt.Sprint("s.", n) || !strings.HasPrefix(string(m.Data), fmt.Sprint(n, " ")) {
			t.Fatalf("%d: place %d, %v, %v: %+v", n, places[n], failed[n], err, m)
		}
	}
	_, failed = write(fmt.Sprint(places[7]), func(n int) string { return fmt.Sprint("b", n) }) // which the seventh alone has
	for n := range many {
		if errors.Is(failed[n], havip.ErrConflict) == (n == 7) {
			t.Errorf("%d: %v", n, failed[n])
		}
	}
	again, failed := write("", func(n int) string { return fmt.Sprint("a", n) })
	for n := range many {
		if failed[n] != nil || again[n] != places[n] {
			t.Errorf("%d: written at %d, and again at %d, %v", n, places[n], again[n], failed[n])
		}
	}
}

// Who knows that a key was written later lets nobody try who has not heard of it, until
// the stream is an older one, from a backup.
func TestAnOlderStreamIsBelieved(t *testing.T) {
	t.Parallel()
	js, err := jetstream.New(startNATS(t))
	if err != nil {
		t.Fatal(err)
	}
	open := func() *ledger.JetStream {
		l, err := ledger.OpenJetStream(t.Context(), js, 1)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	save := func(l *ledger.JetStream, rev havip.Revision) (havip.Revision, error) {
		return l.Save(t.Context(), "k", []byte("v"), rev)
	}
	known := open()
	var rev havip.Revision
	for range 3 {
		if rev, err = save(known, rev); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := save(known, 1); !errors.Is(err, havip.ErrConflict) {
		t.Error("an old revision:", err)
	}
	if err := js.DeleteStream(t.Context(), "KV_havip-ledger"); err != nil {
		t.Fatal(err)
	}
	if _, err := save(open(), 0); err != nil {
		t.Fatal(err)
	}
	if _, rev, err = known.Load(t.Context(), "k"); err != nil || rev != 1 {
		t.Fatal(rev, err)
	}
	if rev, err = save(known, rev); err != nil || rev != 2 {
		t.Error(rev, err)
	}
}

// Keys that two want to create at the same time are written once, and as batches: who
// comes second spoils nobody's.
func TestCreatedTogether(t *testing.T) {
	t.Parallel()
	conn := startNATS(t)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	l, err := ledger.OpenJetStream(t.Context(), js, 1)
	if err != nil {
		t.Fatal(err)
	}
	var alone atomic.Int32
	spy, err := conn.Subscribe("$KV.havip-events.>", func(m *nats.Msg) {
		if m.Header.Get("Nats-Batch-Id") == "" {
			alone.Add(1)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	const rounds, who, many = 20, 2, 30
	for round := range rounds {
		var both sync.WaitGroup
		for n := range who {
			both.Go(func() {
				values := map[string][]byte{}
				for i := range many {
					values[havip.EventKey(fmt.Sprintf("%024x", round*1000+n*(many-1)+i))] = []byte(`{}`) // one of them is the other's too
				}
				if err := l.Create(t.Context(), values); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
	}
	s, err := js.Stream(t.Context(), "KV_havip-events")
	if err == nil {
		err = errors.Join(conn.Flush(), spy.Unsubscribe())
	}
	if err != nil {
		t.Fatal(err)
	}
	const each = who*many - 1
	if last := s.CachedInfo().State.LastSeq; last != rounds*each {
		t.Errorf("%d writes of %d keys", last, rounds*each)
	}
	if n := alone.Load(); n > rounds*who*4 { // what is left over may be too few for a batch
		t.Errorf("%d writes of %d had no part in a batch", n, rounds*each)
	}
}

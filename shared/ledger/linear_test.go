package ledger_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/nats-io/nats.go"

	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
	"havip-functions/shared/ledger/ledgertest"
)

var (
	linearFor  = flag.Duration("linear", 20*time.Second, "how long compare-and-sets go on while nodes are killed, paused and cut off")
	linearSeed = flag.Uint64("linearseed", 1, "of the faults")
)

// swap is a compare-and-set by the values, each of which is written once at most.
type swap struct{ old, put string }

type swapped int

const (
	took swapped = iota
	lost
	unknown
)

// register is one key. A swap that took found what it expected, and one that was lost
// did nothing: the engine loses one too because of another that was under way, and that
// a leader then took to its grave. One of which nothing is known returns at the end of
// time: it took, or it did not.
//
// A leader that was paused, and has not heard of the next one yet, hears a swap too, we
// suppose, and says that it is lost, by what it knows; the next one may have taken it. So
// of a swap that was lost nothing is known either, unless it is asked strictly.
var register = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		in, swaps := input.(swap)
		switch same := state.(string) == in.old; {
		case !swaps: // a read
			return state == output, state
		case same && output != lost:
			return true, in.put
		default:
			return output != took, state
		}
	},
}

// loosely believes in no loss. Of the swaps of which nothing is known those are left out
// whose value none that took builds upon, since these may as well have done nothing: the
// checker would try each of them everywhere.
func loosely(swaps []porcupine.Operation) (loose []porcupine.Operation) {
	doubtful := map[string]porcupine.Operation{} // by what they put
	var upon []string
	for _, o := range swaps {
		in := o.Input.(swap)
		if o.Output == took {
			loose, upon = append(loose, o), append(upon, in.old)
			continue
		}
		o.Output, o.Return = unknown, math.MaxInt64
		doubtful[in.put] = o
	}
	for len(upon) > 0 {
		o, found := doubtful[upon[0]]
		delete(doubtful, upon[0])
		if upon = upon[1:]; found {
			loose, upon = append(loose, o), append(upon, o.Input.(swap).old)
		}
	}
	return loose
}

// What builds upon a swap that was told lost shows that it took, and no two that took
// build upon the same.
func TestLoosely(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		swaps []porcupine.Operation
		want  bool
	}{
		"a loss that took":      {[]porcupine.Operation{{Input: swap{"", "a"}, Output: lost, Return: 1}, {Input: swap{"a", "b"}, Output: took, Call: 2, Return: 3}}, true},
		"one upon another":      {[]porcupine.Operation{{Input: swap{"", "a"}, Output: lost, Return: 1}, {Input: swap{"a", "b"}, Output: unknown, Return: 2}, {Input: swap{"b", "c"}, Output: took, Call: 3, Return: 4}}, true},
		"a loss of no account":  {[]porcupine.Operation{{Input: swap{"", "a"}, Output: lost, Return: 1}, {Input: swap{"", "b"}, Output: took, Call: 2, Return: 3}}, true},
		"two upon one":          {[]porcupine.Operation{{Input: swap{"", "a"}, Output: took, Return: 1}, {Input: swap{"", "b"}, Output: took, Call: 2, Return: 3}}, false},
		"upon what comes later": {[]porcupine.Operation{{Input: swap{"a", "b"}, Output: took, Return: 1}, {Input: swap{"", "a"}, Output: lost, Call: 2, Return: 3}}, false},
	} {
		if got := porcupine.CheckOperations(register, loosely(tt.swaps)); got != tt.want {
			t.Errorf("%s: linearizable %t, want %t", name, got, tt.want)
		}
	}
}

// denied counts the swaps that were told lost, and whose value was read.
func (h *history) denied() (denied int) {
	told := map[string]bool{}
	for _, o := range h.swaps {
		if o.Output == lost {
			told[o.Input.(swap).put] = true
		}
	}
	for _, o := range h.reads {
		if told[o.Output.(string)] {
			denied++
			delete(told, o.Output.(string))
		}
	}
	return denied
}

// history is what clients saw of one key.
type history struct {
	mu           sync.Mutex
	swaps, reads []porcupine.Operation
	count        map[swapped]int
}

func (h *history) add(read, o porcupine.Operation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads, h.swaps = append(h.reads, read), append(h.swaps, o)
	h.count[o.Output.(swapped)]++
}

// client swaps the values of the keys until the context ends.
func (h *history) client(ctx context.Context, l *ledger.JetStream, id int, key string, began time.Time) {
	for n := 0; ctx.Err() == nil; n++ {
		asked := int64(time.Since(began))
		old, rev, err := havip.Load[string](ctx, l, key)
		if err != nil {
			continue
		}
		read := porcupine.Operation{ClientId: id, Call: asked, Output: old, Return: int64(time.Since(began))}
		o := porcupine.Operation{ClientId: id, Input: swap{old, fmt.Sprintf("%d/%d", id, n)}, Call: int64(time.Since(began)), Output: took}
		_, err = havip.Save(context.WithoutCancel(ctx), l, key, o.Input.(swap).put, rev)
		o.Return = int64(time.Since(began))
		switch {
		case errors.Is(err, havip.ErrConflict):
			o.Output = lost
		case err != nil:
			o.Output, o.Return = unknown, math.MaxInt64
		}
		h.add(read, o)
		select { // others have their turn
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// TestLinearizable: compare-and-sets on three nodes stay what they are while nodes are
// killed, paused and cut off from each other's clients.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	const keys, clients = 3, 4 // of each key
	_, nodes := cluster(t)
	rng := rand.New(rand.NewPCG(*linearSeed, 60))
	histories := [keys]*history{}
	var wires []*ledgertest.Wire
	var ledgers []*ledger.JetStream
	for id := range keys * clients {
		urls := nodes.URLs()
		if id%2 == 0 {
			w := ledgertest.Through(t, nodes[id/2%len(nodes)].Host)
			wires, urls = append(wires, w), "nats://"+w.Addr
		}
		conn, err := nats.Connect(urls, nats.MaxReconnects(-1), nats.ReconnectWait(200*time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		ledgers = append(ledgers, onCluster(t, conn, 3))
		histories[id%keys] = &history{count: map[swapped]int{}}
	}
	ctx, cancel := context.WithTimeout(t.Context(), *linearFor)
	defer cancel()
	began := time.Now()
	var all sync.WaitGroup
	for id, l := range ledgers {
		all.Go(func() {
			histories[id%keys].client(ctx, l, id, fmt.Sprintf("baidu.bj.havip-%d", id%keys), began)
		})
	}
	var faults []string
	for ctx.Err() == nil {
		at := time.Since(began)
		faults = append(faults, fmt.Sprint(at, strike(ctx, rng, nodes, wires)))
	}
	all.Wait()
	for key, h := range histories {
		result := porcupine.CheckOperationsTimeout(register, loosely(h.swaps), time.Minute)
		strict := porcupine.CheckOperationsTimeout(register, h.swaps, 10*time.Second)
		reads := porcupine.CheckOperationsTimeout(register, append(h.reads, h.swaps...), 10*time.Second)
		t.Logf("key %d: %d swaps took, %d were lost, %d of which took all the same, of %d nothing is known: %s; where each loss is believed: %s; with what was read: %s",
			key, h.count[took], h.count[lost], h.denied(), h.count[unknown], result, strict, reads)
		if result != porcupine.Ok || h.count[took] == 0 {
			t.Errorf("not linearizable, or nothing happened: %v", faults)
		}
	}
}

// strike does one thing to the cluster, and undoes it.
func strike(ctx context.Context, rng *rand.Rand, nodes ledgertest.Nodes, wires []*ledgertest.Wire) string {
	pause := func() {
		select {
		case <-time.After(time.Second + time.Duration(rng.Int64N(int64(5*time.Second)))):
		case <-ctx.Done():
		}
	}
	n := rng.IntN(len(nodes))
	defer pause()
	switch rng.IntN(3) {
	case 0:
		nodes[n].Kill()
		pause()
		nodes[n].Start()
		return fmt.Sprintf("killed %d", n)
	case 1:
		nodes[n].Pause()
		pause()
		nodes[n].Resume()
		return fmt.Sprintf("paused %d", n)
	default:
		for _, w := range wires {
			w.Cut()
		}
		pause()
		for _, w := range wires {
			w.Mend()
		}
		return "cut off half of the clients"
	}
}

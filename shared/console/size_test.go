package console

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"havip-functions/shared/api"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// town is a host with so many HAVIPs, each with all that a row can show, and stories
// to fill a page. It counts how often it is read.
func town(havips int, reads *atomic.Int32) *Console {
	now := time.Now()
	var list api.HAVIPs
	var stories api.Stories
	for i := range havips {
		id := fmt.Sprintf("%024x", i)
		v := havip.View{
			Name: fmt.Sprintf("orders-database-%04d", i), Cloud: "alibaba", Region: "cn-hangzhou", ID: fmt.Sprintf("havip-bp1%015d", i), Address: "10.200.100.100",
			Status: havip.InUse, Hold: 2, Mode: havip.Act, Last: &havip.LastView{Story: id, Outcome: havip.Attached, EndedAt: now},
			Holders:      []havip.HolderView{{ID: "i-bp1aaaaaaaaaaaaaaaaa", Health: "healthy"}, {ID: "i-bp1bbbbbbbbbbbbbbbbb", Health: "failed"}},
			Announcement: havip.Announcement{AnnouncedBy: havip.ByStranger, Announcer: "i-bp1ccccccccccccccccc"},
		}
		if i%2 == 1 {
			v.Wrong = []string{"i-bp1ccccccccccccccccc, which does not hold it, announces 10.200.100.100; stop keepalived on it, then restart keepalived on a holder, which announces it again"}
		}
		list.HAVIPs = append(list.HAVIPs, v)
	}
	for i := range 100 {
		ended, outcome := now, havip.Refused
		stories.Stories = append(stories.Stories, api.Story{
			ID: fmt.Sprintf("%024x", i), Name: "orders-database-0001", Event: havip.EventRef{Type: "havip.instance.started"}, StartedAt: now, EndedAt: &ended, Outcome: &outcome,
			Reason: strings.Repeat("a rule that is long ", 5), Code: "OperationConflict",
		})
	}
	return New(Host{
		Overview:    func(context.Context) (api.HAVIPs, error) { reads.Add(1); return list, nil },
		Stories:     func(context.Context, string, string) (api.Stories, error) { return stories, nil },
		DeadLetters: func(context.Context) ([]ledger.DeadLetter, error) { return nil, nil },
		Roster:      func() api.Roster { return api.Roster{} }, Log: slog.New(slog.DiscardHandler),
	})
}

func look(c *Console, path string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil)
	r.RemoteAddr = "127.0.0.1:1"
	w := httptest.NewRecorder()
	c.ServeHTTP(w, r)
	return w
}

// A thousand HAVIPs stay a small page, with what is wrong first; the filter finds each.
func TestAThousandHAVIPs(t *testing.T) {
	var reads atomic.Int32
	c := town(1000, &reads)
	began := time.Now()
	w := look(c, "/")
	page := w.Body.String()
	t.Logf("%d bytes in %s", len(page), time.Since(began))
	if w.Code != http.StatusOK || len(page) > 200_000 {
		t.Errorf("%d, %d bytes", w.Code, len(page))
	}
	if strings.Count(page, `<tr class="bad">`) != maxRows || !strings.Contains(page, "200 of 1000") {
		t.Errorf("%d of what is wrong is shown", strings.Count(page, `<tr class="bad">`))
	}
	for query, want := range map[string]int{"database-0998": 1, "DATABASE-0998 stranger failed": 1, "database-0998 frozen": 0, "?": 0} {
		page := look(c, "/?q="+strings.NewReplacer(" ", "+", "?", "%3F").Replace(query)).Body.String()
		if found := strings.Count(page, `<th scope="row">orders-database-0998<small>`); found != want {
			t.Errorf("%q finds it %d times", query, found)
		}
	}
}

// However many look at once, the clouds are read once.
func TestViewersShareAReading(t *testing.T) {
	var reads atomic.Int32
	c := town(10, &reads)
	began := time.Now()
	var viewers sync.WaitGroup
	for range 200 {
		viewers.Go(func() { look(c, "/") })
	}
	viewers.Wait()
	if most := int32(time.Since(began)/sharedFor) + 1; reads.Load() > most {
		t.Errorf("%d readings in %s", reads.Load(), time.Since(began))
	}
	before := reads.Load()
	c.front.reach(7)
	c.front.reach(7)
	look(c, "/")
	look(c, "/")
	if got := reads.Load() - before; got != 1 {
		t.Errorf("after an outcome it is read %d times", got)
	}
}

// silent is a stream of outcomes of which the fifth was the last.
type silent struct{}

// Next implements [Outcomes].
func (silent) Next(ctx context.Context, _ uint64) (uint64, []byte, error) {
	<-ctx.Done()
	return 0, nil, ctx.Err()
}

// Newest implements [Outcomes].
func (silent) Newest(context.Context) (uint64, error) { return 5, nil }

// Who begins to follow is shown what happened between his page and that, though others
// were shown a page a moment ago.
func TestAStreamBeginsWithoutAGap(t *testing.T) {
	var reads atomic.Int32
	c := town(10, &reads)
	c.host.Outcomes = silent{}
	look(c, "/")
	look(c, "/live") // whose writer has no deadlines: it ends at once
	look(c, "/")
	if reads.Load() != 2 {
		t.Errorf("it was read %d times", reads.Load())
	}
}

// BenchmarkPage is the host's work for a viewer: a page of 200 of 1,000 HAVIPs. The limit:
// 100 ms.
func BenchmarkPage(b *testing.B) {
	var reads atomic.Int32
	c := town(1000, &reads)
	for b.Loop() {
		look(c, "/")
	}
	b.ReportMetric(float64(look(c, "/").Body.Len()), "bytes/page")
}

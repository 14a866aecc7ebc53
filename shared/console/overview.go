package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"

	"havip-functions/shared/api"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// What a page shows at most, so that it stays small; what is left out is counted.
const (
	maxRows    = 200
	maxNewest  = 30
	maxLetters = 20
)

// overview is the first page: what is wrong first.
type overview struct {
	Query, Sort string
	Rows        []havip.View
	Wrong       []havip.View // of all, the rows or not
	All, Found  int
	Refused     string // why a newer roster does not serve
	Brakes      []havip.Closed
	Stories     []api.Story
	Next        string // where older ones begin
	Letters     []ledger.DeadLetter
	Dead        int
	Missing     []string // what could not be read
}

func (c *Console) showOverview(w http.ResponseWriter, r *http.Request) {
	o := overview{Query: strings.TrimSpace(r.FormValue("q")), Sort: r.FormValue("sort")}
	f, _ := c.front.get(r.Context()) // what it lacks it tells itself
	o.take(f.havips)
	o.Stories, o.Next = newest(f.stories)
	o.Dead, o.Letters, o.Missing = len(f.letters), f.letters[:min(len(f.letters), maxLetters)], f.missing
	status := http.StatusOK
	if len(o.Missing) > 0 {
		status = http.StatusServiceUnavailable
	}
	c.render(w, r, status, "overview", frame{Title: "HAVIPs", Live: true, Main: o})
}

// front is what the first page reads, once for all who look at the same time.
type front struct {
	havips  api.HAVIPs
	stories api.Stories
	letters []ledger.DeadLetter
	missing []string // why a part could not be read
}

func (h Host) front(ctx context.Context) (f front, err error) {
	var failed [3]error
	var reading sync.WaitGroup
	reading.Go(func() { f.havips, failed[0] = h.Overview(ctx) })
	reading.Go(func() { f.stories, failed[1] = h.Stories(ctx, "", "") })
	reading.Go(func() { f.letters, failed[2] = h.DeadLetters(ctx) })
	reading.Wait()
	for _, err := range failed {
		if err != nil {
			f.missing = append(f.missing, err.Error())
		}
	}
	f.missing = slices.Compact(f.missing)
	return f, nil
}

// take filters and sorts what the host has.
func (o *overview) take(list api.HAVIPs) {
	o.Refused, o.Brakes, o.All = list.RosterRefused, list.Brakes, len(list.HAVIPs)
	for _, v := range list.HAVIPs {
		if len(v.Wrong) > 0 {
			o.Wrong = append(o.Wrong, v)
		}
		if matches(v, o.Query) {
			o.Rows = append(o.Rows, v)
		}
	}
	slices.SortStableFunc(o.Rows, o.order)
	o.Found = len(o.Rows)
	o.Rows = o.Rows[:min(o.Found, maxRows)]
}

func (o *overview) order(a, b havip.View) int {
	names := strings.Compare(a.Name, b.Name)
	switch o.Sort {
	case "name":
		return names
	case "last":
		return cmp.Or(ended(b).Compare(ended(a)), names)
	}
	return cmp.Or(urgency(a)-urgency(b), names)
}

// urgency sorts what is wrong before what is at work, and that before what is well.
func urgency(v havip.View) int {
	switch {
	case len(v.Wrong) > 0:
		return 0
	case v.Open != nil:
		return 1
	case v.Frozen != nil || v.Mode != havip.Act || len(v.Marks) > 0:
		return 2
	}
	return 3
}

// matches tells whether all words of the filter are in what the row shows.
func matches(v havip.View, query string) bool {
	text := []string{v.Name, v.ID, v.Cloud, v.Account, v.Region, v.Address, string(v.Status), string(v.Mode), v.Announcer, string(v.AnnouncedBy)}
	for _, h := range v.Holders {
		text = append(text, h.ID, h.Health)
	}
	if v.Frozen != nil {
		text = append(text, "frozen")
	}
	all := strings.ToLower(strings.Join(append(text, v.Wrong...), "\n"))
	for _, word := range strings.Fields(strings.ToLower(query)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}

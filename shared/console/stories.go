package console

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"havip-functions/shared/api"
	"havip-functions/shared/havip"
)

// listing is a page of stories.
type listing struct {
	Pick, Next string
	Older      bool // it is not the first page
	Stories    []api.Story
}

func (c *Console) showStories(w http.ResponseWriter, r *http.Request) {
	l := listing{Pick: r.FormValue("havip"), Older: r.FormValue("next") != ""}
	found, err := c.host.Stories(r.Context(), l.Pick, r.FormValue("next"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	l.Stories, l.Next = sorted(found.Stories), found.Next
	c.render(w, r, http.StatusOK, "stories", frame{Title: "Stories", Live: !l.Older, Main: l})
}

// newest are the first stories of a page, and the mark that there are more.
func newest(s api.Stories) (first []api.Story, more string) {
	first, more = sorted(s.Stories), s.Next
	if len(first) > maxNewest {
		return first[:maxNewest], "more"
	}
	return first, more
}

// sorted puts the open ones on top, and each kind newest first.
func sorted(stories []api.Story) []api.Story {
	return slices.SortedStableFunc(slices.Values(stories), func(a, b api.Story) int {
		return cmp.Or(open(b)-open(a), at(b).Compare(at(a)))
	})
}

func open(s api.Story) int {
	if s.EndedAt == nil {
		return 1
	}
	return 0
}

func at(s api.Story) time.Time {
	if s.EndedAt == nil {
		return s.StartedAt
	}
	return *s.EndedAt
}

func ended(v havip.View) time.Time {
	if v.Last == nil {
		return time.Time{}
	}
	return v.Last.EndedAt
}

// telling is one story, as a list and drawn to scale.
type telling struct {
	Story   api.Story
	Moments []moment
	Drawing drawing
}

// moment is a line of a story: a look, or a call.
type moment struct {
	At   time.Time
	Look *havip.Glance
	Call *havip.Taken
}

func (c *Console) showStory(w http.ResponseWriter, r *http.Request) {
	s, err := c.host.Story(r.Context(), r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	t := telling{Story: s, Moments: moments(s), Drawing: draw(s, time.Now())}
	title := s.Name
	if title == "" {
		title = s.HAVIP
	}
	c.render(w, r, http.StatusOK, "story", frame{Title: title, Live: s.Outcome == nil, Main: t})
}

// moments are the looks and calls in the order in which they happened.
func moments(s api.Story) (all []moment) {
	for i := range s.Looks {
		all = append(all, moment{At: s.Looks[i].At, Look: &s.Looks[i]})
	}
	for i := range s.Steps {
		all = append(all, moment{At: s.Steps[i].At, Call: &s.Steps[i]})
	}
	slices.SortStableFunc(all, func(a, b moment) int { return a.At.Compare(b.At) })
	return all
}

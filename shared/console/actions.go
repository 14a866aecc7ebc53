package console

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"havip-functions/events"
	"havip-functions/shared/api"
	"havip-functions/shared/havip"
	"havip-functions/shared/ledger"
)

// asking is what the page of a recover or a freeze has.
type asking struct {
	HAVIP   api.Rostered
	Ask     events.Recover
	ID      string // of the event: a form that is sent twice is one event
	Plans   []havip.Plan
	Refused bool // the plan is to do nothing
	Wrong   string
	Letter  ledger.DeadLetter
	Text    string // of the letter
}

var errNotRostered = errors.New("it is not on the roster")

func (c *Console) rostered(name string) (api.Rostered, error) {
	for _, one := range c.host.Roster().HAVIPs {
		if name != "" && (one.Name == name || one.ID == name) {
			return one, nil
		}
	}
	return api.Rostered{}, errNotRostered
}

// showRecover asks what is to be done; a POST plans it, and one that confirms the plan
// does it.
func (c *Console) showRecover(w http.ResponseWriter, r *http.Request) {
	one, err := c.rostered(r.FormValue("havip"))
	if err != nil {
		c.say(w, r, http.StatusNotFound, "There is nothing here", err.Error())
		return
	}
	c.render(w, r, http.StatusOK, "recover", frame{Title: "Recover", Main: asking{HAVIP: one}})
}

func (c *Console) recover(w http.ResponseWriter, r *http.Request) {
	one, err := c.rostered(r.PostFormValue("havip"))
	if err != nil {
		c.say(w, r, http.StatusNotFound, "There is nothing here", err.Error())
		return
	}
	a := asking{HAVIP: one, ID: r.PostFormValue("id"), Ask: asked(r, one, c.actor(r))}
	if a.Ask.Reason == "" {
		a.Wrong = "A reason is missing; it stands in the outcome."
		c.render(w, r, http.StatusBadRequest, "recover", frame{Title: "Recover", Main: a})
		return
	}
	confirmed := r.PostFormValue("confirm") != "" && a.ID != ""
	if !confirmed {
		a.ID = "console-" + rand.Text()
	}
	body, err := encoded(events.New(a.ID, time.Now().UTC(), a.Ask))
	switch {
	case err != nil:
		c.fail(w, r, err)
		return
	case confirmed:
		c.begin(w, r, body)
		return
	}
	if a.Plans, err = c.host.Plan(r.Context(), body); err != nil {
		c.fail(w, r, err)
		return
	}
	for _, p := range a.Plans {
		a.Refused = a.Refused || p.Step == havip.Refuse
	}
	c.render(w, r, http.StatusOK, "plan", frame{Title: "Plan", Main: a})
}

func encoded(e events.Event) ([]byte, error) {
	ce, err := e.CloudEvent()
	if err != nil {
		return nil, err
	}
	return events.Encode(ce)
}

// asked is the recover that a form describes.
func asked(r *http.Request, one api.Rostered, actor string) events.Recover {
	return events.Recover{
		Cloud: one.Cloud, Region: one.Region, HAVIP: one.ID,
		Instance: r.PostFormValue("instance"), Release: r.PostFormValue("release"),
		Force: r.PostFormValue("force") != "", AllowGap: r.PostFormValue("allowGap") != "",
		Reason: strings.TrimSpace(r.PostFormValue("reason")), Actor: actor,
	}
}

// actor is who asks, as far as it is known.
func (c *Console) actor(r *http.Request) string { return "console@" + c.host.From(r) }

// begin lets an event in, and goes to its story.
func (c *Console) begin(w http.ResponseWriter, r *http.Request, body []byte) {
	taken, err := c.host.Say(r.Context(), body)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.done(w, r, taken)
}

// done goes to the story that began, or back to the first page.
func (c *Console) done(w http.ResponseWriter, r *http.Request, taken []api.Accepted) {
	c.front.forget()
	to := "/"
	for _, one := range taken {
		for _, story := range one.Stories {
			to = "/stories/" + story
		}
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (c *Console) showFreeze(w http.ResponseWriter, r *http.Request) {
	one, err := c.rostered(r.FormValue("havip"))
	if err != nil && r.FormValue("havip") != "" {
		c.say(w, r, http.StatusNotFound, "There is nothing here", err.Error())
		return
	}
	c.render(w, r, http.StatusOK, "freeze", frame{Title: "Freeze", Main: asking{HAVIP: one}})
}

func (c *Console) freeze(w http.ResponseWriter, r *http.Request) {
	f := api.Freezing{HAVIP: r.PostFormValue("havip"), Reason: strings.TrimSpace(r.PostFormValue("reason")), Actor: c.actor(r)}
	f.All = f.HAVIP == ""
	d, err := time.ParseDuration(r.PostFormValue("for"))
	if err != nil || d < 0 || f.Reason == "" {
		one, _ := c.rostered(f.HAVIP) // all of them where it names none
		c.render(w, r, http.StatusBadRequest, "freeze", frame{Title: "Freeze", Main: asking{HAVIP: one, Wrong: "A reason is missing; it stands in the outcome."}})
		return
	}
	f.Until = time.Now().UTC().Truncate(time.Second).Add(d)
	frozen, err := c.host.Freeze(r.Context(), f)
	switch {
	case err != nil:
		c.fail(w, r, err)
	case len(frozen.Frozen) == 0:
		c.say(w, r, http.StatusNotFound, "There is nothing here", errNotRostered.Error())
	default:
		c.done(w, r, nil)
	}
}

// lift opens the brake.
func (c *Console) lift(w http.ResponseWriter, r *http.Request) {
	if _, err := c.host.Lift(r.Context(), api.Lifting{Actor: c.actor(r)}); err != nil {
		c.fail(w, r, err)
		return
	}
	c.done(w, r, nil)
}

package console

import (
	"net/http"
	"strings"

	"havip-functions/shared/api"
	"havip-functions/shared/havip"
)

// maxText is how much of a dead letter is shown.
const maxText = 16 << 10

// showLetter shows a dead letter as it arrived, and what a redrive would do.
func (c *Console) showLetter(w http.ResponseWriter, r *http.Request) {
	c.letter(w, r, http.StatusOK, "")
}

func (c *Console) letter(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	d, err := c.host.DeadLetter(r.Context(), r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	a := asking{Letter: d, Wrong: wrong, Text: strings.ToValidUTF8(string(d.Bytes[:min(len(d.Bytes), maxText)]), "\uFFFD")}
	plans, err := c.host.PlanRedrive(r.Context(), d.ID, false)
	if err != nil && wrong == "" { // it still can't be read, or may not say this
		a.Plans = []havip.Plan{{Step: havip.Refuse, Rule: err.Error()}}
	} else {
		a.Plans = plans
	}
	c.render(w, r, status, "letter", frame{Title: "Dead letter", Main: a})
}

// redrive tries one again.
func (c *Console) redrive(w http.ResponseWriter, r *http.Request) {
	reason := strings.TrimSpace(r.PostFormValue("reason"))
	if reason == "" {
		c.letter(w, r, http.StatusBadRequest, "A reason is missing; it stands in the outcome.")
		return
	}
	accepted, err := c.host.Redrive(r.Context(), r.PathValue("id"), api.Redriving{Reason: reason, AsOperator: r.PostFormValue("asOperator") != "", Actor: c.actor(r)})
	if err != nil {
		c.front.forget()
		c.letter(w, r, http.StatusBadRequest, err.Error())
		return
	}
	c.done(w, r, accepted)
}

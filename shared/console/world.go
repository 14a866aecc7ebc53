package console

import (
	"net/http"
	"time"

	"havip-functions/events"
	"havip-functions/shared/havip"
)

// World is a simulated one, by its own controls. A host before real clouds has none.
type World interface {
	// Regions are what there is to move, as it is now.
	Regions() []Region
	// Put puts an instance into a state.
	Put(cloud, instance string, state havip.InstanceState) error
	// Announce makes an instance announce the address of a HAVIP; "" nobody.
	Announce(cloud, id, instance string) error
	// Faults are those that can be switched on, by name, and how often each is.
	Faults() []Fault
	// Break switches a fault on; "" switches all off.
	Break(fault string) error
}

// Region is a region of a simulated cloud.
type Region struct {
	Cloud, Region string
	Instances     []Machine
	HAVIPs        []Announced
}

// Machine is an instance that can be stopped and started.
type Machine struct {
	ID    string
	State havip.InstanceState
}

// Announced is a HAVIP and who announces it.
type Announced struct {
	ID, Address, Master string
	Holders             []string
}

// Fault is one that the clouds may have.
type Fault struct {
	Name string
	On   bool
}

// playing is the page of the world.
type playing struct {
	Regions []Region
	Faults  []Fault
}

func (c *Console) showWorld(w http.ResponseWriter, r *http.Request) {
	if c.host.World == nil {
		c.notFound(w, r)
		return
	}
	p := playing{c.host.World.Regions(), c.host.World.Faults()}
	c.render(w, r, http.StatusOK, "world", frame{Title: "The simulated world", Live: true, Main: p})
}

// moveWorld does one thing to the world. Of an instance that was stopped or started
// it tells us too, as a monitor would.
func (c *Console) moveWorld(w http.ResponseWriter, r *http.Request) {
	if c.host.World == nil {
		c.notFound(w, r)
		return
	}
	cloud, instance := r.PostFormValue("cloud"), r.PostFormValue("instance")
	var err error
	switch r.PostFormValue("do") {
	case "stop":
		fact := events.HealthFailed{Cloud: cloud, Region: r.PostFormValue("region"), Instance: instance, Reason: "stopped in the simulated world"}
		err = c.put(r, havip.Stopped, events.New("", time.Now().UTC(), fact))
	case "start":
		fact := events.InstanceStarted{Cloud: cloud, Region: r.PostFormValue("region"), Instance: instance, Reason: "started in the simulated world"}
		err = c.put(r, havip.Running, events.New("", time.Now().UTC(), fact))
	case "announce":
		err = c.host.World.Announce(cloud, r.PostFormValue("havip"), instance)
	case "break":
		err = c.host.World.Break(r.PostFormValue("fault"))
	}
	if err != nil {
		c.say(w, r, http.StatusBadRequest, "This can't be done", err.Error())
		return
	}
	c.front.forget()
	http.Redirect(w, r, "/world", http.StatusSeeOther)
}

func (c *Console) put(r *http.Request, state havip.InstanceState, e events.Event) error {
	if err := c.host.World.Put(r.PostFormValue("cloud"), r.PostFormValue("instance"), state); err != nil {
		return err
	}
	body, err := encoded(e)
	if err == nil {
		_, err = c.host.Say(r.Context(), body)
	}
	return err
}

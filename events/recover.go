package events

// Recover is a person's request. What it omits of instance and release is
// chosen; the rest stands as asked.
type Recover struct {
	Cloud    string `json:"cloud"`
	Region   string `json:"region"`
	HAVIP    string `json:"havip"`
	Instance string `json:"instance,omitempty"` // to attach
	Release  string `json:"release,omitempty"`  // to detach
	Force    bool   `json:"force"`              // detach it even while it serves
	AllowGap bool   `json:"allowGap"`           // even if nobody healthy is left
	Reason   string `json:"reason"`
	Actor    string `json:"actor"`
	DryRun   bool   `json:"dryRun"` // say what would be done, and do nothing
}

func (Recover) eventType() string { return TypeRecover }

func (d Recover) subject() string { return d.HAVIP }

func readRecover(f *fields) Recover {
	return Recover{
		Cloud:    f.cloud(),
		Region:   f.requiredName("region"),
		HAVIP:    f.requiredName("havip"),
		Instance: f.name("instance"),
		Release:  f.name("release"),
		Force:    f.flag("force"),
		AllowGap: f.flag("allowGap"),
		Reason:   f.prose("reason"),
		Actor:    f.actor("actor"),
		DryRun:   f.flag("dryRun"),
	}
}

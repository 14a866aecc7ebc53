package events

// Fact says of one instance what happened to it. The three facts share its shape.
type Fact struct {
	Cloud    string `json:"cloud"`  // alibaba or baidu
	Region   string `json:"region"` // empty where a CloudMonitor alarm does not tell it
	Instance string `json:"instance"`
	HAVIP    string `json:"havip,omitempty"`  // only this one; all of the instance's where empty
	Reason   string `json:"reason,omitempty"` // for people
}

// readFact asks for a region, which may be empty: an alarm does not always tell
// it, and must come through when we send it on in our own words.
func readFact(f *fields) Fact {
	if !f.has("region") {
		f.fail("region", "missing; name the region of the instance")
	}
	return Fact{
		Cloud:    f.cloud(),
		Region:   f.name("region"),
		Instance: f.requiredName("instance"),
		HAVIP:    f.name("havip"),
		Reason:   f.prose("reason"),
	}
}

package events

// Sweep asks to look at every HAVIP of the roster, or at those that it names.
type Sweep struct {
	Cloud  string `json:"cloud,omitempty"`
	Region string `json:"region,omitempty"`
	HAVIP  string `json:"havip,omitempty"`
}

func (Sweep) eventType() string { return TypeSweep }

func (d Sweep) subject() string { return d.HAVIP }

func readSweep(f *fields) Sweep {
	s := Sweep{Region: f.name("region"), HAVIP: f.name("havip")}
	if f.has("cloud") {
		s.Cloud = f.cloud()
	}
	return s
}

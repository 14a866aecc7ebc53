package events

// Ignored stands for what we understand and don't act on: an instance that is
// only starting, a maintenance that is only planned.
type Ignored struct {
	Reason string
}

func (Ignored) eventType() string { return "" }

func (Ignored) subject() string { return "" }

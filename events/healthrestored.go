package events

// HealthRestored says that an instance can serve again.
type HealthRestored Fact

func (HealthRestored) eventType() string { return TypeHealthRestored }

func (d HealthRestored) subject() string { return d.HAVIP }

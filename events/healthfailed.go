package events

// HealthFailed says that an instance can't serve.
type HealthFailed Fact

func (HealthFailed) eventType() string { return TypeHealthFailed }

func (d HealthFailed) subject() string { return d.HAVIP }

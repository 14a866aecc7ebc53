package events

// InstanceStarted says that an instance runs and may hold its HAVIPs again.
type InstanceStarted Fact

func (InstanceStarted) eventType() string { return TypeInstanceStarted }

func (d InstanceStarted) subject() string { return d.HAVIP }

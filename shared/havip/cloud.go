package havip

import (
	"context"
	"fmt"
)

// Cloud reads and changes the HAVIPs of one account and region. Its methods are
// idempotent, never wait for an effect, return within the context's deadline and
// fail with an [*Error].
type Cloud interface {
	// Get reads one HAVIP. One that does not exist is [ErrRefused].
	Get(ctx context.Context, id string) (HAVIP, error)

	// Attach asks the cloud to let an instance hold a HAVIP. A nil error means
	// accepted, or that the instance holds it already; the effect shows in Get.
	Attach(ctx context.Context, c Call) (Receipt, error)

	// Detach asks the cloud to take a HAVIP from an instance. A nil error means
	// accepted, or that the instance does not hold it.
	Detach(ctx context.Context, c Call) (Receipt, error)
}

// Fleet lists what one account has in a region.
type Fleet interface {
	// List returns every HAVIP of the region in as few calls as possible.
	List(ctx context.Context) ([]HAVIP, error)

	// States tells how the instances with these ids are. An interface's id
	// stands for the instance that it is attached to. What the cloud does not
	// know is Deleted; what could not be determined is left out.
	States(ctx context.Context, ids []string) (map[string]InstanceState, error)
}

// Surveyor is a Fleet that can say where its instances are. Only a person's question
// needs it: no decision does.
type Surveyor interface {
	// Networks tells in which vSwitch or subnet the instances and interfaces with
	// these ids are. What the cloud does not know is missing.
	Networks(ctx context.Context, ids []string) (map[string]string, error)

	// Neighbours returns instances of a vSwitch or subnet, some of them where there
	// are many.
	Neighbours(ctx context.Context, network string) ([]string, error)
}

// SurveyorOf is what lies in a Fleet, or in what wraps it; nil where that is none.
func SurveyorOf(f Fleet) Surveyor {
	switch f := f.(type) {
	case Surveyor:
		return f
	case interface{ Inner() Fleet }:
		return SurveyorOf(f.Inner())
	}
	return nil
}

// A Call asks for one change of one HAVIP.
type Call struct {
	HAVIP        string
	Instance     string
	InstanceType string // EcsInstance or NetworkInterface; SERVER or ENI
	Force        bool   // detach a serving holder; only where the cloud guards it
	Token        string // the ClientToken: repeated by a retry, at most 64 ASCII characters
}

// A Receipt says which request the cloud accepted.
type Receipt struct {
	RequestID string
}

// Credentials sign the calls of one account. They print without their secrets.
type Credentials struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string // only with temporary (STS) credentials
}

// String names the key and hides the rest.
func (c Credentials) String() string {
	return fmt.Sprintf("Credentials(%s)", c.AccessKeyID)
}

// GoString is String: %#v prints no secret either.
func (c Credentials) GoString() string { return c.String() }

package accounts

import (
	"sync"
	"time"

	"havip-functions/shared/alibaba"
	"havip-functions/shared/havip"
)

const (
	// roleLife is how long a role is kept: less than the hour that STS gives it,
	// so that the next one is fetched with the credentials of its own call.
	roleLife = 45 * time.Minute
	maxRoles = 256 // kept at once; stories are few, and one that is gone costs a call
)

// roles keeps what AssumeRole gave, for each role and session. The session is
// the story's, by which the account's audit trail finds its calls.
type roles struct {
	mu   sync.Mutex
	kept map[assumed]keptRole
}

type assumed struct{ region, credentials, arn, session string }

type keptRole struct {
	credentials Source
	since       time.Time
}

// assume returns a source of the credentials of the account's role.
func (r *roles) assume(c alibaba.Config, access havip.Access, session string) Source {
	key := assumed{c.Region, access.Credentials, access.RoleARN, "havip-" + session}
	r.mu.Lock()
	defer r.mu.Unlock()
	if known, ok := r.kept[key]; ok && time.Since(known.since) < roleLife {
		return known.credentials
	}
	r.forget()
	fresh := keptRole{alibaba.AssumeRole(c, key.arn, key.session), time.Now()}
	r.kept[key] = fresh
	return fresh.credentials
}

// forget makes room: what is too old goes, and the oldest where all are young.
func (r *roles) forget() {
	if r.kept == nil {
		r.kept = map[assumed]keptRole{}
	}
	var oldest assumed
	for key, role := range r.kept {
		if time.Since(role.since) >= roleLife {
			delete(r.kept, key)
		} else if first, ok := r.kept[oldest]; !ok || role.since.Before(first.since) {
			oldest = key
		}
	}
	if len(r.kept) >= maxRoles {
		delete(r.kept, oldest)
	}
}

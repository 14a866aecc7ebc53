package alibaba

import (
	"context"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/sts"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

// refreshBefore leaves a call that starts on the old credentials time to end.
const refreshBefore = 5 * time.Minute

// AssumeRole returns a source of the credentials of a role, fetched as the config's
// own credentials. They are kept until shortly before they expire; of several
// callers one fetches and the others wait for it, each until its own deadline.
func AssumeRole(c Config, roleARN, session string) func(context.Context) (havip.Credentials, error) {
	r := &role{sts: c.client("sts", c.STSEndpoint), arn: roleARN, session: session, turn: make(chan struct{}, 1)}
	return r.credentials
}

// role guards keys and expires with a turn, which, unlike a mutex, can be waited
// for until a deadline.
type role struct {
	sts          *wire.Client
	arn, session string
	turn         chan struct{}
	keys         havip.Credentials
	expires      time.Time
}

func (r *role) credentials(ctx context.Context) (havip.Credentials, error) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return havip.Credentials{}, &havip.Error{Kind: havip.ErrBusy, Op: "AssumeRole", Code: "Timeout", Rule: "no credentials came in time", Advice: again}
	}
	if time.Until(r.expires) > refreshBefore {
		return r.keys, nil
	}
	if err := r.assume(ctx); err != nil && !time.Now().Before(r.expires) {
		return havip.Credentials{}, err
	}
	return r.keys, nil // perhaps the old ones: they still serve, and the next call tries again
}

func (r *role) assume(ctx context.Context) error {
	req, resp := sts.CreateAssumeRoleRequest(), sts.CreateAssumeRoleResponse()
	req.RoleArn, req.RoleSessionName = r.arn, r.session
	requestID, err := r.sts.Call(ctx, req.GetActionName(), do(req, resp))
	if err != nil {
		return err
	}
	c := resp.Credentials
	expires, err := time.Parse(time.RFC3339, c.Expiration)
	if err != nil || c.AccessKeyId == "" || c.AccessKeySecret == "" || c.SecurityToken == "" {
		return &havip.Error{Kind: havip.ErrBusy, Op: "AssumeRole", Code: "UnreadableAnswer", RequestID: requestID, Rule: "the answer holds no credentials with their expiry", Advice: again}
	}
	r.keys = havip.Credentials{AccessKeyID: c.AccessKeyId, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}
	r.expires = expires
	return nil
}

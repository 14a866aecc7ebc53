// Package accounts tells whose keys sign what: those that the roster names for an
// account, a role that is assumed with them, else the call's, else the environment's.
package accounts

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"havip-functions/shared/alibaba"
	"havip-functions/shared/baidu"
	"havip-functions/shared/havip"
	"havip-functions/shared/havip/pace"
)

// Source gives credentials, anew for each use: what rotates them needs no restart.
type Source = func(context.Context) (havip.Credentials, error)

// Accounts open clouds, and remember the roles that were assumed for them, and
// how many calls each takes.
type Accounts struct {
	getenv func(string) string
	roles  roles
	pacer  pace.Pacer
	newest atomic.Pointer[havip.Credentials] // of a call
}

// New has remembered nothing yet. A process needs one.
func New(getenv func(string) string) *Accounts { return &Accounts{getenv: getenv} }

// Ambient reads Alibaba's credentials from the environment.
func (a *Accounts) Ambient() Source { return a.stored("env:ALIBABA_CLOUD") }

// Own gives a call's credentials, or the environment's where it has none.
func (a *Accounts) Own(call havip.Credentials) Source {
	if call.AccessKeyID == "" {
		return a.Ambient()
	}
	return func(context.Context) (havip.Credentials, error) { return call, nil }
}

// Note remembers a call's credentials for [Accounts.Newest].
func (a *Accounts) Note(call havip.Credentials) {
	if call.AccessKeyID != "" {
		a.newest.Store(&call)
	}
}

// Newest gives the credentials of the newest call, or the environment's before the
// first. What outlives a call, as a ledger does, signs with them: all calls of a process
// have the same role, and those of the newest expire last.
func (a *Accounts) Newest(ctx context.Context) (havip.Credentials, error) {
	if call := a.newest.Load(); call != nil {
		return *call, nil
	}
	return a.Ambient()(ctx)
}

// Clouds opens the account of a HAVIP with the credentials that its policy names,
// else with those of the call, else with the environment's.
func (a *Accounts) Clouds(call havip.Credentials) havip.Clouds {
	return a.pacer.Clouds(func(_ context.Context, p havip.Policy, session string) (havip.Cloud, havip.Fleet, error) {
		if p.Account != "" && p.Access == (havip.Access{}) {
			return nil, nil, noKeys("the account "+p.Account+" of the roster has no credentials", nil)
		}
		switch p.Cloud {
		case "alibaba":
			c := a.alibaba(p.Region)
			c.Credentials = a.Own(call)
			if p.Access.Credentials != "" {
				c.Credentials = a.stored(p.Access.Credentials)
			}
			if p.Access.RoleARN != "" {
				c.Credentials = a.roles.assume(c, p.Access, session)
			}
			cloud := alibaba.New(c)
			return cloud, cloud, nil
		case "baidu":
			cloud := baidu.New(baidu.Config{
				Region: p.Region, Endpoint: a.getenv("HAVIP_BAIDU_ENDPOINT"),
				Credentials: a.stored(cmp.Or(p.Access.Credentials, "env:BCE")),
			})
			return cloud, cloud, nil
		}
		return nil, nil, fmt.Errorf("cloud %q is not known", p.Cloud)
	})
}

// alibaba says where the cloud is. A local endpoint serves ECS and STS too.
func (a *Accounts) alibaba(region string) alibaba.Config {
	return alibaba.Config{
		Region:      region,
		Endpoint:    a.getenv("HAVIP_ALIBABA_ENDPOINT"),
		ECSEndpoint: a.getenv("HAVIP_ALIBABA_ECS_ENDPOINT"),
		STSEndpoint: a.getenv("HAVIP_ALIBABA_STS_ENDPOINT"),
	}
}

// stored reads credentials from where the roster says, env:PREFIX or file:PATH.
func (a *Accounts) stored(where string) Source {
	return func(context.Context) (havip.Credentials, error) {
		if path, ok := strings.CutPrefix(where, "file:"); ok {
			return readCredentials(path)
		}
		prefix := strings.TrimPrefix(where, "env:")
		c := havip.Credentials{
			AccessKeyID:     a.getenv(prefix + "_ACCESS_KEY_ID"),
			AccessKeySecret: cmp.Or(a.getenv(prefix+"_ACCESS_KEY_SECRET"), a.getenv(prefix+"_SECRET_ACCESS_KEY")),
			SecurityToken:   cmp.Or(a.getenv(prefix+"_SECURITY_TOKEN"), a.getenv(prefix+"_SESSION_TOKEN")),
		}
		if c.AccessKeyID == "" || c.AccessKeySecret == "" {
			return c, noKeys("no credentials in the environment: set "+prefix+"_ACCESS_KEY_ID and its secret", nil)
		}
		return c, nil
	}
}

func readCredentials(path string) (havip.Credentials, error) {
	var f struct {
		ID     string `json:"accessKeyId"`
		Secret string `json:"secretAccessKey"`
		Token  string `json:"sessionToken"`
	}
	text, err := os.ReadFile(path) //nolint:gosec // the roster's owner chose it
	if err != nil {
		return havip.Credentials{}, noKeys("credentials can't be read", err)
	}
	if json.Unmarshal(text, &f) != nil || f.ID == "" || f.Secret == "" { // the cause would quote the file
		return havip.Credentials{}, noKeys(path+` is not {"accessKeyId":"…","secretAccessKey":"…"}`, nil)
	}
	return havip.Credentials{AccessKeyID: f.ID, AccessKeySecret: f.Secret, SecurityToken: f.Token}, nil
}

func noKeys(rule string, cause error) error {
	if cause != nil {
		rule += ": " + cause.Error()
	}
	return &havip.Error{Kind: havip.ErrRefused, Op: "credentials", Code: "NoCredentials", Rule: rule}
}

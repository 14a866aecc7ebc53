package runtime

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"havip-functions/shared/alibaba"
	"havip-functions/shared/baidu"
	"havip-functions/shared/havip"
	"havip-functions/shared/havip/pace"
)

// Clouds opens the account of a HAVIP with the credentials that its policy names,
// else with those of the call, else with the environment's.
func (env Environment) Clouds(call Call) havip.Clouds { return newAccounts(env).clouds(call) }

// accounts open clouds, and remember the roles that were assumed for them, and
// how many calls each takes.
type accounts struct {
	Environment
	roles *roles
	pacer *pace.Pacer
}

func newAccounts(env Environment) accounts { return accounts{env, &roles{}, &pace.Pacer{}} }

func (env accounts) clouds(call Call) havip.Clouds {
	return env.pacer.Clouds(func(_ context.Context, p havip.Policy, session string) (havip.Cloud, havip.Fleet, error) {
		if p.Account != "" && p.Access == (havip.Access{}) {
			return nil, nil, noKeys("the account "+p.Account+" of the roster has no credentials", nil)
		}
		switch p.Cloud {
		case "alibaba":
			c := env.alibaba(p.Region, call)
			if p.Access.Credentials != "" {
				c.Credentials = env.stored(p.Access.Credentials)
			}
			if p.Access.RoleARN != "" {
				c.Credentials = env.roles.assume(c, p.Access, session)
			}
			cloud := alibaba.New(c)
			return cloud, cloud, nil
		case "baidu":
			cloud := baidu.New(baidu.Config{
				Region: p.Region, Endpoint: env.Getenv("HAVIP_BAIDU_ENDPOINT"),
				Credentials: env.stored(cmp.Or(p.Access.Credentials, "env:BCE")),
			})
			return cloud, cloud, nil
		}
		return nil, nil, fmt.Errorf("cloud %q is not known", p.Cloud)
	})
}

// alibaba is the account of the call, or the environment's. A local endpoint
// serves ECS and STS too.
func (env Environment) alibaba(region string, call Call) alibaba.Config {
	return alibaba.Config{
		Region:      region,
		Endpoint:    env.Getenv("HAVIP_ALIBABA_ENDPOINT"),
		ECSEndpoint: env.Getenv("HAVIP_ALIBABA_ECS_ENDPOINT"),
		STSEndpoint: env.Getenv("HAVIP_ALIBABA_STS_ENDPOINT"),
		Credentials: env.own(call),
	}
}

// stored reads credentials from where the roster says, env:PREFIX or file:PATH,
// anew for each call: what rotates them needs no restart.
func (env Environment) stored(where string) func(context.Context) (havip.Credentials, error) {
	return func(context.Context) (havip.Credentials, error) {
		if path, ok := strings.CutPrefix(where, "file:"); ok {
			return readCredentials(path)
		}
		prefix := strings.TrimPrefix(where, "env:")
		c := havip.Credentials{
			AccessKeyID:     env.Getenv(prefix + "_ACCESS_KEY_ID"),
			AccessKeySecret: cmp.Or(env.Getenv(prefix+"_ACCESS_KEY_SECRET"), env.Getenv(prefix+"_SECRET_ACCESS_KEY")),
			SecurityToken:   cmp.Or(env.Getenv(prefix+"_SECURITY_TOKEN"), env.Getenv(prefix+"_SESSION_TOKEN")),
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

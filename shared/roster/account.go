package roster

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"havip-functions/shared/havip"
	"havip-functions/shared/yamlfile"
)

func readAccounts(top yamlfile.Mapping) map[string]Account {
	accounts := map[string]Account{}
	top.Pairs(top.Get("accounts"), "accounts", func(key, value *yaml.Node) {
		path := yamlfile.Join("accounts", key.Value)
		if !havip.IsName(key.Value) {
			top.Fail(key, path, "is no name; use letters, digits, dots, hyphens and underscores")
		}
		accounts[key.Value] = readAccount(top.Read(value, path, "cloud", "roleArn", "credentials"))
	})
	return accounts
}

// readAccount repeats no value in a problem: somebody may have written a secret.
func readAccount(m yamlfile.Mapping) Account {
	a := Account{
		Cloud:       m.Choice("cloud", "", "alibaba", "baidu"),
		RoleARN:     m.Text("roleArn", ""),
		Credentials: m.Text("credentials", ""),
	}
	switch {
	case a.RoleARN == "" && a.Credentials == "":
		m.Fail(m.Node(), m.Path(), "has neither roleArn nor credentials; give it one")
	case a.RoleARN != "" && a.Cloud == "baidu":
		m.Fail(m.Near("roleArn"), m.At("roleArn"), "Baidu accounts assume no role; use credentials")
	case a.RoleARN != "" && !havip.IsRole(a.RoleARN):
		m.Fail(m.Near("roleArn"), m.At("roleArn"), "no role; write acs:ram::1234567890123456:role/NAME")
	}
	kind, rest, _ := strings.Cut(a.Credentials, ":")
	if a.Credentials != "" && (rest == "" || kind != "file" && kind != "env") {
		m.Fail(m.Near("credentials"), m.At("credentials"), "must be file:PATH or env:PREFIX, never the keys themselves")
	}
	return a
}

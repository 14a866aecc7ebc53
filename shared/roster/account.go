package roster

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

var roleARN = regexp.MustCompile(`^acs:ram::[0-9]+:role/[A-Za-z0-9._/-]+$`)

func readAccounts(top mapping) map[string]Account {
	accounts := map[string]Account{}
	top.pairs(top.get("accounts"), "accounts", func(key, value *yaml.Node) {
		path := join("accounts", key.Value)
		if !name.MatchString(key.Value) {
			top.fail(key, path, "is no name; use letters, digits, dots, hyphens and underscores")
		}
		accounts[key.Value] = readAccount(top.mapping(value, path, "cloud", "roleArn", "credentials"))
	})
	return accounts
}

// readAccount repeats no value in a problem: somebody may have written a secret.
func readAccount(m mapping) Account {
	a := Account{
		Cloud:       m.choice("cloud", "", "alibaba", "baidu"),
		RoleARN:     m.text("roleArn", ""),
		Credentials: m.text("credentials", ""),
	}
	switch {
	case a.RoleARN == "" && a.Credentials == "":
		m.fail(m.node, m.path, "has neither roleArn nor credentials; give it one")
	case a.RoleARN != "" && a.Cloud == "baidu":
		m.fail(m.near("roleArn"), m.at("roleArn"), "Baidu accounts assume no role; use credentials")
	case a.RoleARN != "" && !roleARN.MatchString(a.RoleARN):
		m.fail(m.near("roleArn"), m.at("roleArn"), "no role; write acs:ram::1234567890123456:role/NAME")
	}
	kind, rest, _ := strings.Cut(a.Credentials, ":")
	if a.Credentials != "" && (rest == "" || kind != "file" && kind != "env") {
		m.fail(m.near("credentials"), m.at("credentials"), "must be file:PATH or env:PREFIX, never the keys themselves")
	}
	return a
}

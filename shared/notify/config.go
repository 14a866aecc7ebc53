package notify

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"havip-functions/shared/guard"
)

// FromEnvironment reads HAVIP_NOTIFY, a list separated by spaces or commas, each as
// dingtalk:https://…#secret; page: before it leaves what only informs out. It returns the
// chats by names that stay the same as long as their addresses do. No error repeats any
// of it, since the addresses are secrets.
func FromEnvironment(getenv func(string) string) (map[string]*Chat, error) {
	chats := map[string]*Chat{}
	list := strings.FieldsFunc(getenv("HAVIP_NOTIFY"), func(r rune) bool { return strings.ContainsRune(", \t\n", r) })
	for i, entry := range list {
		c, err := parse(entry)
		if err != nil {
			return nil, fmt.Errorf("HAVIP_NOTIFY: number %d of %d: %w", i+1, len(list), err)
		}
		name := fmt.Sprintf("%s-%.4x", c.service.name, sha256.Sum256([]byte(c.address)))
		if chats[name] != nil {
			return nil, fmt.Errorf("HAVIP_NOTIFY: number %d of %d: its address stands there twice; a chat hears pages, or all", i+1, len(list))
		}
		chats[name] = c
	}
	return chats, nil
}

func parse(entry string) (*Chat, error) {
	entry, pages := strings.CutPrefix(entry, "page:")
	name, address, _ := strings.Cut(entry, ":")
	i := slices.IndexFunc(services, func(s service) bool { return s.name == name })
	if i < 0 {
		return nil, errors.New("write it as dingtalk:https://…#secret, feishu:…, wecom:… or slack:…, with page: before it for pages alone")
	}
	address, secret, _ := strings.Cut(address, "#")
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !guard.Loopback(u.Host)) {
		return nil, fmt.Errorf("the address of %s can't be read; copy the whole webhook, https:// included", name)
	}
	if secret != "" && services[i].sign == nil {
		return nil, fmt.Errorf("%s signs nothing; leave out what follows #", name)
	}
	return &Chat{service: services[i], address: address, secret: secret, pages: pages}, nil
}

package ledger

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/nats-io/nats.go"
)

// NATS is a server or a cluster, and how one is let in there.
type NATS struct {
	URLs        string // after a comma each; tls:// asks for TLS
	Credentials string // a file of NATS's own form, with a JWT and its seed; "" for none
	CA          string // a file of who signed its certificates; "" for who the system believes
}

// NATSFrom reads beside the addresses what the environment says.
func NATSFrom(urls string, getenv func(string) string) NATS {
	return NATS{URLs: urls, Credentials: getenv("HAVIP_NATS_CREDS"), CA: getenv("HAVIP_NATS_CA")}
}

// Connect connects, and again whenever the connection is lost. No error says a password.
func (n NATS) Connect() (*nats.Conn, error) {
	options := []nats.Option{nats.Name("havip"), nats.MaxReconnects(-1), nats.Timeout(patience)} // a busy machine takes its time
	if n.Credentials != "" {
		options = append(options, nats.UserCredentials(n.Credentials))
	}
	if n.CA != "" {
		options = append(options, nats.RootCAs(n.CA))
	}
	conn, err := nats.Connect(n.URLs, options...)
	if u := new(url.Error); errors.As(err, &u) {
		err = errors.New("the address can't be read") // what else is told repeats it
	}
	if err != nil {
		return nil, fmt.Errorf("NATS at %s: %w", n.hosts(), err)
	}
	return conn, nil
}

// hosts names the servers alone: a URL may hold a password or a token.
func (n NATS) hosts() string {
	var hosts []string
	for one := range strings.SplitSeq(n.URLs, ",") {
		u, err := url.Parse(strings.TrimSpace(one))
		if err != nil || u.Host == "" {
			hosts = append(hosts, "an address that can't be read")
			continue
		}
		hosts = append(hosts, u.Host)
	}
	return strings.Join(hosts, ",")
}

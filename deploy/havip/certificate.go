package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate is the host's own, read anew when its files change. One that can't be read
// leaves the last good one in its place.
type certificate struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	asked   time.Time    // when the files were looked at
	stamps  [2]time.Time // theirs, when they were read
	current *tls.Certificate
}

// openCertificate reads both files, or nothing where neither is named.
func openCertificate(cert, key string, log *slog.Logger) (*tls.Config, error) {
	switch {
	case cert == "" && key == "":
		return nil, nil //nolint:nilnil // no TLS, and nothing wrong
	case cert == "" || key == "":
		return nil, usage("--tls-cert and --tls-key go together; name both")
	}
	c := &certificate{cert: cert, key: key, log: log}
	if err := c.read(); err != nil {
		return nil, usage("%v", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}, nil
}

// read reads the files, where they are others than before.
func (c *certificate) read() error {
	var stamps [2]time.Time
	for i, path := range []string{c.cert, c.key} {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("%s: %w; --tls-cert names the certificate with its chain, --tls-key its key, both as PEM", []string{"--tls-cert", "--tls-key"}[i], err)
		}
		stamps[i] = info.ModTime()
	}
	if stamps == c.stamps {
		return nil
	}
	c.stamps = stamps
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("--tls-cert %s with --tls-key %s: %w", c.cert, c.key, err)
	}
	c.current = &pair
	return nil
}

// lookEvery is how long a new certificate may stay unseen.
const lookEvery = time.Second

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.asked) > lookEvery {
		c.asked = now
		before := c.current
		switch err := c.read(); {
		case err != nil:
			c.log.Error("the new certificate is refused, the last good one serves", "error", err)
		case c.current != before:
			c.log.Info("a new certificate serves", "until", c.current.Leaf.NotAfter)
		}
	}
	return c.current, nil
}

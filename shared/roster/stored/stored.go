// Package stored finds the roster where the functions' environment says: in a
// file, in an object store, or in the environment itself.
package stored

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"havip-functions/shared/alibaba"
	"havip-functions/shared/havip"
	"havip-functions/shared/roster"
)

const (
	rosterAge     = time.Minute // how long a roster from a store serves unread
	rosterTimeout = 5 * time.Second
	maxRoster     = 4 << 20
)

// Caller is who asks for the roster: a function in its region, with its keys.
type Caller struct {
	Region      string
	Credentials func(context.Context) (havip.Credentials, error)
}

// Roster finds the roster for a caller.
type Roster func(context.Context, Caller) (*roster.File, error)

// Open returns what finds the roster: at a path, oss://bucket/key, s3://bucket/key,
// or the YAML itself. One in a store is fetched with the caller's credentials, and
// so by the first caller; any other is read now.
func Open(_ context.Context, where string, log *slog.Logger) (Roster, error) {
	if where == "" {
		return nil, fmt.Errorf("HAVIP_ROSTER is not set; give the path of roster.yaml, oss://bucket/key, s3://bucket/key, or its text")
	}
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "oss" && u.Scheme != "s3" {
		file, err := roster.Open(where)
		if err != nil {
			return nil, err
		}
		file.Log = log
		return func(context.Context, Caller) (*roster.File, error) { return file, nil }, nil
	}
	if u.Host == "" || len(u.Path) < 2 {
		return nil, fmt.Errorf("HAVIP_ROSTER: %s is no object; give %s://bucket/key", where, u.Scheme)
	}
	fetch, err := store(u)
	if err != nil {
		return nil, err
	}
	return (&stored{fetch: fetch, where: where, log: log}).open, nil
}

// fetcher reads an object of a store, for the caller.
type fetcher func(context.Context, Caller) ([]byte, error)

func store(u *url.URL) (fetcher, error) {
	if u.Scheme == "s3" {
		return newS3(u)
	}
	return func(ctx context.Context, c Caller) ([]byte, error) {
		return alibaba.Object{URL: u, Region: c.Region, Credentials: c.Credentials}.Read(ctx, maxRoster)
	}, nil
}

// stored is a roster in a store. Its copy in a file is what roster.File follows,
// which refuses a bad version and keeps the last good one.
type stored struct {
	fetch fetcher
	where string
	log   *slog.Logger

	mu      sync.Mutex
	file    *roster.File
	path    string
	text    []byte
	fetched time.Time
}

func (s *stored) open(ctx context.Context, caller Caller) (*roster.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil && time.Since(s.fetched) < rosterAge {
		return s.file, nil
	}
	s.fetched = time.Now()
	err := s.refresh(ctx, caller)
	switch {
	case err != nil && s.file == nil:
		return nil, fmt.Errorf("roster %s: %w", s.where, err)
	case err != nil:
		s.log.Error("the roster can't be read again, the last good one serves", "roster", s.where, "error", err)
	}
	return s.file, nil
}

func (s *stored) refresh(ctx context.Context, caller Caller) error {
	ctx, cancel := context.WithTimeout(ctx, rosterTimeout)
	defer cancel()
	text, err := s.fetch(ctx, caller)
	if err != nil {
		return err
	}
	if bytes.Equal(text, s.text) {
		return nil
	}
	if s.path == "" {
		folder, err := os.MkdirTemp("", "havip-roster-")
		if err != nil {
			return err
		}
		s.path = filepath.Join(folder, "roster.yaml")
	}
	if err := os.WriteFile(s.path, text, 0o600); err != nil {
		return err
	}
	s.text = text
	if s.file != nil {
		return nil
	}
	file, err := roster.Open(s.path)
	if err != nil {
		s.text = nil
		return err
	}
	file.Log = s.log
	s.file = file
	return nil
}

package runtime

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

	"havip-functions/shared/roster"
)

const (
	rosterAge     = time.Minute // how long a roster from a store serves unread
	rosterTimeout = 5 * time.Second
	maxRoster     = 1 << 20
)

// rosters returns what finds the roster for a call. One in a store is fetched
// with the call's credentials, and so by the first call; any other is read now.
func (env Environment) rosters(ctx context.Context) (func(context.Context, Call) (*roster.File, error), error) {
	where := env.Getenv("HAVIP_ROSTER")
	if where == "" {
		return nil, fmt.Errorf("HAVIP_ROSTER is not set; give the path of roster.yaml, oss://bucket/key, s3://bucket/key, or its text")
	}
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "oss" && u.Scheme != "s3" {
		file, err := roster.Open(where)
		if err != nil {
			return nil, err
		}
		file.Log = env.Log
		return func(context.Context, Call) (*roster.File, error) { return file, nil }, nil
	}
	if u.Host == "" || len(u.Path) < 2 {
		return nil, fmt.Errorf("HAVIP_ROSTER: %s is no object; give %s://bucket/key", where, u.Scheme)
	}
	fetch, err := env.store(ctx, u)
	if err != nil {
		return nil, err
	}
	return (&stored{fetch: fetch, where: where, log: env.Log}).open, nil
}

func (env Environment) store(ctx context.Context, u *url.URL) (fetcher, error) {
	if u.Scheme == "s3" {
		return newS3(ctx, u)
	}
	return oss{u, env.own}.fetch, nil
}

// fetcher reads an object of a store, with the credentials of the call.
type fetcher func(context.Context, Call) ([]byte, error)

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

func (s *stored) open(ctx context.Context, call Call) (*roster.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil && time.Since(s.fetched) < rosterAge {
		return s.file, nil
	}
	s.fetched = time.Now()
	err := s.refresh(ctx, call)
	switch {
	case err != nil && s.file == nil:
		return nil, fmt.Errorf("roster %s: %w", s.where, err)
	case err != nil:
		s.log.Error("the roster can't be read again, the last good one serves", "roster", s.where, "error", err)
	}
	return s.file, nil
}

func (s *stored) refresh(ctx context.Context, call Call) error {
	ctx, cancel := context.WithTimeout(ctx, rosterTimeout)
	defer cancel()
	text, err := s.fetch(ctx, call)
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

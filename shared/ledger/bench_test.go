package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"havip-functions/shared/ledger"
)

// BenchmarkHistory reads one story, and the first page of a HAVIP's and of all,
// with few stories in the archive and with many: beside each other they should
// cost the same.
func BenchmarkHistory(b *testing.B) {
	for name, size := range map[string]struct {
		open func(testing.TB) ledger.Ledger
		many int
	}{
		"JetStream": {openJetStream, 100_000},
		"DynamoDB":  {openDynamoDB, 10_000}, // by a server that takes a minute for them
	} {
		for _, many := range []int{1_000, size.many} { // of which a HAVIP has one in twenty
			b.Run(fmt.Sprintf("%s of %d", name, many), func(b *testing.B) {
				l := size.open(b)
				fill(b, l, many)
				benchmarkReads(b, l)
			})
		}
	}
}

func benchmarkReads(b *testing.B, l ledger.Ledger) {
	first := story("", at)
	for name, read := range map[string]func() error{
		"story": func() error { _, err := l.Story(b.Context(), id(first.HAVIP, 50)); return err },
		"page":  func() error { _, _, err := l.Stories(b.Context(), first.HAVIP.String(), "", 50); return err },
		"all":   func() error { _, _, err := l.Stories(b.Context(), "", "", 50); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fill archives so many stories of twenty HAVIPs.
func fill(b *testing.B, l ledger.Ledger, many int) {
	b.Helper()
	for n := range many {
		s := story("", at.Add(time.Duration(n)*time.Second))
		if n%20 != 0 {
			s.HAVIP.ID += fmt.Sprint(n % 20)
		}
		s.ID = id(s.HAVIP, n)
		if n == 50 {
			s.HAVIP = story("", at).HAVIP
			s.ID = id(s.HAVIP, n)
		}
		if err := l.Archive(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}

package roster

import (
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"havip-functions/shared/havip"
	"havip-functions/shared/yamlfile"
)

// File is a roster that follows its file. A bad version is refused and reported
// once; the last good one keeps serving.
type File struct {
	// Log hears of changes; slog.Default where nil. Set it before first use.
	Log *slog.Logger

	path    string // empty for an inline roster, which never changes
	mu      sync.Mutex
	roster  *Roster
	stamp   stamp
	checked time.Time
	refused error // why the newest version does not serve
}

var _ havip.Roster = (*File)(nil)

// stamp tells one version of a file from the next. It is zero while there is no
// file.
type stamp struct{ modified, size int64 }

// Open reads a roster from a file, or from the text itself if it has a line
// break. It fails unless the roster is good.
func Open(path string) (*File, error) {
	f := &File{path: path, checked: time.Now()}
	var err error
	if strings.Contains(path, "\n") {
		f.path = ""
		f.roster, err = Parse([]byte(path))
	} else {
		f.stamp = stampOf(path) // before reading: a later write shows as a change
		f.roster, err = load(path)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Policies returns what the newest good version says. It looks at the file at
// most once a second.
func (f *File) Policies() []havip.Policy { return f.Current().Policies() }

// Index finds what the newest good version says, as Policies does.
func (f *File) Index() *havip.Index { return f.Current().Index() }

// Current returns the newest good version, as Policies does.
func (f *File) Current() *Roster {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.path != "" && time.Since(f.checked) >= time.Second {
		f.checked = time.Now()
		f.refresh()
	}
	return f.roster
}

// Refused is why the newest version of the file does not serve; nil where it does.
func (f *File) Refused() error {
	f.Current()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refused
}

func (f *File) refresh() {
	now := stampOf(f.path)
	if now == f.stamp {
		return
	}
	f.stamp = now
	log := f.Log
	if log == nil {
		log = slog.Default()
	}
	fresh, err := load(f.path)
	f.refused = err
	switch {
	case err != nil:
		log.Error("the changed roster is refused, the last good one serves", "roster", f.roster.Hash, "error", err)
	case fresh.Hash != f.roster.Hash:
		log.Info("the roster changed", "roster", fresh.Hash, "before", f.roster.Hash)
		f.roster = fresh
	}
}

func load(path string) (*Roster, error) {
	file, err := yamlfile.Load("roster", path)
	if err != nil {
		return nil, err
	}
	return parse(file)
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime().UnixNano(), info.Size()}
}

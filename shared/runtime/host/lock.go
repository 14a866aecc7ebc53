package host

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock takes the file for this process until it ends: two engines on one folder
// would destroy each other's streams.
func lock(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fmt.Errorf("%s is in use by another havip serve; stop it or give another --data", path)
	}
	return err // the file stays open, and so the lock held, for as long as we live
}

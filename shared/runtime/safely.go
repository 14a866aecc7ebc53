package runtime

import (
	"fmt"
	"log/slog"
	"runtime/debug"
)

// Panicked is the error of a function that panicked with the value.
type Panicked struct{ Value any }

// Error implements error.
func (p Panicked) Error() string {
	return fmt.Sprintf("the function panicked: %v; see its log", p.Value)
}

// Safely runs do and turns its panic into an error, [Panicked], whose stack the
// log has: one bad event must not end the process that others are answered by.
func Safely(log *slog.Logger, do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			log.Error("panic", "value", fmt.Sprint(v), "stack", string(debug.Stack()))
			err = Panicked{v}
		}
	}()
	return do()
}

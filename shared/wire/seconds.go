package wire

import "time"

// Seconds is a delay as the clouds take it: whole seconds, rounded up, from none
// to the most that this one takes.
func Seconds(after, most time.Duration) int {
	d := max(0, min(after, most))
	return int((d + time.Second - 1) / time.Second)
}

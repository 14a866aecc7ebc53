package functionstest

import "testing"

// Story is a row of a table: a scene, what happens in it, and how it ends.
type Story struct {
	Name  string
	Scene Scene
	Tell  func(*Stage)

	// Calls are those that ask for a change: "+i-db3 -i-db1", "-i-db1!" with
	// Force, "+i-db3:SystemBusy*4" with the cloud's no, four times in a row, and
	// "+i-db3@users" at users.
	Calls string

	// Outcomes are in order, with the instance that they name: "attached i-db3".
	Outcomes string

	// Holders are those of orders, sorted, with a star at the one that serves.
	Holders string

	// Says are words that the last outcome tells, in its rule, code or advice.
	Says []string
}

// Run plays each story as a test of its own.
func Run(t *testing.T, stories []Story) {
	t.Helper()
	for _, story := range stories {
		t.Run(story.Name, func(t *testing.T) {
			t.Parallel()
			Play(t, story.Scene, func(s *Stage) {
				story.Tell(s)
				s.Want(story.Calls, story.Outcomes, story.Holders)
				s.Says(story.Says...)
			})
		})
	}
}

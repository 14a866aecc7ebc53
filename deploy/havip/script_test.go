package main

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The stories in testdata/script are what a person types and reads, errors included,
// with clouds and a host of their own. Beside testscript's commands they have
//
//	clouds [FLAG...]        simulate both clouds; havip finds them
//	host                    serve roster.yaml, on the data folder data; havip finds it
//	leave                   stop the host
//	ask METHOD PATH [BODY]  of the host, which prints its status and answer
//	stop-clouds             as if they were away
//	control METHOD PATH [BODY]
//	within DURATION havip [ARG...]   until it exits with 0
//	refuses CODE havip [ARG...]      it exits with this code
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scripts: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			s := &stage{t: t}
			testscript.Run(t, testscript.Params{
				Files: []string{file}, RequireExplicitExec: true,
				Setup: func(env *testscript.Env) error {
					env.Setenv("HAVIP_ROSTER", "roster.yaml")
					env.Setenv("HAVIP_HOST", "http://127.0.0.1:1")
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"clouds": s.clouds, "host": s.host, "leave": s.leave, "control": s.control, "ask": s.ask, "stop-clouds": func(*testscript.TestScript, bool, []string) { s.world.kill() },
					"within": within, "refuses": refuses,
				},
			})
		})
	}
}

// stage is the processes of one script.
type stage struct {
	t     *testing.T
	world clouds
	d     *daemon
}

func (s *stage) clouds(ts *testscript.TestScript, _ bool, args []string) {
	s.world = simulate(s.t, append([]string{"--associate-time", "100ms"}, args...)...)
	for _, set := range s.world.env {
		name, value, _ := strings.Cut(set, "=")
		ts.Setenv(name, value)
	}
}

func (s *stage) host(ts *testscript.TestScript, _ bool, _ []string) {
	s.d = s.world.serve(s.t, ts.MkAbs("data"), ts.MkAbs("roster.yaml"))
	ts.Setenv("HAVIP_HOST", s.d.url())
}

func (s *stage) leave(*testscript.TestScript, bool, []string) { s.d.stop(s.t) }

func (s *stage) control(_ *testscript.TestScript, _ bool, args []string) {
	s.world.control(s.t, args[0], args[1], strings.Join(args[2:], " "))
}

func (s *stage) ask(ts *testscript.TestScript, _ bool, args []string) {
	r, err := http.NewRequestWithContext(s.t.Context(), args[0], s.d.url()+args[1], strings.NewReader(strings.Join(args[2:], " ")))
	ts.Check(err)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	ts.Check(err)
	defer answer.Body.Close()
	_, _ = fmt.Fprintln(ts.Stdout(), answer.StatusCode)
	_, err = io.Copy(ts.Stdout(), answer.Body)
	ts.Check(err)
}

func within(ts *testscript.TestScript, neg bool, args []string) {
	bound, err := time.ParseDuration(args[0])
	ts.Check(err)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(bound); ; {
		if err = ts.Exec(args[1], args[2:]...); (err == nil) != neg {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			ts.Fatalf("not within %s: %v", bound, err)
		}
	}
}

func refuses(ts *testscript.TestScript, _ bool, args []string) {
	if err := ts.Exec(args[1], args[2:]...); err == nil || err.Error() != "exit status "+args[0] {
		ts.Fatalf("%v, want exit status %s", err, args[0])
	}
}

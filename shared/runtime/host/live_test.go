package host_test

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"havip-functions/shared/runtime/host"
)

// watch follows the stream from a place, and returns the next outcomes' places and
// stories. A beat counts as none.
func watch(t testing.TB, h *host.Host, after string, most int) (places []string, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.Addr+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Last-Event-ID", after)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Fatalf("%s %s", answer.Status, kind)
	}
	id := ""
	for lines := bufio.NewScanner(answer.Body); len(places) < most && lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case name == "id":
			id = value
		case name == "data" && strings.HasPrefix(value, "{"):
			places, text = append(places, id), text+value+"\n"
		}
	}
	if len(places) < most {
		t.Fatalf("the stream ended after %v", places)
	}
	return places, text
}

// A viewer who comes again goes on where he was, with no outcome left out and none twice.
func TestConsoleLiveGoesOnWithoutAGap(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir()})
	var stories []string
	begin := func(id string) { stories = append(stories, first(t, h, id)); outcome(t, h, stories[len(stories)-1]) }
	begin("1")
	places, text := watch(t, h, "0", 1)
	for _, id := range []string{"2", "3", "4"} { // while nobody watches
		begin(id)
	}
	more, rest := watch(t, h, places[0], 3)
	if text += rest; strings.Count(text, "\n") != 4 {
		t.Errorf("%v, then %v", places, more)
	}
	for _, s := range stories {
		if strings.Count(text, `"story":"`+s+`"`) != 1 {
			t.Errorf("story %s is not told once: %s", s, text)
		}
	}
	heard := make(chan string)
	go func() {
		_, text := watch(t, h, "", 1) // from now on
		heard <- text
	}()
	for n := 0; ; n++ {
		begin("now-" + string(rune('a'+n)))
		select {
		case text := <-heard:
			if strings.Contains(text, stories[0]) {
				t.Errorf("from now on begins with %s", text)
			}
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// The stream outlives the time that a usual request has to be read, and says that it lives.
func TestConsoleLiveBeats(t *testing.T) {
	h := serve(t, simulated(t), host.Config{Data: t.TempDir()})
	r := request(t, http.MethodGet, "http://"+h.Addr+"/live", "")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	beats, began := 0, time.Now()
	for lines := bufio.NewScanner(answer.Body); beats < 4; { // the server reads 15 s at most
		if !lines.Scan() {
			t.Fatalf("it ended after %s, with %d beats: %v", time.Since(began), beats, lines.Err())
		}
		if lines.Text() == "event: beat" {
			beats++
		}
	}
}

package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// habits are what FC's asynchronous invocation may do to us.
type habits struct {
	delay     func(asked time.Duration) time.Duration // nil keeps to it
	twice     bool                                    // delivers each event twice
	cutFirst  bool                                    // cuts the first try of each event off
	busyFirst bool                                    // answers 429 to the first try of each event
	refuses   bool                                    // has no permission for us
	timeout   int                                     // of a function, in seconds; 0 is 60
	rests     bool                                    // between two tries as FC does, ever longer
}

// serveAsync takes an asynchronous call as FC's API does: 202, once its
// signature is right.
func (f *functionCompute) serveAsync(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender has gone
	}
	if why := f.refusal(r, body); why != "" {
		f.t.Errorf("an asynchronous call is refused: %s", why)
		w.WriteHeader(http.StatusForbidden)
		return
	}
	name := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/2023-03-30/functions/"), "/invocations")
	if f.habits.refuses {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if _, again := f.known.LoadOrStore(eventID(body), true); !again {
		switch {
		case f.habits.cutFirst:
			panic(http.ErrAbortHandler)
		case f.habits.busyFirst:
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
	}
	f.take(call{function: name, payload: body}, r.Header.Get("x-fc-async-delay"))
	w.WriteHeader(http.StatusAccepted)
}

func (f *functionCompute) take(c call, asked string) {
	seconds, _ := strconv.Atoi(asked) // none is now
	after := time.Duration(seconds) * time.Second
	if f.habits.delay != nil {
		after = f.habits.delay(after)
	}
	f.mu.Lock()
	f.taken++
	f.mu.Unlock()
	f.async(c, after)
	if f.habits.twice {
		f.async(c, after)
	}
}

func eventID(body []byte) string {
	var e struct{ ID string }
	_ = json.Unmarshal(body, &e) // what is none has no id
	return e.ID
}

// refusal says what FC would find wrong with an asynchronous call.
func (f *functionCompute) refusal(r *http.Request, body []byte) string {
	switch {
	case r.Method != http.MethodPost || !strings.HasPrefix(r.URL.Path, "/2023-03-30/functions/havip-") || !strings.HasSuffix(r.URL.Path, "/invocations"):
		return r.Method + " " + r.URL.Path
	case r.Header.Get("x-fc-invocation-type") != "Async":
		return "it is not asynchronous"
	case len(body) > 128<<10:
		return "its payload is larger than 128 KB"
	}
	return badSignature(r, body)
}

// badSignature rebuilds an ACS3 signature of the rotating keys.
func badSignature(r *http.Request, body []byte) string {
	var id, names, signature string
	for part := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), "ACS3-HMAC-SHA256 "), ",") {
		name, value, _ := strings.Cut(part, "=")
		switch name {
		case "Credential":
			id = value
		case "SignedHeaders":
			names = value
		case "Signature":
			signature = value
		}
	}
	at := slices.IndexFunc(slices.Collect(everyKey), func(k string) bool { return k == id })
	if at < 0 || r.Header.Get("x-acs-security-token") != keys(at).SecurityToken {
		return "the key " + id + " is not known, or its token is another's"
	}
	sum := sha256.Sum256(body)
	canonical := r.Method + "\n" + r.URL.EscapedPath() + "\n" + r.URL.RawQuery + "\n"
	for name := range strings.SplitSeq(names, ";") {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		canonical += name + ":" + value + "\n"
	}
	sum = sha256.Sum256([]byte(canonical + "\n" + names + "\n" + hex.EncodeToString(sum[:])))
	mac := hmac.New(sha256.New, []byte(keys(at).AccessKeySecret))
	fmt.Fprintf(mac, "ACS3-HMAC-SHA256\n%x", sum)
	if !strings.Contains(names, "x-acs-security-token") || hex.EncodeToString(mac.Sum(nil)) != signature {
		return "the signature of " + id + " is wrong"
	}
	return ""
}

func everyKey(yield func(string) bool) {
	for n := range rotating {
		if !yield(keys(n).AccessKeyID) {
			return
		}
	}
}

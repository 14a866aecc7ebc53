package guard

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The vector that the specification of Standard Webhooks publishes.
const (
	secretText = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID   = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorAt   = 1614265330
	vectorBody = `{"test": 2432232314}`
	vectorSig  = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func at(stamp int64) string { return strconv.FormatInt(stamp, 10) }

func webhook(id, at string, signatures ...string) http.Header {
	return http.Header{webhookID: {id}, webhookTimestamp: {at}, webhookSignature: {strings.Join(signatures, " ")}}
}

// moment runs a test at the moment of the vector, by the clock of its bubble.
func moment(t *testing.T, later time.Duration, test func(*testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(time.Unix(vectorAt, 0).Add(later)))
		test(t)
	})
}

func TestPublishedVector(t *testing.T) {
	secret, err := parseSecret("whsec_" + secretText)
	if err != nil {
		t.Fatal(err)
	}
	moment(t, 0, func(t *testing.T) {
		h := http.Header{}
		Sign(h, vectorID, []byte(vectorBody), secret, []byte("the next one"))
		got, next, both := strings.Cut(h.Get(webhookSignature), " ")
		if got != vectorSig || h.Get(webhookTimestamp) != at(vectorAt) || h.Get(webhookID) != vectorID {
			t.Errorf("signed %v, want %s", h, vectorSig)
		}
		if !both || !strings.HasPrefix(next, "v1,") || next == got {
			t.Errorf("signed %q, want a second signature", h.Get(webhookSignature))
		}
	})
}

func TestSigned(t *testing.T) {
	g := fromEnvironment(t, environment)
	sign := func(secret, id, at, body string) string {
		return "v1," + base64.StdEncoding.EncodeToString(signature([]byte(secret), id, at, []byte(body)))
	}
	now := at(time.Now().Unix())
	good := sign("plain-secret-of-length", "m1", now, body)
	raw, _ := parseSecret("whsec_" + secretText) // the vector's test checks it
	for _, c := range []struct {
		name   string
		header http.Header
		want   string // "" for proven
	}{
		{"with the first secret", webhook("m1", now, good), ""},
		{"with the second", webhook("m1", now, sign(string(raw), "m1", now, body)), ""},
		{"among others", webhook("m1", now, "v1a,xx", "v1,AAAA", "v1,%", good), ""},
		{"forged", webhook("m1", now, sign("another", "m1", now, body)), "does not fit"},
		{"of another body", webhook("m1", now, sign("plain-secret-of-length", "m1", now, body+" ")), "does not fit"},
		{"of another id", webhook("m2", now, good), "does not fit"},
		{"of another version", webhook("m1", now, "v2"+good[2:]), "does not fit"},
		{"without a version", webhook("m1", now, good[3:]), "does not fit"},
		{"empty secret", webhook("m1", now, sign("", "m1", now, body)), "does not fit"},
		{"no id", webhook("", now, good), "each once"},
		{"two ids", http.Header{webhookID: {"m1", "m2"}, webhookTimestamp: {now}, webhookSignature: {good}}, "each once"},
		{"no time", webhook("m1", "", good), "no whole number"},
		{"a time with a point", webhook("m1", now+".5", good), "no whole number"},
		{"huge time", webhook("m1", "9223372036854775807", good), "from now"},
		{"negative time", webhook("m1", "-9223372036854775808", good), "from now"},
		{"binary mode", with(webhook("m1", now, good), "Ce-Specversion", "1.0"), "structured mode"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := over(t, g, "/events", c.header)
			if c.want == "" && err == nil {
				return
			}
			if c.want == "" || err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, ErrUnproven) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "plain-secret-of-length") {
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

func with(h http.Header, name, value string) http.Header {
	h.Set(name, value)
	return h
}

func TestWindow(t *testing.T) {
	secret, _ := parseSecret("whsec_" + secretText) // the vector's test checks it
	g := Guard{Secrets: [][]byte{secret}}
	for off, proven := range map[time.Duration]bool{
		0: true, Tolerance: true, -Tolerance: true,
		Tolerance + time.Second: false, -Tolerance - time.Second: false, 24 * time.Hour: false,
	} {
		moment(t, off, func(t *testing.T) {
			err := g.signed(webhook(vectorID, at(vectorAt), vectorSig), []byte(vectorBody))
			if (err == nil) != proven || err != nil && !strings.Contains(err.Error(), "5m0s from now") {
				t.Errorf("%s off: %v, want proven: %t", off, err, proven)
			}
		})
	}
}

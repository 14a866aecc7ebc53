package guard

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"net/http"
	"testing"
	"time"
)

// Whatever a stranger sends as proof, it is refused in words, and no secret is in them.
func FuzzProve(f *testing.F) {
	g := Guard{Tokens: []string{"hush-token-1"}, Secrets: [][]byte{[]byte("hush-secret-1")}, EventBridge: NewEventBridge(target)}
	now := at(time.Now().Unix())
	f.Add("m1", now, "v1,AAAA v1a,xx", "Bearer x", "x")
	f.Add("", "-9223372036854775808", "v1,", "Bearer ", "")
	f.Fuzz(func(t *testing.T, id, stamp, signatures, authorization, token string) {
		h := http.Header{webhookID: {id}, webhookTimestamp: {stamp}, webhookSignature: {signatures}, "Authorization": {authorization}}
		h.Set(signatureToken, token)
		if token == "hush-token-1" || authorization == "Bearer hush-token-1" {
			return
		}
		for _, guard := range []Guard{g, {Tokens: g.Tokens}, {Secrets: g.Secrets}} {
			if _, err := guard.Prove(&http.Request{Header: h}, []byte(body)); !errors.Is(err, ErrUnproven) {
				t.Errorf("got %v", err)
			}
		}
	})
}

func FuzzUnwrap(f *testing.F) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(make([]byte, key.Size()))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, wrapped []byte) {
		if text, err := unwrap(&key.PublicKey, wrapped); err == nil && len(text) > key.Size()-11 {
			t.Errorf("unwrapped %d bytes", len(text))
		}
	})
}

func FuzzKey(f *testing.F) {
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if key, err := parseKey(text); (key == nil) == (err == nil) {
			t.Errorf("got %v, %v", key, err)
		}
	})
}

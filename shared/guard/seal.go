package guard

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
)

// Seal marks what we send to ourselves over a bus of others, so that we know it
// again. Several keys count at once, so that one can be rotated: the first one
// seals. Without any, nothing is known again. The zero Seal is that of a bus of
// our own, which nobody else can send on: it needs none.
type Seal struct {
	keys   []string
	needed bool
}

// SealFromEnvironment reads HAVIP_SEAL_KEY, a list separated by spaces or commas.
// All functions of a deployment need the same. An error does not repeat its value.
func SealFromEnvironment(getenv func(string) string) (Seal, error) {
	keys, err := tokensIn(getenv, "HAVIP_SEAL_KEY")
	return Seal{keys, true}, err
}

// Of returns the seal of a text, "" without a key. The subject is what the text
// must not be moved away from.
func (s Seal) Of(subject string, text []byte) string {
	if len(s.keys) == 0 {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(sealed(s.keys[0], subject, text))
}

// Fits tells whether one of our keys sealed this text of this subject.
func (s Seal) Fits(subject string, text []byte, seal string) bool {
	got, err := base64.RawURLEncoding.DecodeString(seal)
	fits := false
	for _, key := range s.keys {
		fits = hmac.Equal(got, sealed(key, subject, text)) || fits
	}
	return !s.needed || fits && err == nil
}

func sealed(key, subject string, text []byte) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte("havip.status.check\x00" + subject + "\x00"))
	mac.Write(text)
	return mac.Sum(nil)
}

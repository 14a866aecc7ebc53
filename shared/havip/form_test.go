package havip

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// What is written out tells the same as the regular expressions that describe it.
func TestForms(t *testing.T) {
	forms := []struct {
		is   func(string) bool
		form string
		like string
	}{
		{IsName, `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`, "orders-db"},
		{IsRegion, `^[a-z][a-z0-9-]{0,31}$`, "cn-hangzhou"},
		{IsHAVIP, `^havip-[A-Za-z0-9-]{1,64}$`, "havip-bp1"},
		{IsInstance, `^i-[A-Za-z0-9-]{1,64}$`, "i-db1"},
		{IsInterface, `^eni-[A-Za-z0-9-]{1,64}$`, "eni-1"},
		{IsRole, `^acs:ram::[0-9]+:role/[A-Za-z0-9._/-]+$`, "acs:ram::12:role/a/b"},
		{IsKey, `^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`, "alibaba.cn-hangzhou.havip-1"},
		{IsStoryID, `^[0-9a-f]{24}$`, strings.Repeat("0a", 12)},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	const odd = "aZ09-_.:/ \n\x00éf"
	for _, f := range forms {
		want := regexp.MustCompile(f.form)
		texts := []string{"", f.like, f.like + strings.Repeat("a", 32-len(f.like)%32), f.like + strings.Repeat("a", 64)}
		for _, text := range []string{f.like, "", "a"} {
			for n := range 140 {
				texts = append(texts, text+strings.Repeat("a", n))
			}
		}
		for range 5000 {
			text := []byte(f.like)
			for range 1 + rng.IntN(2) {
				i := rng.IntN(len(text) + 1)
				switch c := odd[rng.IntN(len(odd))]; rng.IntN(3) {
				case 0:
					text = append(text[:i:i], append([]byte{c}, text[i:]...)...)
				case 1:
					text = text[:i]
				default:
					text = append(text[:max(0, i-1):max(0, i-1)], c)
				}
			}
			texts = append(texts, string(text))
		}
		for _, text := range texts {
			if got := f.is(text); got != want.MatchString(text) {
				t.Errorf("%s of %q: %t", f.form, text, got)
			}
		}
	}
}

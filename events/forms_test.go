package events_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"havip-functions/events"
	"havip-functions/shared/roster"
)

// A check can name every HAVIP that the roster can, and no other.
func TestChecksNameWhatTheRosterCan(t *testing.T) {
	agree := func(region, id string) {
		t.Helper()
		_, unlisted := roster.Parse(fmt.Appendf(nil, "havips: [{name: a, cloud: alibaba, region: %q, id: %q, members: [i-1]}]", region, id))
		_, unread := events.Read(fmt.Appendf(nil, `{"specversion":"1.0","id":"1","source":"/p","type":"havip.status.check","data":`+
			`{"cloud":"alibaba","region":%q,"havip":%q,"story":"5f2c9a0d41b7e3886c0f92aa","attempt":1}}`, region, id), time.Now())
		if (unlisted == nil) != (unread == nil) {
			t.Errorf("%q, %q: the roster says %v, the reader %v", region, id, unlisted, unread)
		}
	}
	for _, region := range []string{"a", "9", "-", "A", "cn-hangzhou", "cn.x", "cn_x", strings.Repeat("r", 32), strings.Repeat("r", 33)} {
		agree(region, "havip-1")
	}
	for _, id := range []string{"a", "-", "A9", "a.b", "a_b", "*", ">", "ü", strings.Repeat("x", 64), strings.Repeat("x", 65), ""} {
		agree("bj", "havip-"+id)
	}
	agree("bj", "Havip-1")
	agree("bj", "1")
}

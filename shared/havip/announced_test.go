package havip

import (
	"strings"
	"testing"
)

func TestAnnouncedBy(t *testing.T) {
	members := Policy{Name: "orders", Members: []Member{{"i-1", "i-1"}, {"i-2", "i-2"}}}
	interfaces := Policy{Name: "orders", Members: []Member{{"eni-1", "i-1"}, {"eni-2", "i-2"}}}
	alone := Policy{Name: "orders", Members: []Member{{"eni-1", "eni-1"}}}
	held := func(kind, announcer string, holders ...string) HAVIP {
		h := HAVIP{Address: "10.0.0.9", Status: InUse, Type: kind, Holders: holders, Announcer: announcer}
		if h.On(announcer) {
			h.Serving = announcer // as an adapter has it
		}
		return h
	}
	for _, tc := range []struct {
		name    string
		p       Policy
		have    HAVIP
		by      AnnouncedBy
		serving string
		says    string // rule and advice
	}{
		{"a holder", members, held("EcsInstance", "i-2", "i-1", "i-2"), ByHolder, "i-2", ""},
		{"nobody", members, held("EcsInstance", "", "i-1", "i-2"), ByNobody, "", "check keepalived on i-1 and"},
		{"nobody holds it", members, held("", ""), ByNobody, "", "nobody holds it"},
		{"a stranger", members, held("EcsInstance", "i-9", "i-1"), ByStranger, "", "i-9, which does not hold it, announces 10.0.0.9 | stop keepalived on i-9"},
		{"a member that does not hold it", members, held("EcsInstance", "i-2", "i-1"), ByStranger, "", "stop keepalived on i-2"},
		{"a stranger, and nobody holds it", members, held("", "i-9"), ByStranger, "", "restart keepalived on a holder"},
		{"an interface of who knows whom", members, held("EcsInstance", "eni-9", "i-1"), ByUnknown, "", "{id: eni-1, instance: i-db1}"},
		{"an interface, and nobody holds it", members, held("", "eni-9"), ByStranger, "", "eni-9, which"},
		{"an interface", interfaces, held("NetworkInterface", "eni-1", "eni-1"), ByHolder, "eni-1", ""},
		{"an interface, by its instance", interfaces, held("NetworkInterface", "i-2", "eni-1", "eni-2"), ByHolder, "eni-2", ""},
		{"a stranger's instance", interfaces, held("NetworkInterface", "i-9", "eni-1", "eni-2"), ByStranger, "", "i-9, which"},
		{"a stranger's interface", alone, held("NetworkInterface", "eni-9", "eni-1"), ByStranger, "", "eni-9, which"},
		{"an instance of who knows which interface", alone, held("NetworkInterface", "i-1", "eni-1"), ByUnknown, "", "can't be told"},
		{"perhaps that of a holder off the roster", interfaces, held("ENI", "i-9", "eni-1", "eni-8"), ByUnknown, "", "can't be told"},
		{"nobody while it moves", members, HAVIP{Status: Associating, Holders: []string{"i-1"}}, ByNobody, "", "it is Associating | wait: the cloud"},
		{"one that is down", members, HAVIP{Status: InUse, Holders: []string{"i-1"}, Announcer: "i-1", States: map[string]InstanceState{"i-1": Stopped}}, ByNobody, "", "none runs"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := tc.have
			h.recognize(tc.p)
			got := h.announcement()
			if got.AnnouncedBy != tc.by || got.Serving != tc.serving || got.Announcer != tc.have.Announcer {
				t.Errorf("announced by %+v, want %s %q", got, tc.by, tc.serving)
			}
			rule, advice := h.unserved(tc.p, "")
			if said := rule + " | " + advice; !strings.Contains(said, tc.says) || (rule == "") != (tc.by == ByHolder) {
				t.Errorf("it says %q, without %q", said, tc.says)
			}
		})
	}
}

// What a cloud guards is the holder that it means, however it is named.
func TestTheMasterIsGuardedByAnyName(t *testing.T) {
	h := HAVIP{Guards: true, Type: "NetworkInterface", Holders: []string{"eni-1", "eni-2"}, Announcer: "i-2"}
	h.recognize(Policy{Members: []Member{{"eni-1", "i-1"}, {"eni-2", "i-2"}}})
	if h.Guarded("eni-1") || !h.Guarded("eni-2") {
		t.Errorf("%+v guards %q", h, h.Serving)
	}
}

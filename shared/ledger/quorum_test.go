package ledger

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// More than half of the replicas have to be heard from, the leader among them.
func TestQuorum(t *testing.T) {
	here, away, gone := &jetstream.PeerInfo{Active: time.Second}, &jetstream.PeerInfo{Active: 5 * time.Second}, &jetstream.PeerInfo{Offline: true}
	for name, tt := range map[string]struct {
		cluster *jetstream.ClusterInfo
		takes   bool
	}{
		"one node":         {nil, true},
		"one replica":      {&jetstream.ClusterInfo{Leader: "n0"}, true},
		"all of three":     {&jetstream.ClusterInfo{Leader: "n0", Replicas: []*jetstream.PeerInfo{here, here}}, true},
		"two of three":     {&jetstream.ClusterInfo{Leader: "n0", Replicas: []*jetstream.PeerInfo{gone, here}}, true},
		"one of three":     {&jetstream.ClusterInfo{Leader: "n0", Replicas: []*jetstream.PeerInfo{gone, away}}, false},
		"nobody leads":     {&jetstream.ClusterInfo{Replicas: []*jetstream.PeerInfo{here, here}}, false},
		"half of four":     {&jetstream.ClusterInfo{Leader: "n0", Replicas: []*jetstream.PeerInfo{here, away, away}}, false},
		"an idle follower": {&jetstream.ClusterInfo{Leader: "n0", Replicas: []*jetstream.PeerInfo{{}, away}}, true},
	} {
		if err := quorum(tt.cluster); (err == nil) != tt.takes {
			t.Errorf("%s: %v", name, err)
		}
	}
}

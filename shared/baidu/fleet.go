package baidu

import (
	"context"
	"slices"
	"strings"

	"github.com/baidubce/bce-sdk-go/services/bcc"
	"github.com/baidubce/bce-sdk-go/services/bcc/api"
	sdk "github.com/baidubce/bce-sdk-go/services/havip"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

const (
	pageSize  = 1000 // the most that a list gives at once
	idsAtOnce = 100  // so that a request's line stays short
)

// List reads every page of the region's HAVIPs.
func (c *Cloud) List(ctx context.Context) ([]havip.HAVIP, error) {
	var list []havip.HAVIP
	for marker := ""; ; {
		var page *sdk.ListHaVipResult
		_, err := c.wire.Call(ctx, "ListHaVips", func(route wire.Route) (err error) {
			page, err = havips(route).ListHaVip(&sdk.ListHaVipArgs{Marker: marker, MaxKeys: pageSize})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, v := range page.HaVips {
			list = append(list, read(v))
		}
		if marker = next(page.IsTruncated, marker, page.NextMarker); marker == "" {
			return list, nil
		}
	}
}

// States reads the instances of BCC's list. What is not on it is left out rather
// than called Deleted, since it may be a machine of another kind (BBC, DCC), and
// so are interfaces.
func (c *Cloud) States(ctx context.Context, ids []string) (map[string]havip.InstanceState, error) {
	servers := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return strings.HasPrefix(id, "eni-") })
	states := make(map[string]havip.InstanceState, len(servers))
	for chunk := range slices.Chunk(servers, idsAtOnce) {
		if err := c.instanceStates(ctx, chunk, states); err != nil {
			return nil, err
		}
	}
	return states, nil
}

// instanceStates adds those of a few instances to states.
func (c *Cloud) instanceStates(ctx context.Context, ids []string, states map[string]havip.InstanceState) error {
	for marker := ""; ; {
		var page *api.ListInstanceResult
		_, err := c.wire.Call(ctx, "ListInstances", func(route wire.Route) (err error) {
			page, err = (&bcc.Client{BceClient: client(route)}).ListInstances(&api.ListInstanceArgs{
				InstanceIds: strings.Join(ids, ","), Marker: marker, MaxKeys: pageSize,
			})
			return err
		})
		if err != nil {
			return err
		}
		for _, i := range page.Instances {
			if s := state(i.Status); s != "" && slices.Contains(ids, i.InstanceId) {
				states[i.InstanceId] = s
			}
		}
		if marker = next(page.IsTruncated, marker, page.NextMarker); marker == "" {
			return nil
		}
	}
}

// next is the marker of the following page; a cloud that repeats one has no more.
func next(more bool, marker, following string) string {
	if !more || following == marker {
		return ""
	}
	return following
}

// state is ours for the cloud's; the empty string where its word tells nothing of
// whether the instance runs.
func state(s api.InstanceStatus) havip.InstanceState {
	switch s {
	case api.InstanceStatusRunning:
		return havip.Running
	case api.InstanceStatusStarting:
		return havip.Starting
	case api.InstanceStatusStopping:
		return havip.Stopping
	case api.InstanceStatusStopped, api.InstanceStatusExpired:
		return havip.Stopped
	case api.InstanceStatusDeleted, api.InstanceStatusRecycled:
		return havip.Deleted
	case api.InstanceStatusScaling, api.InstanceStatusError, api.InstanceStatusSnapshotProcessing,
		api.InstanceStatusImageProcessing, api.InstanceStatusChangeVpcProcessing:
		return ""
	default:
		return ""
	}
}

package baidu

import (
	"context"

	sdk "github.com/baidubce/bce-sdk-go/services/havip"

	"havip-functions/shared/havip"
	"havip-functions/shared/wire"
)

// Get reads one HAVIP.
func (c *Cloud) Get(ctx context.Context, id string) (havip.HAVIP, error) {
	var v *sdk.HaVip
	_, err := c.wire.Call(ctx, "GetHaVip", func(route wire.Route) (err error) {
		v, err = havips(route).GetHaVipDetail(id)
		return err
	})
	if err != nil {
		return havip.HAVIP{}, err
	}
	return read(*v), nil
}

// Attach asks for the instance with PUT ?attach.
func (c *Cloud) Attach(ctx context.Context, call havip.Call) (havip.Receipt, error) {
	requestID, err := c.wire.Call(ctx, "AttachHaVip", func(route wire.Route) error {
		return havips(route).HaVipAttachInstance(args(call))
	})
	return havip.Receipt{RequestID: requestID}, err
}

// Detach takes the HAVIP from the instance with PUT ?detach. The cloud guards no
// holder, so Force means nothing here.
func (c *Cloud) Detach(ctx context.Context, call havip.Call) (havip.Receipt, error) {
	requestID, err := c.wire.Call(ctx, "DetachHaVip", func(route wire.Route) error {
		return havips(route).HaVipDetachInstance(args(call))
	})
	return havip.Receipt{RequestID: requestID}, err
}

func args(call havip.Call) *sdk.HaVipInstanceArgs {
	return &sdk.HaVipInstanceArgs{
		HaVipId:      call.HAVIP,
		InstanceIds:  []string{call.Instance},
		InstanceType: call.InstanceType,
		ClientToken:  call.Token,
	}
}

// read reads what the cloud says of a HAVIP. It marks the master among the holders
// alone: a stranger that announces the address shows as nobody.
func read(v sdk.HaVip) havip.HAVIP {
	have := havip.HAVIP{
		ID:      v.HaVipId,
		Address: v.PrivateIpAddress,
		Network: v.SubnetId,
		Status:  status(v.Status),
	}
	for _, i := range v.BindedInstances {
		have.Holders = append(have.Holders, i.InstanceId)
		have.Type = i.InstanceType
		if i.Master {
			have.Serving, have.Announcer = i.InstanceId, i.InstanceId
		}
	}
	return have
}

// status leaves a word that it doesn't know as it is: it counts as moving.
func status(s string) havip.Status {
	switch s {
	case "available":
		return havip.Available
	case "bound":
		return havip.InUse
	default:
		return havip.Status(s)
	}
}

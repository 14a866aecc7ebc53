package baidu

import (
	"context"
	"errors"
	"net/http"

	"github.com/baidubce/bce-sdk-go/bce"
	sdk "github.com/baidubce/bce-sdk-go/services/havip"

	"havip-functions/shared/havip"
)

// Get reads one HAVIP.
func (c *Cloud) Get(ctx context.Context, id string) (havip.HAVIP, error) {
	var v *sdk.HaVip
	_, err := c.call(ctx, "GetHaVip", func(client *bce.BceClient) (err error) {
		v, err = (&sdk.Client{BceClient: client}).GetHaVipDetail(id)
		return err
	})
	if err != nil {
		return havip.HAVIP{}, err
	}
	return read(*v), nil
}

// Attach asks for the instance with PUT ?attach.
func (c *Cloud) Attach(ctx context.Context, call havip.Call) (havip.Receipt, error) {
	requestID, err := c.call(ctx, "AttachHaVip", func(client *bce.BceClient) error {
		return (&sdk.Client{BceClient: client}).HaVipAttachInstance(args(call))
	})
	if err != nil {
		return c.readBack(ctx, call, attempt{err: err, held: true})
	}
	return havip.Receipt{RequestID: requestID}, nil
}

// Detach takes the HAVIP from the instance with PUT ?detach. The cloud guards no
// holder, so Force means nothing here.
func (c *Cloud) Detach(ctx context.Context, call havip.Call) (havip.Receipt, error) {
	requestID, err := c.call(ctx, "DetachHaVip", func(client *bce.BceClient) error {
		return (&sdk.Client{BceClient: client}).HaVipDetachInstance(args(call))
	})
	if err != nil {
		return c.readBack(ctx, call, attempt{err: err, held: false})
	}
	return havip.Receipt{RequestID: requestID}, nil
}

// attempt is a call that failed, and what it was for.
type attempt struct {
	err  error
	held bool // the instance should hold the HAVIP
}

// readBack turns a refusal into a yes where it is so already: the codes that say
// so are not published, so any refusal but the account's own may be one. Something
// that was not found is the instance, if the HAVIP is there.
func (c *Cloud) readBack(ctx context.Context, call havip.Call, a attempt) (havip.Receipt, error) {
	var refused *havip.Error
	if !errors.As(a.err, &refused) || !concernsHAVIP(refused) {
		return havip.Receipt{}, a.err
	}
	have, err := c.Get(ctx, call.HAVIP)
	switch {
	case errors.Is(err, havip.ErrBusy): // whether it is so already is open
		return havip.Receipt{}, err
	case err == nil && have.On(call.Instance) == a.held:
		return havip.Receipt{RequestID: refused.RequestID}, nil
	case err == nil && refused.Status == http.StatusNotFound:
		refused.Instance = true
	}
	return havip.Receipt{}, refused
}

func args(call havip.Call) *sdk.HaVipInstanceArgs {
	return &sdk.HaVipInstanceArgs{
		HaVipId:      call.HAVIP,
		InstanceIds:  []string{call.Instance},
		InstanceType: call.InstanceType,
		ClientToken:  call.Token,
	}
}

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
			have.Serving = i.InstanceId
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

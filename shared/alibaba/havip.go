package alibaba

import (
	"context"
	"errors"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"

	"havip-functions/shared/havip"
)

// Get reads one HAVIP with DescribeHaVips.
func (c *Cloud) Get(ctx context.Context, id string) (havip.HAVIP, error) {
	req, resp := vpc.CreateDescribeHaVipsRequest(), vpc.CreateDescribeHaVipsResponse()
	req.Filter = &[]vpc.DescribeHaVipsFilter{{Key: "HaVipId", Value: &[]string{id}}}
	requestID, err := c.vpc.call(ctx, req, resp)
	if err != nil {
		return havip.HAVIP{}, err
	}
	for _, v := range resp.HaVips.HaVip {
		if v.HaVipId == id {
			return read(v), nil
		}
	}
	return havip.HAVIP{}, notFound(req.GetActionName(), requestID)
}

// Attach asks for the instance with AssociateHaVip.
func (c *Cloud) Attach(ctx context.Context, call havip.Call) (havip.Receipt, error) {
	req, resp := vpc.CreateAssociateHaVipRequest(), vpc.CreateAssociateHaVipResponse()
	req.HaVipId, req.InstanceId, req.InstanceType = call.HAVIP, call.Instance, call.InstanceType
	req.ClientToken = call.Token
	requestID, err := c.vpc.call(ctx, req, resp)
	if err != nil {
		return c.readBack(ctx, call, attempt{err: err, held: true})
	}
	return havip.Receipt{RequestID: requestID}, nil
}

// Detach takes the HAVIP from the instance with UnassociateHaVip.
func (c *Cloud) Detach(ctx context.Context, call havip.Call) (havip.Receipt, error) {
	req, resp := vpc.CreateUnassociateHaVipRequest(), vpc.CreateUnassociateHaVipResponse()
	req.HaVipId, req.InstanceId, req.InstanceType = call.HAVIP, call.Instance, call.InstanceType
	req.ClientToken = call.Token
	if call.Force {
		req.Force = "True"
	}
	requestID, err := c.vpc.call(ctx, req, resp)
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

// readBack turns a refusal that may only say "it is so already" into a yes where
// it is so.
func (c *Cloud) readBack(ctx context.Context, call havip.Call, a attempt) (havip.Receipt, error) {
	var refused *havip.Error
	if !errors.As(a.err, &refused) || !already[refused.Code] {
		return havip.Receipt{}, a.err
	}
	have, err := c.Get(ctx, call.HAVIP)
	switch {
	case err != nil:
		return havip.Receipt{}, err
	case have.On(call.Instance) == a.held:
		return havip.Receipt{RequestID: refused.RequestID}, nil
	case have.Moving():
		refused.Kind = havip.ErrBusy
	}
	return havip.Receipt{}, refused
}

func read(v vpc.HaVip) havip.HAVIP {
	have := havip.HAVIP{
		ID:      v.HaVipId,
		Address: v.IpAddress,
		Network: v.VSwitchId,
		Status:  havip.Status(v.Status),
		Type:    v.AssociatedInstanceType,
		Holders: v.AssociatedInstances.AssociatedInstance,
		Guards:  true,
	}
	if have.On(v.MasterInstanceId) {
		have.Serving = v.MasterInstanceId
	}
	return have
}

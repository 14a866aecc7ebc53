package alibaba

import (
	"context"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"

	"havip-functions/shared/havip"
)

// Get reads one HAVIP with DescribeHaVips.
func (c *Cloud) Get(ctx context.Context, id string) (havip.HAVIP, error) {
	req, resp := vpc.CreateDescribeHaVipsRequest(), vpc.CreateDescribeHaVipsResponse()
	req.Filter = &[]vpc.DescribeHaVipsFilter{{Key: "HaVipId", Value: &[]string{id}}}
	requestID, err := c.vpc.Call(ctx, req.GetActionName(), do(req, resp))
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
	requestID, err := c.vpc.Call(ctx, req.GetActionName(), do(req, resp))
	return havip.Receipt{RequestID: requestID}, err
}

// Detach takes the HAVIP from the instance with UnassociateHaVip.
func (c *Cloud) Detach(ctx context.Context, call havip.Call) (havip.Receipt, error) {
	req, resp := vpc.CreateUnassociateHaVipRequest(), vpc.CreateUnassociateHaVipResponse()
	req.HaVipId, req.InstanceId, req.InstanceType = call.HAVIP, call.Instance, call.InstanceType
	req.ClientToken = call.Token
	if call.Force {
		req.Force = "True"
	}
	requestID, err := c.vpc.Call(ctx, req.GetActionName(), do(req, resp))
	return havip.Receipt{RequestID: requestID}, err
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
		// BytePlus says of its own HAVIPs that whoever announces the address is
		// shown, associated or not; assumption 37 of the simulator's.
		Announcer: v.MasterInstanceId,
	}
	if have.On(v.MasterInstanceId) {
		have.Serving = v.MasterInstanceId
	}
	return have
}

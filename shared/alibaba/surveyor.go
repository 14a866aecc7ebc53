package alibaba

import (
	"context"
	"slices"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"

	"havip-functions/shared/havip"
)

var _ havip.Surveyor = (*Cloud)(nil)

// Networks reads in which vSwitch instances and interfaces are.
func (c *Cloud) Networks(ctx context.Context, ids []string) (map[string]string, error) {
	networks := make(map[string]string, len(ids))
	instances := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return strings.HasPrefix(id, "eni-") })
	interfaces := slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !strings.HasPrefix(id, "eni-") })
	found, err := c.describeInstances(ctx, instances)
	if err != nil {
		return nil, err
	}
	for _, i := range found {
		networks[i.InstanceId] = i.VpcAttributes.VSwitchId
	}
	attached, err := c.describeInterfaces(ctx, interfaces)
	for _, i := range attached {
		networks[i.NetworkInterfaceId] = i.VSwitchId
	}
	return networks, err
}

// Neighbours reads the first instances of a vSwitch.
func (c *Cloud) Neighbours(ctx context.Context, network string) ([]string, error) {
	req, resp := ecs.CreateDescribeInstancesRequest(), ecs.CreateDescribeInstancesResponse()
	req.VSwitchId, req.PageSize = network, requests.NewInteger(ecsPage)
	if _, err := c.ecs.Call(ctx, req.GetActionName(), do(req, resp)); err != nil {
		return nil, err
	}
	var ids []string
	for _, i := range resp.Instances.Instance {
		ids = append(ids, i.InstanceId)
	}
	return ids, nil
}

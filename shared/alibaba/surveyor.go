package alibaba

import (
	"context"
	"encoding/json"
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
	for chunk := range slices.Chunk(instances, ecsPage) {
		req, resp := ecs.CreateDescribeInstancesRequest(), ecs.CreateDescribeInstancesResponse()
		list, err := json.Marshal(chunk)
		if err != nil {
			return nil, err
		}
		req.InstanceIds, req.PageSize = string(list), requests.NewInteger(ecsPage)
		if _, err := c.ecs.Call(ctx, req.GetActionName(), do(req, resp)); err != nil {
			return nil, err
		}
		for _, i := range resp.Instances.Instance {
			networks[i.InstanceId] = i.VpcAttributes.VSwitchId
		}
	}
	for chunk := range slices.Chunk(interfaces, ecsPage) {
		req, resp := ecs.CreateDescribeNetworkInterfacesRequest(), ecs.CreateDescribeNetworkInterfacesResponse()
		req.NetworkInterfaceId, req.PageSize = &chunk, requests.NewInteger(ecsPage)
		if _, err := c.ecs.Call(ctx, req.GetActionName(), do(req, resp)); err != nil {
			return nil, err
		}
		for _, i := range resp.NetworkInterfaceSets.NetworkInterfaceSet {
			networks[i.NetworkInterfaceId] = i.VSwitchId
		}
	}
	return networks, nil
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

package alibaba

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"

	"havip-functions/shared/havip"
)

const (
	havipPage = 50  // the most that DescribeHaVips gives at once
	ecsPage   = 100 // the most ids that Ecs takes, and gives, at once
)

// List reads every page of DescribeHaVips.
func (c *Cloud) List(ctx context.Context) ([]havip.HAVIP, error) {
	var list []havip.HAVIP
	for page := 1; ; page++ {
		req, resp := vpc.CreateDescribeHaVipsRequest(), vpc.CreateDescribeHaVipsResponse()
		req.PageNumber, req.PageSize = requests.NewInteger(page), requests.NewInteger(havipPage)
		if _, err := c.vpc.Call(ctx, req.GetActionName(), do(req, resp)); err != nil {
			return nil, err
		}
		for _, v := range resp.HaVips.HaVip {
			list = append(list, read(v))
		}
		if len(resp.HaVips.HaVip) == 0 || page*havipPage >= resp.TotalCount {
			return list, nil
		}
	}
}

// States reads the instances with DescribeInstances. An interface that is
// attached to none is left out.
func (c *Cloud) States(ctx context.Context, ids []string) (map[string]havip.InstanceState, error) {
	states := make(map[string]havip.InstanceState, len(ids))
	instanceOf, err := c.instances(ctx, ids)
	if err != nil {
		return nil, err
	}
	var instances []string
	for _, id := range ids {
		switch instance, known := instanceOf[id]; {
		case !known:
			states[id] = havip.Deleted
		case instance != "":
			instances = append(instances, instance)
		}
	}
	slices.Sort(instances) // two interfaces may be on one instance
	found, err := c.instanceStates(ctx, slices.Compact(instances))
	if err != nil {
		return nil, err
	}
	for id, instance := range instanceOf {
		if s := found[instance]; s != "" {
			states[id] = s
		}
	}
	return states, nil
}

// instances tells which instance each id stands for: itself, or the one that the
// interface is attached to, if any. An interface that is unknown is missing.
func (c *Cloud) instances(ctx context.Context, ids []string) (map[string]string, error) {
	instanceOf := make(map[string]string, len(ids))
	var interfaces []string
	for _, id := range ids {
		if strings.HasPrefix(id, "eni-") {
			interfaces = append(interfaces, id)
			continue
		}
		instanceOf[id] = id
	}
	found, err := c.describeInterfaces(ctx, interfaces)
	for _, i := range found {
		instanceOf[i.NetworkInterfaceId] = i.InstanceId
	}
	return instanceOf, err
}

// describeInterfaces reads interfaces with DescribeNetworkInterfaces.
func (c *Cloud) describeInterfaces(ctx context.Context, ids []string) (found []ecs.NetworkInterfaceSet, err error) {
	for chunk := range slices.Chunk(ids, ecsPage) {
		req, resp := ecs.CreateDescribeNetworkInterfacesRequest(), ecs.CreateDescribeNetworkInterfacesResponse()
		req.NetworkInterfaceId, req.PageSize = &chunk, requests.NewInteger(ecsPage)
		if _, err := c.ecs.Call(ctx, req.GetActionName(), do(req, resp)); err != nil {
			return nil, err
		}
		found = append(found, resp.NetworkInterfaceSets.NetworkInterfaceSet...)
	}
	return found, nil
}

// describeInstances reads instances with DescribeInstances.
func (c *Cloud) describeInstances(ctx context.Context, ids []string) (found []ecs.Instance, err error) {
	for chunk := range slices.Chunk(ids, ecsPage) {
		req, resp := ecs.CreateDescribeInstancesRequest(), ecs.CreateDescribeInstancesResponse()
		list, err := json.Marshal(chunk)
		if err != nil {
			return nil, err
		}
		req.InstanceIds, req.PageSize = string(list), requests.NewInteger(ecsPage)
		if _, err := c.ecs.Call(ctx, req.GetActionName(), do(req, resp)); err != nil {
			return nil, err
		}
		found = append(found, resp.Instances.Instance...)
	}
	return found, nil
}

// instanceStates reads those of instances alone; one whose status we have no word
// for is the empty string.
func (c *Cloud) instanceStates(ctx context.Context, ids []string) (map[string]havip.InstanceState, error) {
	states := make(map[string]havip.InstanceState, len(ids))
	found, err := c.describeInstances(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		states[id] = havip.Deleted
	}
	for _, i := range found {
		states[i.InstanceId] = state(i.Status)
	}
	return states, nil
}

// state is the cloud's word where it is one of ours.
func state(status string) havip.InstanceState {
	switch s := havip.InstanceState(status); s {
	case havip.Pending, havip.Starting, havip.Running, havip.Stopping, havip.Stopped, havip.Deleted:
		return s
	default:
		return ""
	}
}

// @alicloud/pop-core signs with HMAC-SHA1 in a form (V1).
import { RPCClient } from '@alicloud/pop-core';
import { tell } from './story.mjs';

const client = new RPCClient({
  endpoint: process.env.ENDPOINT,
  accessKeyId: 'testak',
  accessKeySecret: process.env.SECRET,
  apiVersion: '2016-04-28',
});

const call = (action, params) => client.request(action, { RegionId: 'cn-hangzhou', ...params }, { method: 'POST' });

await tell({
  associate: (instance) => call('AssociateHaVip', { HaVipId: 'havip-bp1orders', InstanceId: instance }),
  unassociate: (instance) => call('UnassociateHaVip', { HaVipId: 'havip-bp1orders', InstanceId: instance, Force: 'True' }),
  describe: async () => {
    const answer = await call('DescribeHaVips', { Filter: [{ Key: 'HaVipId', Value: ['havip-bp1orders'] }] });
    const [havip] = answer.HaVips.HaVip;
    return { status: havip.Status, holders: havip.AssociatedInstances.associatedInstance };
  },
});

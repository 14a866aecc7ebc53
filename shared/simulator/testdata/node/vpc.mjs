// @alicloud/vpc20160428 signs with ACS3-HMAC-SHA256.
import openapi from '@alicloud/openapi-core';
import vpc from '@alicloud/vpc20160428';
import { tell } from './story.mjs';

const { host } = new URL(process.env.ENDPOINT);
const client = new vpc.default(new openapi.$OpenApiUtil.Config({
  endpoint: host,
  protocol: 'HTTP',
  regionId: 'cn-hangzhou',
  accessKeyId: 'testak',
  accessKeySecret: process.env.SECRET,
}));

const of = (instanceId) => ({ regionId: 'cn-hangzhou', haVipId: 'havip-bp1orders', instanceId });

await tell({
  associate: (instance) => client.associateHaVip(new vpc.AssociateHaVipRequest(of(instance))),
  unassociate: (instance) => client.unassociateHaVip(new vpc.UnassociateHaVipRequest({ ...of(instance), force: 'True' })),
  describe: async () => {
    const filter = [new vpc.DescribeHaVipsRequestFilter({ key: 'HaVipId', value: ['havip-bp1orders'] })];
    const answer = await client.describeHaVips(new vpc.DescribeHaVipsRequest({ regionId: 'cn-hangzhou', filter }));
    const [havip] = answer.body.haVips.haVip;
    return { status: havip.status, holders: havip.associatedInstances.associatedInstance };
  },
});

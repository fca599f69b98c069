import { Builder } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { appid, journalOf, keptOrder } from './kept-orders';

test('refunds of v2 stand in the bills of the day, and are ended by the same control', async () => {
  const time = new Date('2031-05-20T11:00:00+08:00').getTime();
  const journal = await journalOf([
    keptOrder('ORDER-1', '4200000001203105200000000010', time, { protocol: 'v2', total: 1000 }),
  ]);
  await using sandbox = await Sandbox.start({ journal: await journal() });
  sandbox.clock.freeze();
  await sandbox.clock.set(new Date('2031-05-20T12:00:00+08:00'));
  const instance = Builder.factory(sandbox.config);
  const xml = { appid, mch_id: sandbox.config.mchid, out_trade_no: 'ORDER-1', total_fee: 1000, refund_fee: 400 };
  for (const out_refund_no of ['R-1', 'R-2']) {
    await instance.v2.secapi.pay.refund.post({ xml: { ...xml, out_refund_no }, security: true } as never);
  }
  expect(await sandbox.refund('R-2', { status: 'CLOSED' })).toMatchObject({ protocol: 'v2', status: 'CLOSED' });
  await sandbox.clock.set(new Date('2031-05-21T10:00:00+08:00'));
  const query = { bill_date: '2031-05-20' };
  const textOf = async (call: Promise<{ download_url: string }>) => {
    const token = new URL((await call).download_url).searchParams.get('token') ?? '';
    return instance.v3.billdownload.file.get({ query: { token } }).text();
  };
  const trade = await textOf(instance.v3.bill.tradebill.get({ query }).json());
  expect(trade).toMatch(/R-1,`4\.00,`0\.00,`ORIGINAL,`SUCCESS.*-0\.02000/);
  expect(trade).toMatch(/R-2,`4\.00,`0\.00,`ORIGINAL,`FAIL/);
  const flow = await textOf(instance.v3.bill.fundflowbill.get({ query }).json());
  expect(flow.split('\r\n').at(-2)).toBe('`6.0,`3.0,`4.05,`3.0,`8.03');
});

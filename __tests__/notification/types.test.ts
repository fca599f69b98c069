import type { KnownNotification, V2Notification, V3Notification } from '../../lib/notification';
import * as Notifications from '../../lib/notification';
import { apiv3Key, certs, type REFUND, refund, secret, type TRANSACTION, v2, v3 } from './support';

const notifications = Notifications.of({ certs, apiv3Key, secret });

test('event_type tells the type of the resource', async () => {
  const seen: unknown[] = [];
  const read = ({ event_type, resource, protocol }: KnownNotification) => {
    if (event_type === 'REFUND.SUCCESS') {
      // @ts-expect-error: a refund has a refund_status
      seen.push(resource.trade_state, resource.refund_status);
    }
    if (event_type === 'MCHTRANSFER.BILL.FINISHED') seen.push(protocol, resource.out_bill_no);
    // @ts-expect-error: no such type
    if (event_type === 'TEA.SERVED') seen.push(resource);
  };
  read(await notifications.parse(v3({ refund_status: 'SUCCESS' }, { event_type: 'REFUND.SUCCESS' })));
  read(await notifications.parse(v3({ out_bill_no: '7' }, { event_type: 'MCHTRANSFER.BILL.FINISHED' })));
  expect(seen).toEqual([undefined, 'SUCCESS', 'v3', '7']);
});

const [OWN, REFUNDS] = [{ name: 'own' }, { name: 'refunds' }] as const;

test('a handler types its function', async () => {
  const totals: unknown[] = [];
  const typed = notifications.webHandler(({ event_type, resource }) => {
    if (event_type === 'MCHTRANSFER.BILL.FINISHED') totals.push(resource.transfer_amount);
  });
  const own = notifications.webHandler(({ resource }: V3Notification<string, typeof TRANSACTION>) => {
    const total: number = resource.amount.total;
    totals.push(total);
  }, OWN);
  const refunds = notifications.webHandler<V2Notification<typeof REFUND>>(({ resource, envelope }) => {
    // @ts-expect-error: what is not vouched for is not typed
    totals.push(resource.refund_fee, envelope.mch_id.length);
  }, REFUNDS);
  const request = ({ headers, body }: ReturnType<typeof v3>) =>
    new Request('http://localhost/', { method: 'POST', headers, body });
  await typed(request(v3({ transfer_amount: 5 }, { event_type: 'MCHTRANSFER.BILL.FINISHED' })));
  await own(request(v3()));
  await refunds(request(refund()));
  expect(totals).toEqual([5, 100, '3960', 8]);
});

test('one function takes both protocols', async () => {
  const describe = (notification: V3Notification | V2Notification): string =>
    notification.protocol === 'v3' ? notification.create_time : String(notification.resource.total_fee);
  expect(describe(await notifications.parse<V3Notification>(v3()))).toContain('T');
  expect(describe(await notifications.parse<V2Notification>(v2()))).toBe('1');
});

import { createClock } from '../../../lib/sandbox/clock';
import { createLedger } from '../../../lib/sandbox/products/ledger';
import { createOrders } from '../../../lib/sandbox/products/orders';
import type { ProductContext } from '../../../lib/sandbox/products/product';
import { v2Payments } from '../../../lib/sandbox/products/v2-payments';
import { v2Refunds } from '../../../lib/sandbox/products/v2-refunds';
import { createStore } from '../../../lib/sandbox/store';

const [mchid, out_trade_no, out_refund_no, notify_url] = ['1', 'ORDER-1', 'REFUND-1', 'http://127.0.0.1/notify'];

function shop() {
  const store = createStore();
  const notify = jest.fn(() => 'key');
  // Only what these products use of the context.
  const context = { store, ...createClock(store), notifier: { notify } } as unknown as ProductContext;
  const orders = createOrders(context);
  const refunds = v2Refunds(context, orders, createLedger(context, orders));
  const routes = [...v2Payments(context, orders).routes, ...refunds.routes];
  const call = (path: string, xml: object) => {
    const handler = routes.find(([, known]) => known === path)?.[2];
    return handler?.({ mchid, xml } as unknown as Parameters<typeof handler>[0]);
  };
  call('v2/pay/unifiedorder', { out_trade_no, total_fee: '100', notify_url, trade_type: 'NATIVE' });
  const order = orders.find(mchid, 'v2', out_trade_no);
  if (order) orders.pay(order, {});
  const refund = (number: string) =>
    call('v2/secapi/pay/refund', {
      ...{ out_trade_no, out_refund_no: number, total_fee: '100', refund_fee: '100', notify_url },
    });
  refund(out_refund_no);
  return { book: refunds.book, call, notify, refund };
}

test.each([
  ['SUCCESS', 'SUCCESS'],
  ['ABNORMAL', 'CHANGE'],
  ['CLOSED', 'REFUNDCLOSE'],
] as const)('a refund that is told to end as %s is %s', (status, refund_status) => {
  const { book, call, notify } = shop();
  expect(book.numbered(out_refund_no)).toMatchObject([{ mchid, protocol: 'v2', status: 'PROCESSING' }]);
  expect(book.finish(mchid, out_refund_no, status)).toBe('key');
  expect(book.all()).toMatchObject([{ out_refund_no, status, amount: { total: 100, refund: 100 } }]);
  expect(call('v2/pay/refundquery', { out_refund_no })).toMatchObject({ refund_status_0: refund_status });
  const content = expect.objectContaining({ refund_status, out_refund_no });
  expect(notify).toHaveBeenLastCalledWith(expect.anything(), 'v2/refund-processed', content, notify_url);
});

test('what a closed refund would have returned can be refunded by another', () => {
  const { book, refund } = shop();
  expect(() => refund('REFUND-2')).toThrow(expect.objectContaining({ err_code: 'INVALID_REQUEST' }));
  book.finish(mchid, out_refund_no, 'CLOSED');
  expect(refund('REFUND-2')).toMatchObject({ out_refund_no: 'REFUND-2' });
});

test('there is nothing to end of a refund that nobody asked for', () => {
  expect(shop().book.finish(mchid, 'REFUND-9', 'CLOSED')).toBeUndefined();
});

import { createClock } from '../../../lib/sandbox/clock';
import { createIdentities } from '../../../lib/sandbox/identity';
import { createNotifier } from '../../../lib/sandbox/notifications/notify';
import { createProducts } from '../../../lib/sandbox/products';
import type { Order } from '../../../lib/sandbox/products/orders';
import { createKeyring } from '../../../lib/sandbox/protocol/keyring';
import { createStore } from '../../../lib/sandbox/store';
import type { SandboxRequest } from '../../../lib/sandbox/wire/request';
import { keptOrder } from './kept-orders';

const mchid = '1900000109';

/** The products of a sandbox that listens nowhere, with a paid order, and how the control API calls them. */
async function start() {
  const store = createStore();
  const { clock, schedule } = createClock(store);
  const identities = createIdentities(store, await createKeyring(store));
  const notifier = createNotifier({ store, clock, schedule, identities });
  const products = createProducts({ store, clock, schedule, identities, notifier });
  products.orders.put(keptOrder('ORDER-1', '4200', clock.now()) as Order);
  const call = async (verb: string, path: string, variables: Record<string, string> = {}, json?: unknown) => {
    const routes = products.all.flatMap(({ control = [] }) => control);
    const [, , handler] = routes.find(([its, of]) => its === verb && of === path) ?? [];
    const request = { mchid, variables, json } as unknown as SandboxRequest;
    try {
      return handler?.(request);
    } catch (thrown) {
      const refusal = thrown as Response;
      return [refusal.status, await refusal.json()];
    }
  };
  const accept = (out_refund_no: string) =>
    products.refunds.accept(mchid, { out_trade_no: 'ORDER-1', out_refund_no, amount: { refund: 1, total: 100 } });
  return { call, accept };
}

test('the control API lists refunds and ends them', async () => {
  const { call, accept } = await start();
  for (const number of ['R-1', 'R-2']) accept(number);
  const end = (out_refund_no: string, json?: unknown) =>
    call('post', 'sandbox/refunds/{out_refund_no}', { out_refund_no }, json);
  expect(await end('R-1', { status: 'CLOSED' })).toMatchObject({ out_refund_no: 'R-1', status: 'CLOSED' });
  expect(await call('get', 'sandbox/refunds')).toMatchObject({
    refunds: [
      { out_refund_no: 'R-1', status: 'CLOSED' },
      { out_refund_no: 'R-2', status: 'PROCESSING' },
    ],
  });
  expect(await end('R-1', { status: 'SUCCESS' })).toMatchObject([409, { code: 'INVALID_REQUEST' }]);
  expect(await end('R-0', { status: 'SUCCESS' })).toMatchObject([404, { code: 'RESOURCE_NOT_EXISTS' }]);
  for (const json of [undefined, {}, { status: 'PROCESSING' }]) {
    expect(await end('R-2', json)).toMatchObject([400, { code: 'PARAM_ERROR' }]);
  }
});

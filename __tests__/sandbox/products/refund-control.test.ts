import { createClock } from '../../../lib/sandbox/clock';
import { createIdentities } from '../../../lib/sandbox/identity';
import { createNotifier } from '../../../lib/sandbox/notifications/notify';
import { createProducts } from '../../../lib/sandbox/products';
import type { Order } from '../../../lib/sandbox/products/orders';
import { createKeyring } from '../../../lib/sandbox/protocol/keyring';
import { createStore } from '../../../lib/sandbox/store';
import type { SandboxRequest } from '../../../lib/sandbox/wire/request';
import { keptOrder } from './kept-orders';

const [mchid, other] = ['1900000109', '1900000110'];

/** The products of a sandbox that listens nowhere, with paid orders, and how the control API calls them. */
async function start() {
  const store = createStore();
  const { clock, schedule } = createClock(store);
  const identities = createIdentities(store, await createKeyring(store));
  const notifier = createNotifier({ store, clock, schedule, identities });
  const { all, orders } = createProducts({
    store,
    clock,
    schedule,
    identities,
    notifier,
    baseUrl: 'http://127.0.0.1/',
  });
  const call = async (method: string, target: string, json?: unknown, signer = '') => {
    const [path = '', query] = target.split('?');
    const routes = all.flatMap(({ control = [], routes }) => [...control, ...routes]);
    const [, template = '', handler] =
      routes.find(([verb, its]) => verb === method && its.replace(/\{.*\}/, path.split('/').at(-1) ?? '') === path) ??
      [];
    const variables = template.endsWith('}') ? { out_refund_no: path.split('/').at(-1) } : {};
    const request = { mchid: signer, variables, json, query: new URLSearchParams(query) } as unknown as SandboxRequest;
    try {
      return handler?.(request);
    } catch (thrown) {
      const refusal = thrown as Response;
      return [refusal.status, await refusal.json()];
    }
  };
  const accept = async (by: string, out_refund_no: string) => {
    orders.put(keptOrder('ORDER-1', `4200${by}`, clock.now(), { mchid: by }) as Order);
    const json = { out_trade_no: 'ORDER-1', out_refund_no, amount: { refund: 1, total: 100 } };
    return call('post', 'v3/refund/domestic/refunds', json, by);
  };
  return { call, accept };
}

test('the control API shows refunds and ends them', async () => {
  const { call, accept } = await start();
  for (const number of ['R-1', 'R-2']) await accept(mchid, number);
  const end = (target: string, json?: unknown) => call('post', `sandbox/refunds/${target}`, json);
  const closed = await end('R-1', { status: 'CLOSED' });
  expect(closed).toMatchObject({
    out_refund_no: 'R-1',
    status: 'CLOSED',
    protocol: 'v3',
    mchid,
    amount: { refund: 1 },
  });
  expect(await call('get', 'sandbox/refunds/R-1')).toEqual(closed);
  const all = await call('get', 'sandbox/refunds');
  expect(all).toMatchObject([closed, { out_refund_no: 'R-2', status: 'PROCESSING' }]);
  expect(await call('get', `sandbox/refunds?mchid=${mchid}&protocol=v3`)).toEqual(all);
  expect(await call('get', `sandbox/refunds?mchid=${other}`)).toEqual([]);
  expect(await call('get', 'sandbox/refunds?protocol=v2')).toEqual([]);
  expect(await call('get', 'sandbox/refunds?protocol=v4')).toMatchObject([400, { code: 'PARAM_ERROR' }]);
  expect(await end('R-1', { status: 'SUCCESS' })).toMatchObject([409, { code: 'INVALID_REQUEST' }]);
  expect(await end('R-0', { status: 'SUCCESS' })).toMatchObject([404, { code: 'RESOURCE_NOT_EXISTS' }]);
  for (const json of [undefined, {}, { status: 'PROCESSING' }]) {
    expect(await end('R-2', json)).toMatchObject([400, { code: 'PARAM_ERROR' }]);
  }
});

test('a number that several merchants use', async () => {
  const { call, accept } = await start();
  for (const by of [mchid, other]) await accept(by, 'R-1');
  const end = (query: string) => call('post', `sandbox/refunds/R-1${query}`, { status: 'CLOSED' });
  const [status, { message }] = (await end('')) as [number, { message: string }];
  const places = `${mchid} v3, ${other} v3`;
  expect([status, message]).toEqual([409, `Several refunds have the number R-1 (${places}): pass mchid or protocol.`]);
  expect(await end(`?mchid=${other}`)).toMatchObject({ mchid: other, status: 'CLOSED' });
  expect(await call('get', `sandbox/refunds/R-1?mchid=${mchid}`)).toMatchObject({ status: 'PROCESSING' });
});

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent, type Dispatcher } from 'undici';
import { verifier } from 'wechatpay-undici';

const sha1 = createHash('sha1').update('a').digest('hex');
const head = {
  'wechatpay-statement-sha1': sha1,
  'wechatpay-timestamp': String(Math.floor(Date.now() / 1000)),
  'wechatpay-nonce': 'N',
  'wechatpay-serial': 'PUB_KEY_ID_1',
  'wechatpay-signature': 'QQ==',
};

/** Node 20 has no `Promise.withResolvers`. */
function withResolvers<Value>() {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const server = createServer((_request, response) => {
  response.writeHead(200, head);
  response.write('a');
});
const agent = new Agent();

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(async () => {
  await agent.destroy();
  server.closeAllConnections();
  server.close();
});

test('a head that is verified once its request is over is not handed on', async () => {
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const asked = withResolvers<void>();
  const verified = withResolvers<boolean>();
  const verify = () => {
    asked.resolve();
    return verified.promise;
  };
  const dispatcher = agent.compose(verifier({ certs: { PUB_KEY_ID_1: verify } }));

  const seen: string[] = [];
  const failed = withResolvers<void>();
  let wire: Dispatcher.DispatchController | undefined;
  const options = { origin, path: '/v3/global/statements', method: 'GET', download: true } as const;
  dispatcher.dispatch(options, {
    onRequestStart: (controller) => {
      wire = controller;
    },
    onResponseStart: () => void seen.push('start'),
    onResponseData: () => void seen.push('data'),
    onResponseEnd: () => void seen.push('end'),
    onResponseError: () => {
      seen.push('error');
      failed.resolve();
    },
  });
  await asked.promise;
  wire?.abort(new Error('enough'));
  await failed.promise;
  verified.resolve(true);
  // What waits for the verification has run by then.
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual(['error']);
});

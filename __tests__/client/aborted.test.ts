import { setImmediate } from 'node:timers/promises';
import { Agent, buildConnector } from 'undici';
import { Builder, type ClientConfig } from 'wechatpay-undici';
import { rsaKeyPair } from '../support/keys';
import { listen } from '../support/listen';

/*
 * Aborted is aborted, whatever the reason, and nothing leaves after it. Reasons that are falsy are the ones that "is there
 * a reason?" takes for none.
 */

const REASONS: [string, unknown][] = [
  ['no reason', undefined],
  ['null', null],
  ['an empty text', ''],
  ['0', 0],
  ['false', false],
  ['NaN', Number.NaN],
  ['a text', 'changed my mind'],
  ['an error', new Error('changed my mind')],
  ['an object', {}],
];
const KINDS: [string, object][] = [
  ['a call', {}],
  ['a download', { download: true }],
];
const CASES = KINDS.flatMap(([kind, options]) =>
  REASONS.map(([name, reason]) => [kind, name, options, reason] as const),
);

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown) => unhandled.push(reason);
beforeAll(() => process.on('unhandledRejection', onUnhandled));
afterEach(() => expect(unhandled).toEqual([]));
afterAll(() => process.off('unhandledRejection', onUnhandled));

const { privateKey } = rsaKeyPair();
const { publicKey } = rsaKeyPair(2048, 'other');
const build = (more: Partial<ClientConfig>) =>
  Builder.factory({
    mchid: '1900000109',
    serial: 'ABC',
    privateKey,
    certs: { PUB_KEY_ID_0: publicKey },
    ...more,
  } as ClientConfig);

/** A signal, and what a call with it must reject with. */
function aborting(reason: unknown) {
  const controller = new AbortController();
  const abort = () => {
    if (reason === undefined) controller.abort();
    else controller.abort(reason);
  };
  const outcome = (promise: PromiseLike<unknown>) =>
    Promise.resolve(promise).then(
      () => ({ resolved: true }),
      (error: unknown) => ({ reason: error }),
    );
  return { signal: controller.signal, abort, outcome };
}

/** A promise that is resolved by hand. */
function gate<Value>() {
  let open = (_value: Value) => {};
  const opened = new Promise<Value>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test.each(CASES)(
  '%s, aborted for %s before the connection is made: it is made, and not a byte leaves',
  async (...row) => {
    const [, , options, reason] = row;
    const end = gate<string>();
    const server = await listen((socket) => {
      socket.once('data', () => end.open('a request arrived'));
      socket.once('close', () => end.open('closed without a request'));
    });
    const connect = buildConnector({});
    const asked = gate<() => void>();
    const dispatcher = new Agent({
      connect: (target, callback) => asked.open(() => connect(target, callback)),
    });
    const { signal, abort, outcome } = aborting(reason);
    const client = build({ baseUrl: server.url, dispatcher, retry: true });
    const ended = outcome(client.chain('v3/order').post({ json: {}, signal, ...options }));
    const makeConnection = await asked.opened;
    abort();
    expect(await ended).toStrictEqual({ reason: signal.reason });
    makeConnection();
    expect(await end.opened).toBe('closed without a request');
    await Promise.all([dispatcher.destroy(), server.close()]);
  },
);

test.each(CASES)('%s, aborted for %s while it is signed: there is not even a connection', async (...row) => {
  const [, , options, reason] = row;
  const signing = gate<void>();
  const signed = gate<string>();
  let dispatched = 0;
  const agent = new Agent();
  const dispatcher = agent.compose((dispatch) => (target, handler) => {
    dispatched += 1;
    return dispatch(target, handler);
  });
  const { signal, abort, outcome } = aborting(reason);
  const client = build({
    baseUrl: 'http://127.0.0.1:1/',
    dispatcher,
    retry: true,
    privateKey: () => {
      signing.open();
      return signed.opened;
    },
  });
  const ended = outcome(client.chain('v3/order').post({ json: {}, signal, ...options }));
  await signing.opened;
  abort();
  expect(await ended).toStrictEqual({ reason: signal.reason });
  signed.open('QUJD');
  await setImmediate();
  expect(dispatched).toBe(0);
  await agent.destroy();
});

test.each(CASES)('%s, aborted for %s between two attempts: there is no second', async (...row) => {
  const [, , options, reason] = row;
  let requests = 0;
  const paused = gate<void>();
  const server = await listen((socket) =>
    socket.on('data', () => {
      requests += 1;
      socket.end('HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n');
    }),
  );
  const agent = new Agent();
  const dispatcher = agent.compose(
    (dispatch) => (target, handler) =>
      dispatch(target, {
        onRequestStart: (...start) => handler.onRequestStart?.(...start),
        onResponseStart: (...start) => handler.onResponseStart?.(...start),
        onResponseData: (...data) => handler.onResponseData?.(...data),
        onResponseEnd: (...end) => {
          handler.onResponseEnd?.(...end);
          paused.open();
        },
        onResponseError: (...error) => handler.onResponseError?.(...error),
      }),
  );
  const { signal, abort, outcome } = aborting(reason);
  const client = build({ baseUrl: server.url, dispatcher, retry: true });
  const before = timers();
  const ended = outcome(client.chain('v3/order').get({ signal, ...options }));
  await paused.opened;
  abort();
  expect(await ended).toStrictEqual({ reason: signal.reason });
  await agent.destroy();
  await setImmediate();
  expect(timers()).toBeLessThanOrEqual(before);
  expect(requests).toBe(1);
  await server.close();
});

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

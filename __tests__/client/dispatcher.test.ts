import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Agent, type Dispatcher, MockAgent, Pool, ProxyAgent, RetryAgent } from 'undici';
import { Builder, type ClientConfig } from 'wechatpay-undici';

const build = (more: object) => Builder.factory({ mchid: '1', secret: 'k'.repeat(32), ...more } as ClientConfig);

test.each<[string, unknown]>([
  ['null', null],
  ['a text', 'http://proxy/'],
  ['an object', {}],
  ['the options of an Agent', { connections: 1 }],
])('%s is no dispatcher', (_name, dispatcher) => {
  expect(() => build({ dispatcher })).toThrow(
    expect.objectContaining({ name: 'ConfigurationError', message: expect.stringMatching(/^"dispatcher" must be/) }),
  );
});

test('nor is it for the merchant certificate', () => {
  expect(() => build({ merchant: { dispatcher: {} } })).toThrow(
    '"merchant.dispatcher" must be an undici 7 or 8 dispatcher',
  );
});

test('one that cannot be composed is too old', () => {
  expect(() => build({ dispatcher: { dispatch: () => true } })).toThrow('undici 6 (or older)');
});

test('that of Node itself is refused where it is of undici 6, and nothing is dispatched to find out', async () => {
  const fixture = join(__dirname, 'global-dispatcher.fixture.ts');
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['-r', 'esbuild-register', fixture], { timeout: 20_000 });
  const { outcomes, dispatched } = JSON.parse(stdout);
  const isOld = Number.parseInt(String(process.versions.undici), 10) < 7;
  const expected = isOld
    ? expect.stringMatching(/^ConfigurationError: "dispatcher" is an undici 6 \(or older\) dispatcher/)
    : 'accepted';
  expect(outcomes).toEqual([expected, expected]);
  expect(dispatched).toBe(0);
});

test.each<[string, () => Dispatcher]>([
  ['Agent', () => new Agent()],
  ['Agent, composed', () => new Agent().compose((dispatch) => (options, handler) => dispatch(options, handler))],
  ['Pool', () => new Pool('http://127.0.0.1:1')],
  ['ProxyAgent', () => new ProxyAgent('http://127.0.0.1:1')],
  ['RetryAgent', () => new RetryAgent(new Agent())],
  ['MockAgent', () => new MockAgent()],
])("undici's %s is taken, and nothing is dispatched", async (_name, make) => {
  const dispatcher = make();
  const dispatch = jest.spyOn(Agent.prototype, 'dispatch');
  expect(() => build({ dispatcher, merchant: { dispatcher } })).not.toThrow();
  expect(dispatch).not.toHaveBeenCalled();
  dispatch.mockRestore();
  await dispatcher.close();
});

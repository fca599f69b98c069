import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Notifications } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { parseMessage } from '../../../lib/cli/message';
import { afterwards, environment, file, type Printed, wxpay } from '../support';

/** A notification as it came off the socket. */
interface Saved {
  headers: [string, string][];
  body: Buffer;
}

let sandbox: Sandbox;
let env: Record<string, string>;
let saved: Saved;
let savedV2: Saved;
let probe: Saved;
afterwards();

/** Has the sandbox send notifications, and saves them. */
async function receive(send: (url: string) => Promise<unknown>): Promise<Saved[]> {
  const received: Saved[] = [];
  const server = createServer(async (request, response) => {
    const pairs = request.rawHeaders.flatMap((name, index): [string, string][] =>
      index % 2 === 0 ? [[name, request.rawHeaders[index + 1] ?? '']] : [],
    );
    received.push({ headers: pairs, body: await buffer(request) });
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  await send(`http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`);
  server.close();
  return received;
}

beforeAll(async () => {
  sandbox = await Sandbox.start();
  env = environment(sandbox);
  const content = { out_trade_no: 'ORDER-1', payer: { openid: 'oUpF8uMuAJO' } };
  const all = await receive((url) => sandbox.notify('TRANSACTION.SUCCESS', content, url, { probe: true }));
  const [first, second] = all;
  if (!first || !second) throw new Error('The sandbox sends a probe, and the notification itself.');
  [probe, saved] = [first, second];
  const fields = { out_trade_no: 'ORDER-1', total_fee: '1', mch_id: '1900000109' };
  const [v2] = await receive((url) => sandbox.notify('v2/transaction-success', fields, url));
  if (!v2) throw new Error('The sandbox sends a notification of v2.');
  savedV2 = v2;
});
afterAll(() => sandbox.close());

function message({ headers, body }: Saved, lineEnd = '\r\n'): Buffer {
  const lines = ['POST /notify HTTP/1.1', ...headers.map(([name, value]) => `${name}: ${value}`), '', ''];
  return Buffer.concat([Buffer.from(lines.join(lineEnd)), body]);
}

/** A copy with other headers; undefined drops one. */
function changed(original: Saved, changes: Record<string, string | undefined>, body = original.body): Saved {
  const headers = original.headers.map(([name, value]): [string, string | undefined] => {
    const key = name.toLowerCase();
    return [name, Object.hasOwn(changes, key) ? changes[key] : value];
  });
  return { headers: headers.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])), body };
}

async function verify(of: Saved, args: string[] = [], own: Record<string, string | undefined> = env): Promise<Printed> {
  return wxpay(['verify', file('saved.http', message(of)), ...args], { env: own });
}

function outcomes({ stdout }: Printed): Record<string, string> {
  const { checks }: { checks: { name: string; outcome: string }[] } = JSON.parse(stdout);
  return Object.fromEntries(checks.map(({ name, outcome }) => [name, outcome]));
}

const GOOD = {
  ...{ headers: 'passed', clock: 'passed', serial: 'passed' },
  ...{ signature: 'passed', body: 'passed', content: 'passed' },
};

test('a notification in order: a line for each check', async () => {
  const { code, stdout, stderr } = await verify(saved);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.split('\n').map((line) => line.slice(0, 20))).toEqual([
    'ok       headers    ',
    'ok       clock      ',
    'ok       serial     ',
    'ok       signature  ',
    'ok       body       ',
    'ok       content    ',
    '',
  ]);
  expect(stdout).toContain('is JSON: TRANSACTION.SUCCESS, id ');
  expect(stdout).toContain('is decrypted: out_trade_no, payer');
  expect(stdout).not.toContain('oUpF8uMuAJO');
});

test.each([
  ['lines that end in a line feed alone', () => ['-'], () => message(saved, '\n')],
  [
    'headers as JSON, the body apart',
    () => ['--headers', file('headers.json', JSON.stringify(Object.fromEntries(saved.headers))), '--body', '-'],
    () => saved.body,
  ],
  [
    'headers as lines, the body apart',
    () => ['--headers', '-', '--body', file('body.json', saved.body)],
    () => saved.headers.map(([name, value]) => `${name.toUpperCase()}:${value}\n`).join(''),
  ],
])('%s', async (_, args, stdin) => {
  const printed = await wxpay(['verify', ...args(), '--json'], { env, stdin: stdin().toString() });
  expect(printed).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(printed.stdout)).toMatchObject({ ok: true, protocol: 'v3' });
  expect(outcomes(printed)).toEqual(GOOD);
});

describe('each check fails alone, and says why', () => {
  const other = 'PUB_KEY_ID_0119000001090000000000000000';
  test.each<[string, () => Saved, Partial<typeof GOOD>, string]>([
    [
      'a header is missing',
      () => changed(saved, { 'wechatpay-nonce': undefined }),
      { headers: 'failed', signature: 'skipped' },
      'missing or repeated: Wechatpay-Nonce',
    ],
    [
      'a header is there twice',
      () => ({ ...saved, headers: [...saved.headers, ['wechatpay-nonce', 'x']] }),
      { headers: 'failed', signature: 'failed' },
      'missing or repeated: Wechatpay-Nonce',
    ],
    [
      'an unknown key',
      () => changed(saved, { 'wechatpay-serial': other }),
      { serial: 'failed', signature: 'skipped' },
      `no key for ${other} (have: PUB_KEY_ID_`,
    ],
    [
      'another nonce',
      () => changed(saved, { 'wechatpay-nonce': 'x' }),
      { signature: 'failed' },
      'does not match: the body or a header differs from what was sent',
    ],
    ['a probe', () => probe, { signature: 'failed' }, 'is invalid on purpose: WeChat Pay probes'],
    [
      'a body that was written anew',
      () =>
        changed(
          saved,
          { 'content-length': undefined },
          Buffer.from(JSON.stringify(JSON.parse(saved.body.toString()), null, 2)),
        ),
      { signature: 'failed' },
      'but does if one change is undone: it has been parsed and serialised again',
    ],
    [
      'a line break at the end',
      () => changed(saved, { 'content-length': undefined }, Buffer.concat([saved.body, Buffer.from('\n')])),
      { signature: 'failed' },
      'but does if one change is undone: a line break has been added at its end',
    ],
    [
      'no JSON',
      () => changed(saved, {}, Buffer.from('{')),
      { signature: 'failed', body: 'failed', content: undefined as never },
      'is not a JSON object',
    ],
  ])('%s', async (_, of, expected, text) => {
    const printed = await verify(of(), ['--json']);
    expect(printed).toMatchObject({ code: 4, stderr: '' });
    const { content, ...rest } = { ...GOOD, ...expected };
    expect(outcomes(printed)).toEqual(content === undefined ? rest : { ...rest, content });
    expect(printed.stdout).toContain(text);
  });

  test('another APIv3 key', async () => {
    const printed = await verify(saved, ['--json'], { ...env, WECHATPAY_APIV3_KEY: 'a'.repeat(32) });
    expect(printed.code).toBe(4);
    expect(outcomes(printed)).toEqual({ ...GOOD, content: 'failed' });
  });

  test('without an APIv3 key the rest is checked', async () => {
    const printed = await verify(saved, ['--json'], { ...env, WECHATPAY_APIV3_KEY: undefined });
    expect(printed.code).toBe(0);
    expect(outcomes(printed)).toEqual({ ...GOOD, content: 'skipped' });
  });
});

describe('the clock', () => {
  const time = () => Number(saved.headers.find(([name]) => /timestamp/i.test(name))?.[1]);
  test.each<[string, () => string[], string, number]>([
    ['received just now', () => [], 'passed', 0],
    ['received within 300 s', () => ['--at', String(time() + 300)], 'passed', 0],
    ['received later', () => ['--at', new Date((time() + 301) * 1000).toISOString()], 'failed', 4],
    ['received before it was sent', () => ['--at', String(time() - 301)], 'failed', 4],
    ['at any time', () => ['--any-time'], 'skipped', 0],
  ])('%s', async (_, args, outcome, code) => {
    const printed = await verify(saved, [...args(), '--json']);
    expect(printed.code).toBe(code);
    expect(outcomes(printed)).toEqual({ ...GOOD, clock: outcome });
  });
});

test('what a stranger has written into a notification does nothing to a terminal', async () => {
  const hostile = changed(saved, { 'wechatpay-timestamp': 'x\u001b[2J\u0007', 'wechatpay-serial': 'x\u001b]0;\u009b' });
  const { code, stdout, stderr } = await wxpay(['verify', file('message', message(hostile))], { env });
  expect(code).toBe(4);
  expect(stdout).toContain('x\\u001b[2J\\u0007');
  expect(stdout + stderr).not.toMatch(/(?!\n)\p{Cc}/u);
});

test('a certificate that is not at hand is downloaded', async () => {
  const serial = await sandbox.rotate();
  const [after] = await receive((url) => sandbox.notify('TRANSACTION.SUCCESS', { out_trade_no: '1' }, url));
  await sandbox.rotate('public-key');
  if (!after) throw new Error('The sandbox sends a notification.');
  expect(await verify(after)).toMatchObject({ code: 0, stdout: expect.stringContaining(`the key ${serial} is known`) });
  const offline = await verify(after, [], { ...env, WECHATPAY_MCHID: undefined });
  expect(offline).toMatchObject({
    code: 4,
    stdout: expect.stringContaining(`FAILED   serial     no key for ${serial}`),
  });
});

describe('v2', () => {
  test('in order', async () => {
    const printed = await verify(savedV2, ['--json']);
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(printed.stdout)).toMatchObject({ ok: true, protocol: 'v2' });
  });

  test.each<[string, (xml: string) => string, string]>([
    ['a changed field', (xml) => xml.replace('ORDER-1', 'ORDER-2'), 'signature  The field "sign" does not match'],
    ['cut off', (xml) => xml.slice(0, -5), 'body  The body is not valid XML'],
    [
      'a failure',
      () => '<xml><return_code>FAIL</return_code><return_msg>x</return_msg></xml>',
      'return_code  is FAIL: x',
    ],
  ])('%s', async (_, change, text) => {
    const { code, stdout } = await verify(
      changed(savedV2, { 'content-length': undefined }, Buffer.from(change(savedV2.body.toString()))),
    );
    expect(code).toBe(4);
    expect(stdout).toContain(text);
  });

  test.each<[string, string[], string, number]>([
    ['old', [], 'failed', 4],
    ['received in time', ['--at', '2014-09-05T13:15:40+08:00'], 'passed', 0],
    ['received a second too late', ['--at', '2014-09-05T13:15:41+08:00'], 'failed', 4],
    ['at any time', ['--any-time'], 'skipped', 0],
  ])('by its time_end, %s', async (_, args, clock, code) => {
    const fields = { out_trade_no: 'ORDER-1', mch_id: '1900000109', time_end: '20140903131540' };
    const [sent] = await receive((url) => sandbox.notify('v2/transaction-success', fields, url));
    const printed = await verify(sent as Saved, [...args, '--json']);
    expect(printed.code).toBe(code);
    expect(outcomes(printed)).toEqual({ body: 'passed', signature: 'passed', clock });
  });

  test('a refund, which is only encrypted, is not said to be signed', async () => {
    const content = { out_refund_no: 'REFUND-1', refund_status: 'SUCCESS' };
    const [refund] = await receive((url) => sandbox.notify('v2/refund-processed', content, url));
    const printed = await verify(refund as Saved, ['--json']);
    expect(printed.code).toBe(0);
    expect(outcomes(printed)).toEqual({ body: 'passed', signature: 'warning', clock: 'skipped' });
  });

  test('without the APIv2 key', async () => {
    const { code, stderr } = await verify(savedV2, [], { ...env, WECHATPAY_SECRET: undefined });
    expect(code).toBe(3);
    expect(stderr).toContain('Missing: WECHATPAY_SECRET (or --secret)');
  });
});

test('whatever is changed, the command and the library agree', async () => {
  const { certs, apiv3Key } = sandbox.config;
  const notifications = Notifications.of({ certs, apiv3Key });
  const whole = message(saved);
  const start = whole.indexOf('\r\n') + 2;
  let refused = 0;
  for (let position = start; position < whole.length; position += 13) {
    const flipped = Buffer.from(whole);
    flipped.writeUInt8(flipped.readUInt8(position) ^ 1, position);
    const printed = await wxpay(['verify', file('flipped.http', flipped)], { env });
    if (printed.code === 2) continue;
    const { headers, body } = parseMessage(flipped);
    const accepted = await notifications.parse({ headers, body }).then(
      () => true,
      () => false,
    );
    expect({ position, code: printed.code }).toEqual({ position, code: accepted ? 0 : 4 });
    if (!accepted) refused++;
  }
  expect(refused).toBeGreaterThan(50);
}, 60_000);

describe('mistakes', () => {
  test.each<[string[], number, string]>([
    [[], 2, 'Pass one file with headers and body, or both --headers and --body.'],
    [['--headers', 'a'], 2, 'or both --headers and --body'],
    [['/nowhere'], 2, 'The file /nowhere cannot be read (ENOENT)'],
    [['-', '--at', 'yesterday'], 2, '"yesterday" is not a time; use 2026-'],
  ])('%j', async (args, code, text) => {
    const printed = await wxpay(['verify', ...args], { env, stdin: 'a: b\n\n{}' });
    expect(printed).toMatchObject({ code, stdout: '' });
    expect(printed.stderr).toContain(text);
  });

  test('a body alone', async () => {
    const { code, stderr } = await wxpay(['verify', '-'], { env, stdin: saved.body.toString() });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringContaining('no empty line between headers and body'),
    });
  });

  test('no key at all', async () => {
    const { code, stderr } = await verify(saved, [], {});
    expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('Missing: WECHATPAY_PUBLIC_KEY') });
  });
});

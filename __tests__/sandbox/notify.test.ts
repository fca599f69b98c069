import { execFile } from 'node:child_process';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Builder, Notifications } from 'wechatpay-undici';
import { type Delivery, Sandbox } from 'wechatpay-undici/sandbox';
import { SCHEDULE } from '../../lib/sandbox/notifications/notify';

/** Servers that answer notifications, each to be closed. */
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** Answers each request with the next status, the last one from then on. */
async function answering(...answers: (number | string | RequestListener)[]) {
  const times: number[] = [];
  const bodies: string[] = [];
  const heads: NodeJS.Dict<string | string[]>[] = [];
  const server = createServer(async (request, response) => {
    times.push(performance.now());
    heads.push(request.headers);
    let body = '';
    for await (const chunk of request) body += chunk;
    bodies.push(body);
    const answer = answers[Math.min(times.length, answers.length) - 1];
    if (typeof answer === 'function') return answer(request, response);
    if (typeof answer === 'string') return response.end(answer);
    response.writeHead(answer ?? 204, { location: '/elsewhere' }).end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`, times, bodies, heads };
}

const content = { out_trade_no: 'ORDER-1' };

const DAY = 86_400_000;

test('a notification goes out as WeChat Pay sends it', async () => {
  await using sandbox = await Sandbox.start();
  sandbox.clock.freeze();
  await sandbox.clock.set(new Date('2030-01-02T03:04:05Z'));
  const { url, bodies, heads } = await answering(204);
  const { delivered } = await sandbox.notify('MCHTRANSFER.BILL.FINISHED', { ...BILL }, url, { id: 'EV-1' });
  expect(delivered).toBe(true);
  expect(JSON.parse(bodies[0] ?? '')).toEqual({
    id: 'EV-1',
    create_time: '2030-01-02T11:04:05+08:00',
    event_type: 'MCHTRANSFER.BILL.FINISHED',
    resource_type: 'encrypt-resource',
    summary: expect.any(String),
    resource: {
      original_type: 'mch_payment',
      algorithm: 'AEAD_AES_256_GCM',
      ciphertext: expect.stringMatching(/^[\w+/]+=*$/),
      associated_data: 'mch_payment',
      nonce: expect.stringMatching(/^\w{12}$/),
    },
  });
  expect(heads[0]).toMatchObject({
    'content-type': 'application/json',
    'request-id': expect.any(String),
    'wechatpay-nonce': expect.stringMatching(/^\w{32}$/),
    'wechatpay-serial': Object.keys(sandbox.config.certs)[0],
    'wechatpay-signature': expect.stringMatching(/^[\w+/]{342}==$/),
    'wechatpay-signature-type': 'WECHATPAY2-SHA256-RSA2048',
  });
  // Signed by the real time, so that a receiver whose clock is right accepts it.
  expect(Math.abs(Number(heads[0]?.['wechatpay-timestamp']) * 1000 - Date.now())).toBeLessThan(DAY);
  expect(JSON.stringify(bodies) + JSON.stringify(heads)).not.toContain(BILL.out_bill_no);
});

const BILL = {
  out_bill_no: 'BILL-1',
  transfer_bill_no: '1330000071100999991182020050700019480001',
  state: 'SUCCESS',
  mch_id: '1900000109',
  transfer_amount: 2000,
  openid: 'o-MYE42l80oelYMDE34nYD456Xoy',
  create_time: '2015-05-20T13:29:35+08:00',
  update_time: '2015-05-20T13:29:35+08:00',
} as const;

test('each time, it is signed by the key that the platform has then', async () => {
  await using sandbox = await Sandbox.start();
  const rotating: RequestListener = async (_, response) => {
    await sandbox.rotate();
    response.writeHead(500).end();
  };
  const { url, heads, bodies } = await answering(rotating, 204);
  await sandbox.notify('TRANSACTION.SUCCESS', content, url);
  await sandbox.clock.advance({ seconds: 15 });
  const serials = heads.map((headers) => headers['wechatpay-serial']);
  expect(serials).toEqual([Object.keys(sandbox.config.certs)[0], expect.stringMatching(/^[0-9A-F]{20,40}$/)]);
  // The new certificate is downloaded.
  const notifications = Notifications.of(Builder.factory(sandbox.config));
  const sent = { headers: heads[1] ?? {}, body: bodies[1] ?? '' };
  expect(await notifications.parse(sent)).toMatchObject({ resource: content });
});

test('what the catalogue knows is typed', async () => {
  await using sandbox = await Sandbox.start();
  const never = async () => {
    // @ts-expect-error: a number is no text
    await sandbox.notify('TRANSACTION.SUCCESS', { out_trade_no: 1 }, '');
    // @ts-expect-error: a bill that lacks nearly everything
    await sandbox.notify('MCHTRANSFER.BILL.FINISHED', { out_bill_no: 'BILL-1' }, '');
    // @ts-expect-error: a text is no content
    await sandbox.notify('TEA.SERVED', 'tea', '');
    await sandbox.notify('TRANSACTION.SUCCESS', { ...content, brand_new: 1 }, '');
    await sandbox.notify('TEA.SERVED', { cups: 2 }, '');
  };
  expect(never).toBeInstanceOf(Function);
});

describe('the schedule', () => {
  /** Seconds, as WeChat Pay documents them: 15s/15s/30s/3m/10m/20m/30m/30m/30m/60m/3h/3h/3h/6h/6h. */
  const [m, h] = [60, 3600];
  const WAITS = [15, 15, 30, 3 * m, 10 * m, 20 * m, 30 * m, 30 * m, 30 * m, h, 3 * h, 3 * h, 3 * h, 6 * h, 6 * h];

  /** Notifies, and lets two days pass. */
  async function after2Days(sandbox: Sandbox, url: string, name = 'TRANSACTION.SUCCESS'): Promise<Delivery> {
    const first = await sandbox.notify(name, content, url);
    expect(first.attempts).toHaveLength(1);
    await sandbox.clock.advance({ days: 2 });
    const [delivery] = sandbox.notifications;
    if (!delivery) throw new Error('It has been forgotten.');
    expect(delivery.id).toBe(first.id);
    return delivery;
  }

  test('is that of WeChat Pay', async () => {
    expect(SCHEDULE).toEqual(WAITS);
    expect(WAITS.reduce((sum, wait) => sum + wait)).toBe(24 * h + 4 * m);
    await using sandbox = await Sandbox.start();
    sandbox.clock.freeze();
    const start = sandbox.clock.now();
    const { url, bodies } = await answering(500);
    const { delivered, attempts } = await after2Days(sandbox, url);
    expect(delivered).toBe(false);
    const due = WAITS.map((_, index) => WAITS.slice(0, index + 1).reduce((sum, wait) => sum + wait));
    expect(attempts.map(({ time }) => (time - start) / 1000)).toEqual([0, ...due]);
    expect(bodies).toHaveLength(16);
    expect(new Set(bodies.map((body) => JSON.parse(body).id)).size).toBe(1);
    expect(new Set(bodies.map((body) => JSON.parse(body).create_time)).size).toBe(1);
    expect(sandbox.clock.now()).toBe(start + 2 * DAY);
  });

  test('goes on by itself, once the clock has come there', async () => {
    await using sandbox = await Sandbox.start();
    const { url, bodies } = await answering(500);
    expect((await sandbox.notify('TRANSACTION.SUCCESS', content, url)).delivered).toBeUndefined();
    await sandbox.clock.advance({ seconds: 10 });
    expect(bodies).toHaveLength(1);
    await sandbox.clock.advance({ seconds: 5 });
    expect(bodies).toHaveLength(2);
    expect(sandbox.notifications).toMatchObject([
      { attempts: [{ status: 500 }, { status: 500 }], delivered: undefined },
    ]);
  });

  test('ends with the first success', async () => {
    await using sandbox = await Sandbox.start();
    const { url, times } = await answering(500, 404, 302, 201, 200);
    const { delivered, attempts } = await after2Days(sandbox, url);
    expect(delivered).toBe(true);
    expect(attempts.map(({ status, accepted }) => [status, accepted])).toEqual([
      ...[500, 404, 302, 201].map((status) => [status, false]),
      [200, true],
    ]);
    expect(times).toHaveLength(5);
  });

  test('of v2, a success is XML that says so', async () => {
    await using sandbox = await Sandbox.start();
    const success = '<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>';
    const fail: RequestListener = (_, response) => response.writeHead(500).end(success);
    const { url } = await answering('', 'SUCCESS', '<xml><return_code>FAIL</return_code></xml>', fail, success);
    const { attempts } = await after2Days(sandbox, url, 'v2/transaction-success');
    expect(attempts.map(({ accepted }) => accepted)).toEqual([false, false, false, false, true]);
  });

  test('goes on where nobody replies', async () => {
    await using sandbox = await Sandbox.start();
    const { url } = await answering((request) => request.socket.destroy(), 204);
    const { attempts } = await after2Days(sandbox, url);
    expect(attempts).toMatchObject([{ status: undefined, accepted: false }, { status: 204 }]);
    expect(attempts[0]?.reply).toMatch(/socket|ECONNRESET/i);
  });

  test('goes on after 5 s without a reply', async () => {
    await using sandbox = await Sandbox.start();
    const { url, times } = await answering(() => {}, 204);
    const { attempts } = await after2Days(sandbox, url);
    expect(attempts).toMatchObject([{ reply: 'No reply came within 5000 ms.' }, { status: 204 }]);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(4900);
  });

  test.each(['close', 'reset'] as const)('ends with %s()', async (end) => {
    const sandbox = await Sandbox.start();
    const { url, times } = await answering(500);
    expect(await sandbox.notify('TRANSACTION.SUCCESS', content, url)).toMatchObject({
      ...{ name: 'TRANSACTION.SUCCESS', url, delivered: undefined, attempts: [{ status: 500 }] },
    });
    await sandbox[end]();
    await sandbox.clock.advance({ days: 2 });
    expect(times).toHaveLength(1);
    const after = await sandbox.notify('TRANSACTION.SUCCESS', content, (await answering(204)).url);
    expect(after.delivered).toBe(end === 'reset');
    await sandbox.close();
  });

  test.each(['close', 'reset'] as const)('%s() ends the waiting for a first attempt', async (end) => {
    const sandbox = await Sandbox.start();
    let arrived = (): void => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { url } = await answering(() => arrived());
    const underWay = sandbox.notify('TRANSACTION.SUCCESS', content, url);
    await arrival;
    const notYetSent = sandbox.notify('TRANSACTION.SUCCESS', content, url);
    await sandbox[end]();
    for (const delivery of [underWay, notYetSent]) {
      expect(await delivery).toMatchObject({ delivered: false, attempts: [] });
    }
    await sandbox.close();
  });
});

test('close leaves nothing that keeps the process alive', async () => {
  const fixture = join(__dirname, 'notify-leaves-nothing.fixture.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['-r', 'esbuild-register', fixture], {
    timeout: 15_000,
  });
  expect(JSON.parse(stdout)).toEqual([1, 0, 1]);
}, 20_000);

test('what is wrong with a notification is wrong once', async () => {
  await using sandbox = await Sandbox.start();
  const { url, times, heads } = await answering(500);
  const headers = { 'X-Trace': ['1', '2'], 'Content-Type': 'text/plain' };
  await sandbox.notify('TRANSACTION.SUCCESS', content, url, { omit: ['Wechatpay-Nonce'], headers, serial: 'A1' });
  expect(times).toHaveLength(1);
  expect(heads[0]).toMatchObject({ 'x-trace': '1, 2', 'content-type': 'text/plain', 'wechatpay-serial': 'A1' });
  expect(heads[0]).not.toHaveProperty('wechatpay-nonce');
});

test('a notification that cannot be sent is refused', async () => {
  await using sandbox = await Sandbox.start();
  const notify = sandbox.notify.bind(sandbox) as (...given: unknown[]) => Promise<unknown>;
  const [to, refused] = ['http://127.0.0.1/', { name: 'InvalidArgumentError' }];
  const wrong: [given: unknown[], message: RegExp][] = [
    [['', content, to], /needs a name/],
    [['TEA.SERVED', undefined, to], /The content of the notification TEA.SERVED must be an object/],
    [['TEA.SERVED', [], to], /must be an object/],
    [['TEA.SERVED', content, '/notify'], /found "\/notify"/],
    [['TEA.SERVED', content, 'ftp://127.0.0.1/'], /absolute http or https URL/],
    [['TEA.SERVED', content, to, { retries: 1 }], /Unknown option "retries"/],
  ];
  for (const [given, message] of wrong) {
    await expect(notify(...given)).rejects.toMatchObject({ ...refused, message: expect.stringMatching(message) });
  }
  expect(sandbox.notifications).toEqual([]);
});

import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { SignatureError } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';
import * as express from '../../examples/notify-express';
import * as fastify from '../../examples/notify-fastify';
import * as hono from '../../examples/notify-hono';
import * as koa from '../../examples/notify-koa';
import * as node from '../../examples/notify-node';
import type { Start } from '../../examples/support/receive';
import * as Notifications from '../../lib/notification';

const STARTS: Record<string, Start> = {
  'node:http': node.start,
  Express: express.start,
  Fastify: fastify.start,
  Hono: hono.start,
  Koa: koa.start,
};

describe.each(Object.entries(STARTS))('the example with %s', (_, start) => {
  let sandbox: Sandbox;
  let server: Server;
  let url: string;
  let errors: unknown[] = [];
  let paid: (string | undefined)[] = [];
  /** Runs before a payment counts as processed. */
  let process: () => unknown = () => {};

  beforeAll(async () => {
    sandbox = await Sandbox.start();
    const { certs, apiv3Key, secret } = sandbox.config;
    const onError = (error: unknown) => errors.push(error);
    const notifications = Notifications.of({ certs, apiv3Key, secret, maxBodySize: 20_000, onError });
    const pay = async (out_trade_no: string | undefined) => {
      await process();
      paid.push(out_trade_no);
    };
    server = await start(notifications, pay, 0);
    if (!server.listening) await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`;
  });

  beforeEach(() => {
    [errors, paid, process] = [[], [], () => {}];
  });

  afterAll(async () => {
    server.close();
    await Promise.all([once(server, 'close'), sandbox.close()]);
  });

  const payment = { out_trade_no: 'ORDER-1', trade_state: 'SUCCESS' };
  const statuses = ({ attempts }: { attempts: readonly { status: number | undefined }[] }) =>
    attempts.map(({ status }) => status);

  test('answers a payment with 204, and a repeat without processing it again', async () => {
    const deliveries = [];
    for (let i = 0; i < 2; i++) {
      deliveries.push(await sandbox.notify('TRANSACTION.SUCCESS', payment, url, { id: 'EV-1' }));
    }
    expect(deliveries.map(statuses)).toEqual([[204], [204]]);
    expect(deliveries.map(({ attempts }) => attempts[0]?.reply)).toEqual(['', '']);
    expect([paid, errors]).toEqual([['ORDER-1'], []]);
  });

  test('answers failures with 500 until it is processed, once', async () => {
    let left = 2;
    process = () => {
      if (left-- > 0) throw new Error('The database is gone.');
    };
    await sandbox.notify('TRANSACTION.SUCCESS', payment, url);
    await sandbox.clock.advance({ minutes: 1 });
    const delivery = sandbox.notifications.at(-1);
    expect(delivery?.attempts.map(({ status }) => status)).toEqual([500, 500, 204]);
    expect(delivery?.delivered).toBe(true);
    expect(paid).toEqual(['ORDER-1']);
    expect(errors.map(String)).toEqual(Array(2).fill('Error: The database is gone.'));
  });

  test.each([
    ['by another key', { signature: 'wrong' }, 'ERR_SIGNATURE_WRONG'],
    ['by nobody', { signature: 'none' }, 'ERR_SIGNATURE_MISSING'],
    ['long ago', { skew: -400 }, 'ERR_SIGNATURE_CLOCK'],
    ['by an unknown key', { serial: 'PUB_KEY_ID_0' }, 'ERR_SIGNATURE_SERIAL'],
    ['for another body', { tamper: true }, 'ERR_SIGNATURE_WRONG'],
  ] as const)('refuses what is signed %s', async (_, how, code) => {
    const delivery = await sandbox.notify('TRANSACTION.SUCCESS', payment, url, how);
    expect([statuses(delivery), delivery.delivered, paid]).toEqual([[401], false, []]);
    expect(errors).toEqual([expect.objectContaining({ code, probe: false })]);
  });

  test('refuses a body that is too large', async () => {
    const large = { ...payment, attach: 'x'.repeat(20_000) };
    const { attempts } = await sandbox.notify('TRANSACTION.SUCCESS', large, url, { headers: {} });
    expect(attempts).toMatchObject([{ status: 413, reply: expect.stringContaining('too large') }]);
    expect(paid).toEqual([]);
    expect(errors).toMatchObject([{ code: 'ERR_BODY_TOO_LARGE' }]);
  });

  test("refuses WeChat Pay's probe, which is told from an attack", async () => {
    const delivery = await sandbox.notify('TRANSACTION.SUCCESS', payment, url, { probe: true });
    expect(delivery.attempts).toMatchObject([
      { status: 401, probe: true, accepted: false },
      { status: 204, probe: false, accepted: true },
    ]);
    expect(paid).toEqual(['ORDER-1']);
    expect(errors).toEqual([expect.any(SignatureError)]);
    expect(errors).toMatchObject([{ probe: true }]);
  });

  test('answers XML with XML', async () => {
    const sent = [
      await sandbox.notify('v2/transaction-success', { out_trade_no: 'ORDER-2', total_fee: '1' }, url),
      await sandbox.notify('v2/transaction-success', { out_trade_no: 'ORDER-2' }, url, { signature: 'wrong' }),
    ];
    expect(sent).toMatchObject([
      { delivered: true, attempts: [{ status: 200, reply: expect.stringContaining('>SUCCESS<') }] },
      { delivered: false, attempts: [{ status: 401, reply: expect.stringContaining('>FAIL<') }] },
    ]);
  });
});

test('unless told otherwise, an attack is printed and a probe is not', async () => {
  const printed = jest.spyOn(console, 'error').mockImplementation(() => {});
  await using sandbox = await Sandbox.start();
  const { certs, apiv3Key } = sandbox.config;
  const server = await node.start(Notifications.of({ certs, apiv3Key }), () => {}, 0);
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`;
  await sandbox.notify('TRANSACTION.SUCCESS', { out_trade_no: 'ORDER-1' }, url, { probe: true });
  expect(printed).not.toHaveBeenCalled();
  await sandbox.notify('TRANSACTION.SUCCESS', { out_trade_no: 'ORDER-1' }, url, { signature: 'wrong' });
  expect(printed).toHaveBeenCalledTimes(1);
  printed.mockRestore();
  server.close();
});

import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { Agent } from 'undici';
import { Builder } from 'wechatpay-undici';
import { config, MCHID, signatureOf } from '../fuzz/wire';
import { loose } from '../support/loose';

/** More than a connection reads ahead. */
export const BILL = `交易时间,金额\n${'`2026-11-23 00:00:00,`100\n'.repeat(40_000)}`;
const ZIPPED = gzipSync(BILL, { level: 0 });
const sha1 = createHash('sha1').update(BILL).digest('hex');
const digest = { hash_type: 'SHA1', hash_value: sha1 };
const xml = { mch_id: MCHID, appid: 'wx8888888888888888', bill_date: '20261123', bill_type: 'ALL' };

/** How many connections the client has. */
export const CONNECTIONS = 10;

/** A server whose files have begun, and do not end before they are told to; and a client with few connections to it. */
export async function begunFiles() {
  const files = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    request.resume();
    const { pathname, searchParams } = new URL(request.url as string, 'http://localhost');
    if (pathname === '/v3/pay') {
      const body = '{"prepay_id":"wx1"}';
      response.writeHead(200, Object.fromEntries(signatureOf(Buffer.from(body)))).end(body);
      return;
    }
    const { socket } = request;
    sockets.add(socket);
    files.add(response.on('close', () => files.delete(response)));
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    const signed = pathname === '/v3/global/statements' ? signatureOf(Buffer.from(`{"sha1":"${sha1}"}`)) : [];
    response.writeHead(200, {
      ...Object.fromEntries(signed),
      ...(signed.length > 0 && { 'wechatpay-statement-sha1': sha1 }),
    });
    response.write(searchParams.has('gzip') ? ZIPPED : BILL);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const agent = new Agent({ connections: CONNECTIONS });
  const instance = loose<'v2' | 'v3'>(Builder.factory({ ...config, baseUrl, dispatcher: agent }));
  return {
    instance,
    /** Connections over which a file has been asked for, and that are open. */
    sockets,
    /** Ends the files, whole. */
    finish() {
      for (const file of files) file.end();
    },
    async close() {
      await agent.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
}

type Instance = Awaited<ReturnType<typeof begunFiles>>['instance'];

/** The ways that a file comes. */
export const KINDS: Readonly<Record<string, (instance: Instance, options?: object) => Promise<Response>>> = {
  'a file': (instance, options) => instance.chain('v3/billdownload/file').get({ ...options }),
  'a file with a hash': (instance, options) => instance.chain('v3/billdownload/file').get({ digest, ...options }),
  'a zipped file': (instance, options) =>
    instance
      .chain('v3/billdownload/file')
      .get({ query: { gzip: 1 }, digest: { ...digest, tar_type: 'GZIP' }, ...options }),
  'a statement': (instance, options) => instance.chain('v3/global/statements').get({ ...options }),
  'a bill of v2': (instance, options) => instance.chain('v2/pay/downloadbill').post({ xml, ...options }),
};

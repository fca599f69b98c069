import { randomBytes, randomUUID, sign, verify } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { Builder } from 'wechatpay-undici';
import { rsaKeyPair } from '../support/keys';
import { loose } from '../support/loose';

/** A request, taken apart by hand from the bytes of its connection. */
export interface WireRequest {
  method: string;
  target: string;
  /** Names as they were sent; values as bytes, one character each. */
  headers: [name: string, value: string][];
  body: Buffer;
}

/** Answers a request: the bytes of an answer of HTTP. */
export type Answer = (request: WireRequest) => Buffer | string;

export const MCHID = '1900000109';
export const SERIAL = '3775B6A45ACD588826D15E583A95F5DD3775B6A4';
export const PLATFORM_ID = 'PUB_KEY_ID_0114232134912410000000000000';
export const secret = randomBytes(16).toString('hex');
const merchant = rsaKeyPair();
const platform = rsaKeyPair(2049);

/** A configuration of a client, but for the root of the API. */
export const config = {
  mchid: MCHID,
  serial: SERIAL,
  privateKey: merchant.privateKey,
  certs: { [PLATFORM_ID]: platform.publicKey },
  secret,
};

/**
 * A server that speaks HTTP with its bare hands: what it is sent, it keeps byte by byte, what it answers is up to the
 * test. With a client for it.
 */
export async function wire(answer: Answer = signedAnswer('{}')) {
  const sockets = new Set<Socket>();
  const requests: WireRequest[] = [];
  const state = { answer, connections: 0 };
  const server = createServer((socket) => {
    let received = Buffer.alloc(0);
    state.connections++;
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      const request = takeApart(received);
      if (!request) return;
      received = Buffer.alloc(0);
      requests.push(request);
      socket.write(state.answer(request));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const drop = () => {
    for (const socket of sockets) socket.destroy();
  };
  const baseUrl = `http://127.0.0.1:${port}/`;
  return {
    url: baseUrl,
    requests,
    state,
    instance: loose<'v2' | 'v3'>(Builder.factory({ ...config, baseUrl })),
    drop,
    close: () => {
      drop();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** `undefined` until the request is there as a whole; what lies behind its end is an error. */
export function takeApart(bytes: Buffer): WireRequest | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [requestLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const [method = '', target = '', version, ...rest] = requestLine.split(' ');
  if (version !== 'HTTP/1.1' || rest.length > 0) throw new Error(`Not a request line: ${requestLine}`);
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')];
  });
  const length = Number(headerOf({ headers }, 'content-length') ?? 0);
  const body = bytes.subarray(end + 4);
  if (body.length > length) throw new Error('There is more than the request.');
  return body.length === length ? { method, target, headers, body } : undefined;
}

/** The value of a header that stands there once. */
export function headerOf({ headers }: Pick<WireRequest, 'headers'>, name: string): string | undefined {
  const found = headers.filter(([key]) => key.toLowerCase() === name);
  if (found.length > 1) throw new Error(`${name} stands there twice`);
  return found[0]?.[1];
}

/** Checks the `Authorization` of APIv3 over the bytes received. */
export function expectSigned(request: WireRequest, signedBody: Buffer = request.body): void {
  const authorization = headerOf(request, 'authorization') ?? '';
  const [scheme, parameters = ''] = authorization.split(/ (.*)/);
  const fields = Object.fromEntries(
    [...parameters.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
  expect([scheme, fields.mchid, fields.serial_no]).toEqual(['WECHATPAY2-SHA256-RSA2048', MCHID, SERIAL]);
  expect(Math.abs(Number(fields.timestamp) - Date.now() / 1000)).toBeLessThan(60);
  const lines = `${request.method}\n${request.target}\n${fields.timestamp}\n${fields.nonce_str}\n`;
  const message = Buffer.concat([Buffer.from(lines, 'latin1'), signedBody, Buffer.from('\n')]);
  expect(verify('sha256', message, merchant.publicKey, Buffer.from(fields.signature ?? '', 'base64'))).toBe(true);
}

/** An answer of HTTP, framed. */
export function frame(status: number, headers: readonly (readonly [string, string])[], body: Buffer): Buffer {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return Buffer.concat([
    Buffer.from(`HTTP/1.1 ${status} X\r\n${lines}content-length: ${body.length}\r\n\r\n`, 'latin1'),
    body,
  ]);
}

/** An answer as the platform signs it. */
export function signedAnswer(
  text: string | Buffer,
  status = 200,
  more: readonly (readonly [string, string])[] = [],
): Answer {
  return () => frame(status, [...signatureOf(Buffer.from(text)), ...more], Buffer.from(text));
}

/** The headers that sign an answer. */
export function signatureOf(body: Buffer): [string, string][] {
  const time = String(Math.floor(Date.now() / 1000));
  const nonce = randomUUID();
  const message = Buffer.concat([Buffer.from(`${time}\n${nonce}\n`), body, Buffer.from('\n')]);
  return [
    ['content-type', 'application/json'],
    ['wechatpay-timestamp', time],
    ['wechatpay-nonce', nonce],
    ['wechatpay-serial', PLATFORM_ID],
    ['wechatpay-signature', sign('sha256', message, platform.privateKey).toString('base64')],
  ];
}

import { sign } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Agent } from 'undici';
import { Builder, type Chain, type ClientConfig, Hash, Transformer } from 'wechatpay-undici';
import { rsaKeyPair } from './keys';

/** The merchant's keys and WeChat Pay's. */
export const merchant = rsaKeyPair();
export const platform = rsaKeyPair(2048, 'other');

export const PLATFORM_ID = 'PUB_KEY_ID_0114232134912410000000000000';
export const MCHID = '1900000109';
export const SECRET = 'v2-secret-of-32-characters-xxxxx';

/** How the signature of a response is made. */
export interface SealOptions {
  serial?: string;
  key?: typeof platform.privateKey;
  /** Seconds that the clock is ahead. */
  skew?: number;
}

/** The headers by which WeChat Pay signs a body of APIv3. */
export function seal(body: string, options: SealOptions = {}): Record<string, string> {
  const { serial = PLATFORM_ID, key = platform.privateKey, skew = 0 } = options;
  const time = Math.floor(Date.now() / 1000) + skew;
  return {
    'wechatpay-serial': serial,
    'wechatpay-timestamp': String(time),
    'wechatpay-nonce': 'n',
    'wechatpay-signature': sign('sha256', Buffer.from(`${time}\nn\n${body}\n`), key).toString('base64'),
  };
}

/** A response of v2, signed. */
export function sealed(fields: Record<string, string>): string {
  return Transformer.toXml({ ...fields, sign: Hash.sign('MD5', fields, SECRET) });
}

/** Sends one response. */
export type Respond = (response: ServerResponse, request: IncomingMessage, body: string) => unknown;

/** Responds with a status and a body, signed or with headers of one's own. */
export function responding(status: number, body: string, headers: Record<string, string> = seal(body)): Respond {
  return (response) => response.writeHead(status, headers).end(body);
}

/** A server on loopback that does whatever a test says, and clients for it; of a test file all along. */
export function wechatPay() {
  const running = { respond: (() => {}) as Respond, arrived: 0 };
  const agent = new Agent();
  let server: Server;
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      running.arrived += 1;
      const body = await buffer(request).catch(() => Buffer.of());
      await running.respond(response, request, body.toString());
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  beforeEach(() => {
    running.arrived = 0;
  });
  afterAll(async () => {
    await agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const config = (change: object = {}) =>
    ({
      mchid: MCHID,
      serial: '3775B6A45ACD588826D15E583A95F5DD3775B6A4',
      privateKey: merchant.privateKey,
      certs: { [PLATFORM_ID]: platform.publicKey },
      secret: SECRET,
      baseUrl: url(),
      dispatcher: agent,
      ...change,
    }) as ClientConfig;
  const build = (change: object = {}): Chain => Builder.factory(config(change));
  return { running, agent, url, config, build };
}

import { createSign, createVerify } from 'node:crypto';
import { type Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import type { Sandbox } from 'wechatpay-undici/sandbox';

export interface Sent {
  method?: string;
  body?: string | Buffer;
  /** Sent as JSON in place of `body`. */
  json?: unknown;
  headers?: OutgoingHttpHeaders;
  /** Replaces members of `Authorization` after signing; `undefined` leaves one out. */
  authorization?: Record<string, string | undefined>;
  /** Seconds since 1970. */
  timestamp?: number;
  agent?: Agent;
}

export interface Received {
  status: number;
  headers: IncomingHttpHeaders;
  rawHeaders: string[];
  text: string;
  /** The body as JSON, as far as tests look into it. */
  json: Answered;
}

interface Answered {
  [member: string]: unknown;
  code: string;
  message: string;
  coupon_code: string;
  detail: { field: string; [member: string]: unknown };
}

let count = 0;

/** Sends a request that is signed by hand, over a socket of its own unless an agent is given. */
export async function send(sandbox: Sandbox, target: string, options: Sent = {}): Promise<Received> {
  const { json, agent = false } = options;
  const body = json === undefined ? (options.body ?? '') : JSON.stringify(json);
  const method = options.method ?? (body.length > 0 ? 'POST' : 'GET');
  const headers: OutgoingHttpHeaders = {
    accept: 'application/json',
    'user-agent': 'hand-made',
    authorization: authorization(sandbox, method, target, body, options),
    'wechatpay-serial': Object.keys(sandbox.config.certs)[0],
    ...(body.length > 0 && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    ...options.headers,
  };
  for (const name of Object.keys(headers)) if (headers[name] === undefined) delete headers[name];

  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(sandbox.url), { method, path: target, headers, agent }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const { statusCode = 0, headers, rawHeaders } = incoming;
        resolve({ status: statusCode, headers, rawHeaders, text, json: parsed(text) });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

export function authorization(
  { config }: Sandbox,
  method: string,
  target: string,
  body: string | Buffer,
  options: Sent = {},
): string {
  const timestamp = String(options.timestamp ?? Math.floor(Date.now() / 1000));
  const nonce_str = `nonce${++count}`;
  const signature = createSign('RSA-SHA256')
    .update(`${method}\n${target}\n${timestamp}\n${nonce_str}\n`)
    .update(body)
    .update('\n')
    .sign(config.privateKey, 'base64');
  const { mchid, serial } = config;
  const members = { mchid, nonce_str, signature, timestamp, serial_no: serial, ...options.authorization };
  const pairs = Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [`${name}="${value}"`]));
  return `WECHATPAY2-SHA256-RSA2048 ${pairs.join(',')}`;
}

/** Whether an answer is signed by the platform of the sandbox's configuration. */
export function isSigned({ config }: Sandbox, { headers, text }: Received): boolean {
  const header = (name: string): string => String(headers[`wechatpay-${name}`]);
  const key = config.certs[header('serial')];
  if (!key || header('signature-type') !== 'WECHATPAY2-SHA256-RSA2048') return false;
  return createVerify('RSA-SHA256')
    .update(`${header('timestamp')}\n${header('nonce')}\n${text}\n`)
    .verify(key, header('signature'), 'base64');
}

function parsed(text: string): Answered {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse('null');
  }
}

export const SEND = '/v3/marketing/busifavor/coupons/send';
export const USE = '/v3/marketing/busifavor/coupons/use';

/** The example of the README. */
export const used = {
  coupon_code: 'sxxe34343434',
  stock_id: '100088',
  appid: 'wx1234567889999',
  use_time: '2015-05-20T13:29:35+08:00',
  use_request_no: '1002600620019090123143254435',
  openid: 'xsd3434454567676',
};

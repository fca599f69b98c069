import { createCipheriv, createHash, createHmac, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rsaKeyPair } from '../support/keys';

/** A notification on its way: what a platform sends. */
export interface Sent {
  headers: Record<string, string>;
  body: string;
}

export const PLATFORM_ID = 'PUB_KEY_ID_0114232134912410000000000000';
export const apiv3Key = randomBytes(16).toString('hex');
export const secret = randomBytes(16).toString('hex');
/** WeChat Pay's. */
export const { privateKey, publicKey } = rsaKeyPair();
export const merchantKey: KeyObject = rsaKeyPair(2048, 'other').privateKey;
export const certs: Readonly<Record<string, KeyObject>> = { [PLATFORM_ID]: publicKey };

/** What a payment notification holds, one character outside of ASCII among it. */
export const TRANSACTION = {
  mchid: '1900000109',
  out_trade_no: '1217752501201407033233368018',
  transaction_id: '4200001234202401011234567890',
  trade_state: 'SUCCESS',
  attach: '茶',
  amount: { total: 100, currency: 'CNY' },
};

/** Ciphertext and tag of AES-256-GCM, in Base64. */
export function seal(plaintext: string, nonce: string, aad: string, key = apiv3Key): string {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(aad));
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]).toString('base64');
}

/** The envelope of a notification of APIv3. */
export function envelope(resource: unknown = TRANSACTION, members: object = {}, key = apiv3Key) {
  const nonce = randomBytes(6).toString('hex');
  const associated_data = 'transaction';
  const plaintext = typeof resource === 'string' ? resource : JSON.stringify(resource);
  return {
    id: randomUUID(),
    create_time: '2024-01-01T12:00:00+08:00',
    resource_type: 'encrypt-resource',
    event_type: 'TRANSACTION.SUCCESS',
    summary: '支付成功',
    resource: {
      original_type: 'transaction',
      algorithm: 'AEAD_AES_256_GCM',
      ciphertext: seal(plaintext, nonce, associated_data, key),
      associated_data,
      nonce,
    },
    ...members,
  };
}

/** Signs a body as the platform does. */
export function signed(body: string, { time = Math.floor(Date.now() / 1000), serial = PLATFORM_ID } = {}): Sent {
  const nonce = randomBytes(16).toString('hex');
  return {
    headers: {
      'Content-Type': 'application/json',
      'Request-ID': '08E5F6A1BA0610',
      'Wechatpay-Nonce': nonce,
      'Wechatpay-Serial': serial,
      'Wechatpay-Signature': sign('sha256', Buffer.from(`${time}\n${nonce}\n${body}\n`), privateKey).toString('base64'),
      'Wechatpay-Signature-Type': 'WECHATPAY2-SHA256-RSA2048',
      'Wechatpay-Timestamp': String(time),
    },
    body,
  };
}

/** A notification of APIv3. */
export function v3(resource?: unknown, members?: object): Sent {
  return signed(JSON.stringify(envelope(resource, members)));
}

/** What a payment notification of v2 holds. */
export const PAYMENT: Record<string, string> = {
  appid: 'wx2421b1c4370ec43b',
  attach: '<茶> & ]]',
  mch_id: '10000100',
  nonce_str: '5d2b6c2a8db53831f7eda20af46e531c',
  result_code: 'SUCCESS',
  return_code: 'SUCCESS',
  total_fee: '1',
  device_info: '',
  transaction_id: '1004400740201409030005092168',
};

/** What `req_info` of a refund holds. */
export const REFUND: Record<string, string> = {
  out_refund_no: '131811191610442717309',
  refund_fee: '3960',
  refund_status: 'SUCCESS',
};

/** Fields as the platform writes them. */
export function xml(fields: Record<string, string>): string {
  const elements = Object.entries(fields).map(([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`);
  return `<xml>${elements.join('')}</xml>`;
}

/** The `sign` of fields. */
export function v2Sign(fields: Record<string, string>, type: 'md5' | 'sha256' = 'md5', key = secret): string {
  const names = Object.keys(fields).filter((name) => fields[name] !== '' && name !== 'sign');
  const text = [...names.sort().map((name) => `${name}=${fields[name]}`), `key=${key}`].join('&');
  const hash = type === 'md5' ? createHash('md5') : createHmac('sha256', key);
  return hash.update(text).digest('hex').toUpperCase();
}

const XML_HEADERS = { 'content-type': 'text/xml' };

/** A signed notification of v2. */
export function v2(fields: Record<string, string> = PAYMENT, type?: 'md5' | 'sha256'): Sent {
  return { headers: XML_HEADERS, body: xml({ ...fields, sign: v2Sign(fields, type) }) };
}

/** `req_info`: AES-256-ECB, the key being the MD5 of the APIv2 key in hexadecimal. */
export function reqInfo(fields: Record<string, string> = REFUND, key = secret): string {
  const cipher = createCipheriv('aes-256-ecb', createHash('md5').update(key).digest('hex'), null);
  const plaintext = xml(fields).replaceAll('xml>', 'root>');
  return Buffer.concat([cipher.update(plaintext), cipher.final()]).toString('base64');
}

/** A refund notification of v2. */
export function refund(members: Record<string, string> = {}, key = secret): Sent {
  const { appid = '', mch_id = '', nonce_str = '' } = PAYMENT;
  const fields = { return_code: 'SUCCESS', appid, mch_id, nonce_str, req_info: reqInfo(REFUND, key), ...members };
  return { headers: XML_HEADERS, body: xml(fields) };
}

/** What differs from a text or bytes in one bit; every bit, or one of `step`. */
export function* flipped(original: string | Buffer, step = 1): Generator<Buffer> {
  const bytes = Buffer.from(original);
  for (let bit = 0; bit < bytes.length * 8; bit += step) {
    const copy = Buffer.from(bytes);
    copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
    yield copy;
  }
}

/** A server of `node:http` on loopback. */
export async function serve(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}/notify`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Posts a notification; gives the answer as it was received. */
export async function post(url: string, { headers, body }: Sent) {
  const response = await fetch(url, { method: 'POST', headers, body });
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

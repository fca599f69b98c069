import { stringify } from 'node:querystring';
import { loadPrivateKey, type PrivateKeyInput } from '../crypto/key';
import { sign } from '../crypto/rsa';
import { ConfigurationError, InvalidArgumentError } from '../errors';
import { BASE_URL_RULE, readBaseUrl } from '../format/base-url';
import { appendBody, authorization, joinedByLineFeed, nonce, timestamp } from '../format/formatter';
import { IDLE, type Interceptor, type SignedDispatchOptions } from './dispatch-options';
import { originOf, WECHATPAY_ORIGINS } from './origins';

/** What the signer needs. */
export interface SignerConfig {
  /** Merchant id. */
  mchid: string;
  /** Serial number of the merchant certificate. */
  serial: string;
  /** Private key of the merchant certificate. */
  privateKey: PrivateKeyInput;
  /** WeChat Pay's public keys by id: the preferred one is announced as `Wechatpay-Serial`, so that it signs the answer. */
  certs: Readonly<Record<string, unknown>>;
  /** A root of the API to sign for, besides WeChat Pay's own hosts. */
  baseUrl?: string | URL;
}

/**
 * An interceptor of undici that signs requests as APIv3 wants it (`WECHATPAY2-SHA256-RSA2048`).
 *
 * Requests to hosts that are neither WeChat Pay's nor the configured one pass without a signature. Compose it inside of
 * all that repeats requests, so that each attempt is signed afresh.
 * @throws {@link ConfigurationError} where the key or the base URL cannot be used
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012365342
 */
export function signer(config: SignerConfig): Interceptor {
  const { mchid, serial } = config;
  const privateKey = loadPrivateKey(config.privateKey);
  const platformSerial = preferredSerial(Object.keys(config.certs));
  const base = config.baseUrl === undefined ? undefined : readBaseUrl(config.baseUrl);
  if (config.baseUrl !== undefined && !base) throw new ConfigurationError(`"baseUrl" ${BASE_URL_RULE}.`);
  const origins = new Set([...WECHATPAY_ORIGINS, ...(base ? [base.origin] : [])]);

  const signed = async (options: SignedDispatchOptions): Promise<SignedDispatchOptions> => {
    const path = options.query ? `${options.path}?${stringify(options.query)}` : options.path;
    const body = await readBody(options.body);
    const time = timestamp();
    const once = nonce();
    const lines = joinedByLineFeed(options.method, path, time, once);
    const signature = await sign(appendBody(lines, body ?? ''), privateKey);
    const headers = readHeaders(options.headers);
    headers['wechatpay-serial'] ??= platformSerial;
    headers.authorization = authorization(mchid, once, signature, time, serial);
    const { query: _, ...rest } = options;
    return { ...rest, path, body, headers };
  };

  return (dispatch) => (options: SignedDispatchOptions, handler) => {
    const origin = originOf(options);
    if (!origins.has(origin) && options.trustedOrigin !== origin) return dispatch(options, handler);
    signed(options)
      .then((request) => {
        // undici has noted the abort but acts on it only once there is a socket.
        if (options.signal?.aborted) throw options.signal.reason;
        dispatch(request, handler);
      })
      .catch((error: Error) => handler.onResponseError?.(IDLE, error));
    return true;
  };
}

/** The public key's id before certificates, which WeChat Pay is replacing by it. */
export function preferredSerial(serials: readonly string[]): string {
  return serials.find((serial) => serial.startsWith('PUB_KEY_ID_')) ?? serials[0] ?? '';
}

/** The body as what can be both signed and sent; `fetch` gives even text as an async iterable. */
async function readBody(body: unknown): Promise<string | Uint8Array | null> {
  if (body === undefined || body === null) return null;
  if (typeof body === 'string') return body;
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (body instanceof Blob) return Buffer.from(await body.arrayBuffer());
  if (typeof body === 'object' && Symbol.asyncIterator in body) {
    const chunks: Buffer[] = [];
    for await (const chunk of body as AsyncIterable<Uint8Array | string>) chunks.push(Buffer.from(chunk as Uint8Array));
    return Buffer.concat(chunks);
  }
  throw new InvalidArgumentError('Only text, bytes, a Blob or a stream can be signed as a body.');
}

/** The headers of a request of undici, which come as an object, as pairs, or as a flat list after a redirect. */
function readHeaders(input: SignedDispatchOptions['headers']): Record<string, string | string[]> {
  return Object.fromEntries(pairs(input).map(([name, value]) => [name.toLowerCase(), value]));
}

function pairs(input: SignedDispatchOptions['headers']): [string, string | string[]][] {
  if (!input) return [];
  if (Array.isArray(input) && !Array.isArray(input[0])) {
    return input.flatMap((name, index) => (index % 2 === 0 ? [[String(name), String(input[index + 1])]] : []));
  }
  const entries = Symbol.iterator in input ? [...input] : Object.entries(input);
  return entries.flatMap(([name, value]) => (value === undefined ? [] : [[String(name), value as string | string[]]]));
}

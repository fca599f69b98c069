import type { KeyObject } from 'node:crypto';
import type { Response } from 'undici';
import { sign } from '../../crypto/rsa';
import { nonce, response } from '../../signature/formatter';
import { BRAND_SCHEME, SCHEME } from '../../signature/scheme';
import type { Brand, Identity } from '../identity';
import type { Misbehaviour } from '../wire/misbehaviour';
import { type IncomingRequest, pathOf } from '../wire/request';
import { fault, fromResponse, type Header, hold, isResponse, paramError, type SandboxResponse } from '../wire/response';
import { type Authorize, authorizer } from './authorization';
import type { ProtocolRules } from './protocol';

/** The platform's key and its id; the scheme where it is not that of merchants. */
interface Signer {
  readonly serial: string;
  readonly privateKey: KeyObject;
  readonly scheme?: string;
}

/** What signs for a brand. */
export function sealsOfBrand(brand: Brand): { merchant: Pick<Signer, 'privateKey'>; platform: Signer } {
  return { merchant: brand, platform: { ...brand.platform, scheme: BRAND_SCHEME } };
}

/**
 * The headers that vouch for a response or a notification of APIv3, in a way that may be told to be wrong.
 * @param signed what the signature is over: the body, but for overseas statements
 * @param time seconds since 1970
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249
 */
export async function sealHeaders(
  signed: string | Buffer,
  time: number,
  { merchant, platform }: { merchant: Pick<Signer, 'privateKey'>; platform: Signer },
  { signature, skew = 0, serial = platform.serial }: Misbehaviour,
): Promise<Header[]> {
  if (signature === 'none') return [];
  const { privateKey } = signature === 'wrong' ? merchant : platform;
  const headers = await signatureHeaders(signed, time + skew, { ...platform, serial, privateKey });
  return signature === 'probe' ? headers.map(asProbe) : headers;
}

async function signatureHeaders(
  signed: string | Buffer,
  time: number,
  { serial, privateKey, scheme = SCHEME }: Signer,
): Promise<Header[]> {
  const nonce_str = nonce();
  return [
    ['Wechatpay-Serial', serial],
    ['Wechatpay-Timestamp', String(time)],
    ['Wechatpay-Nonce', nonce_str],
    ['Wechatpay-Signature', await sign(response(time, nonce_str, signed), privateKey)],
    ['Wechatpay-Signature-Type', scheme],
  ];
}

/** @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249 */
function asProbe([name, value]: Header): Header {
  const mark = 'WECHATPAY/SIGNTEST/';
  return name === 'Wechatpay-Signature' ? [name, mark + value.slice(mark.length)] : [name, value];
}

const JSON_TYPE: Header = ['Content-Type', 'application/json; charset=utf-8'];

/** Overseas statements are signed over the hash in this header, in the place of their body. */
const STATEMENT = 'wechatpay-statement-sha1';

/** Where the platform certificates are listed. */
const CERTIFICATES: ReadonlySet<string> = new Set(['/v3/certificates', '/v3/global/certificates']);

const CODES: Readonly<Record<number, string>> = {
  400: 'PARAM_ERROR',
  401: 'SIGN_ERROR',
  403: 'NO_AUTH',
  404: 'RESOURCE_NOT_EXISTS',
  429: 'FREQUENCY_LIMITED',
};

/**
 * APIv3: JSON, signed in headers.
 * @param clock the time now, in milliseconds since 1970
 */
export function v3Protocol(credentials: Identity, clock: () => number): ProtocolRules {
  const { merchant, platform } = credentials;
  const authorizeMerchant = authorizer(merchant, clock);
  let authorizeBrand: Authorize | undefined;
  const authorize: Authorize = (request) => {
    if (!isOfBrand(request)) return authorizeMerchant(request);
    authorizeBrand ??= authorizer(credentials.brand, clock);
    return authorizeBrand(request);
  };
  const failing = (status: number, message = 'The sandbox was told to response so.') =>
    fromResponse(fault(status, codeOf(status), message));

  return {
    async refuse(request) {
      const refused = lackingHeader(request) ?? malformedForm(request) ?? (await authorize(request));
      return refused && fromResponse(refused);
    },
    async object(request) {
      const isBrand = isOfBrand(request);
      const serial = request.headers['wechatpay-serial']?.toString();
      const ids = isBrand ? [credentials.brand.platform.serial] : platform.ids(clock());
      // Of a merchant alone the header may be missing.
      if (serial === undefined ? !isBrand : ids.includes(serial)) return undefined;
      const issue = `names a key that the platform does not have; it has ${ids.join(', ')}`;
      return fromResponse(paramError('header', 'Wechatpay-Serial', issue, serial));
    },
    read(request) {
      const json = parseJson(request);
      if (request.form) checkHash(json, request.form.files);
      return { json, xml: {} };
    },
    isResponse,
    async respond(result, _request, signed) {
      if (isResponse(result)) return fromResponse(result, !signed || result.headers.has(STATEMENT));
      if (result === undefined) return { status: 204, headers: [], body: Buffer.alloc(0) };
      const text: string | undefined = JSON.stringify(result);
      if (text === undefined) throw new TypeError(`it returned a ${typeof result}, which is not JSON`);
      return { status: 200, headers: [JSON_TYPE], body: Buffer.from(text) };
    },
    unknown: (message) => failing(404, message),
    broken: (message) => failing(500, message),
    failing,
    async seal(response, how, request, time) {
      const { target, headers } = request;
      if (how.signature === 'none' || response.status === 401) return response;
      const { signed, sealed } = await toSign(response);
      const isList = CERTIFICATES.has(pathOf(target));
      const signer = isList ? platform.signerOfList(headers['wechatpay-serial']?.toString(), clock()) : platform;
      const signers = isOfBrand(request) ? sealsOfBrand(credentials.brand) : { merchant, platform: signer };
      const seals = await sealHeaders(signed, time, signers, how);
      return { ...sealed, headers: [...sealed.headers, ...seals] };
    },
  };
}

/** Brands have paths of their own. */
function isOfBrand({ target }: IncomingRequest): boolean {
  return target.startsWith('/brand/');
}

function codeOf(status: number): string {
  return CODES[status] ?? (status < 500 ? 'INVALID_REQUEST' : 'SYSTEM_ERROR');
}

/** WeChat Pay looks at these headers before it looks at the signature. */
function lackingHeader({ headers }: IncomingRequest): Response | undefined {
  const lacking = ['Accept', 'User-Agent'].filter((name) => !headers[name.toLowerCase()]);
  if (lacking.length === 0) return undefined;
  return fault(400, 'INVALID_REQUEST', `The request lacks the header ${lacking.join(' and ')}.`);
}

/** What of a form is signed cannot be known where it is malformed. */
function malformedForm({ form }: IncomingRequest): Response | undefined {
  return form?.fault === undefined ? undefined : paramError('body', 'body', `is no multipart/form-data: ${form.fault}`);
}

/** @throws the response that refuses a body which should be JSON and is not */
function parseJson({ headers, body, form }: IncomingRequest): unknown {
  const type = form ? 'application/json' : (headers['content-type'] ?? 'application/json');
  if (body.length === 0 || !/[/+]json\b/i.test(type)) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw paramError('body', form ? 'meta' : 'body', 'is not JSON in UTF-8');
  }
}

/** @throws the response that refuses an upload whose `meta` names another hash than that of its file */
function checkHash(meta: unknown, files: readonly { sha256: string }[]): void {
  const { sha256 } = Object(meta) as { sha256?: unknown };
  if (sha256 === undefined || files.some((file) => file.sha256 === String(sha256).toLowerCase())) return;
  throw paramError('body', 'sha256', 'is not the hash of the file', sha256);
}

async function toSign(response: SandboxResponse): Promise<{ signed: string | Buffer; sealed: SandboxResponse }> {
  const [, sha1] = response.headers.find(([name]) => name.toLowerCase() === STATEMENT) ?? [];
  if (sha1 !== undefined) return { signed: `{"sha1":"${sha1}"}`, sealed: response };
  const held = await hold(response);
  return { signed: held.body, sealed: held };
}

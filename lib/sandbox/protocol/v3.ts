import type { KeyObject } from 'node:crypto';
import type { Response } from 'undici';
import { sign } from '../../crypto/rsa';
import { nonce, response } from '../../signature/formatter';
import type { Identities, Identity } from '../identity';
import type { Misbehaviour } from '../wire/misbehaviour';
import { paramError } from '../wire/param-error';
import { type IncomingRequest, pathOf } from '../wire/request';
import { fault, fromResponse, type Header, hold, isResponse, type SandboxResponse } from '../wire/response';
import { authorizer, SCHEMES } from './authorization';
import type { ProtocolRules } from './protocol';

/** The platform's key and its id. */
interface Signer {
  readonly serial: string;
  readonly privateKey: KeyObject;
}

/**
 * The signature headers of an APIv3 response or notification, wrong if a misbehaviour says so.
 * @param signed what the signature is over: the body, but for overseas statements
 * @param time seconds since 1970
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249
 */
export async function signatureHeaders(
  signed: string | Buffer,
  time: number,
  { identity, key }: { identity: Identity; key: Signer },
  { signature, skew = 0, serial = key.serial }: Misbehaviour,
): Promise<Header[]> {
  if (signature === 'none') return [];
  const { privateKey } = signature === 'wrong' ? identity : key;
  const nonce_str = nonce();
  const headers: Header[] = [
    ['Wechatpay-Serial', serial],
    ['Wechatpay-Timestamp', String(time + skew)],
    ['Wechatpay-Nonce', nonce_str],
    ['Wechatpay-Signature', await sign(response(time + skew, nonce_str, signed), privateKey)],
    ['Wechatpay-Signature-Type', SCHEMES[identity.kind]],
  ];
  return signature === 'probe' ? headers.map(asProbe) : headers;
}

/** @see https://pay.weixin.qq.com/doc/v3/merchant/4013053249 */
function asProbe([name, value]: Header): Header {
  const mark = 'WECHATPAY/SIGNTEST/';
  return name === 'Wechatpay-Signature' ? [name, mark + value.slice(mark.length)] : [name, value];
}

const JSON_TYPE: Header = ['Content-Type', 'application/json; charset=utf-8'];

/** Overseas statements are signed over the hash in this header, instead of their body. */
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

/** APIv3: JSON, signed in headers. Signatures use the real time. */
export function v3Protocol(identities: Identities): ProtocolRules {
  const authorize = authorizer(identities);
  const failing = (status: number, message = 'Simulated failure.') =>
    fromResponse(fault(status, codeOf(status), message));

  return {
    async identify(request) {
      const refused = missingHeader(request) ?? malformedForm(request);
      if (refused) return { refusal: await fromResponse(refused), checks: [{ check: 'headers', ok: false }] };
      const { checks, ...found } = await authorize(request);
      const all = [{ check: 'headers', ok: true }, ...checks];
      return found.refusal
        ? { ...found, refusal: await fromResponse(found.refusal), checks: all }
        : { ...found, checks: all };
    },
    read(request) {
      const json = parseJson(request);
      if (request.form) checkHash(pathOf(request.target), json, request.form.files);
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
    async seal(response, how, { target, headers }, identity, time) {
      if (how.signature === 'none' || response.status === 401) return response;
      const { signed, sealed } = await toSign(response);
      const announced = headers['wechatpay-serial']?.toString();
      const key = CERTIFICATES.has(pathOf(target))
        ? identities.platform.signerOfList(announced, Date.now())
        : identities.platform.signerFor(identity.kind);
      const seals = await signatureHeaders(signed, time, { identity, key }, how);
      return { ...sealed, headers: [...sealed.headers, ...seals] };
    },
  };
}

function codeOf(status: number): string {
  return CODES[status] ?? (status < 500 ? 'INVALID_REQUEST' : 'SYSTEM_ERROR');
}

/** WeChat Pay checks these headers before the signature. */
function missingHeader({ headers }: IncomingRequest): Response | undefined {
  const missing = ['Accept', 'User-Agent'].filter((name) => !headers[name.toLowerCase()]);
  if (missing.length === 0) return undefined;
  return fault(400, 'INVALID_REQUEST', `Http头缺少Accept或User-Agent: the request lacks ${missing.join(' and ')}.`);
}

/** The signed part of a malformed form cannot be known. */
function malformedForm({ form }: IncomingRequest): Response | undefined {
  return form?.fault === undefined
    ? undefined
    : paramError('body', '', `is not valid multipart/form-data: ${form.fault}`);
}

/** @throws the response that refuses a body which should be JSON and is not */
function parseJson({ headers, body, form }: IncomingRequest): unknown {
  const type = form ? 'application/json' : (headers['content-type'] ?? 'application/json');
  if (body.length === 0 || !/[/+]json\b/i.test(type)) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw paramError('body', form ? '/meta' : '', 'is not JSON in UTF-8');
  }
}

/** @throws the response that refuses an upload whose `meta` names another hash than that of its file */
function checkHash(path: string, meta: unknown, files: readonly { sha256: string }[]): void {
  const { sha256 } = Object(meta) as { sha256?: unknown };
  if (sha256 === undefined || files.some((file) => file.sha256 === String(sha256).toLowerCase())) return;
  const isMarketing = path === '/v3/marketing/favor/media/image-upload';
  throw fault(
    isMarketing ? 403 : 400,
    isMarketing ? 'REQUEST_BLOCKED' : 'PARAM_ERROR',
    '图片sha256值有误，请检查后重新提交',
    { field: '/meta/sha256', value: sha256, issue: 'is not the hash of the file', location: 'body' },
  );
}

async function toSign(response: SandboxResponse): Promise<{ signed: string | Buffer; sealed: SandboxResponse }> {
  const [, sha1] = response.headers.find(([name]) => name.toLowerCase() === STATEMENT) ?? [];
  if (sha1 !== undefined) return { signed: `{"sha1":"${sha1}"}`, sealed: response };
  const held = await hold(response);
  return { signed: held.body, sealed: held };
}

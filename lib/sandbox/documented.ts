import { constants, createHash, privateDecrypt, publicEncrypt } from 'node:crypto';
import { Headers, Response } from 'undici';
import { type Decrypt, type Issue, type KnownOperation, synthesise, validate } from './catalogue';
import type { Identities, Identity } from './identity';
import type { PlatformKey } from './protocol/keyring';
import { isWechatPay } from './tls/hosts';
import type { Handler, SandboxRequest } from './wire/request';
import { fault } from './wire/response';

/** What the sandbox does with the operations of the catalogue. */
export interface DocumentedOptions {
  readonly identities: Identities;
  /** Where the sandbox listens. */
  readonly baseUrl: string;
  /** Refuses operations that no product and no handler processes. */
  readonly strict: boolean;
}

/** What becomes of a request for an operation of the catalogue. */
export interface Documented {
  /** Checks a request against the facts. @throws the response that refuses it */
  validate(request: SandboxRequest): void;
  /** Hands a request to the product, or makes a response from the facts. */
  readonly handler: Handler;
}

/** @param product what processes the operation; `undefined` where no product does */
export function documented(
  operation: KnownOperation,
  product: Handler | undefined,
  identity: Identity,
  { identities, baseUrl, strict }: DocumentedOptions,
): Documented {
  const isV2 = operation.protocol === 'v2';
  const check = (request: SandboxRequest): void => {
    const { variables, query, json, xml, files } = request;
    const names = files.length > 0 ? { files: files.map(({ name }) => name) } : {};
    const parts = { variables, query, body: isV2 ? xml : json, ...names };
    const [issue] = validate(operation, parts, decrypting(identities, request));
    if (issue) throw isV2 ? { return_code: 'FAIL', return_msg: issue.message } : refused(issue, request, identities);
  };
  const make: Handler = (request) => {
    if (strict) throw unprocessed(operation, isV2);
    const { mchid, method, path, variables, query, headers, json, xml, body } = request;
    const decrypt = decrypting(identities, request);
    const search = query.size > 0 ? `?${query}` : '';
    const sent = { method, target: path + search, variables, query, body: isV2 ? xml : json, raw: body };
    const made = synthesise(operation, sent, {
      ...{ baseUrl: rootFor(headers.host) ?? baseUrl, decrypt, defaults: { mchid, mch_id: mchid, sp_mchid: mchid } },
      encrypt: (plain) => publicEncrypt(identity.publicKey, Buffer.from(plain)).toString('base64'),
    });
    if (made.location !== undefined) return new Response(null, { status: 302, headers: { location: made.location } });
    if (made.file) return fileResponse(operation, made.file);
    if (made.body === undefined) return new Response(null, { status: made.status });
    if (operation.fact.response_format === 'json') return Response.json(made.body);
    return isV2 ? flat(made.body) : made.body;
  };
  return { validate: check, handler: product ?? make };
}

/** Overseas statements are signed over their hash; other files are not signed. */
const STATEMENTS: ReadonlySet<string> = new Set(['v3/statements', 'v3/global/statements']);

/** Whether the response of an operation is signed: those to browsers and files are not. */
export function isSigned({ path, fact: { download = false, redirect = false } }: KnownOperation): boolean {
  return STATEMENTS.has(path) || !(download || redirect);
}

function fileResponse({ path }: KnownOperation, file: Buffer): Response {
  const headers = new Headers({ 'content-type': 'application/octet-stream' });
  if (STATEMENTS.has(path)) headers.set('wechatpay-statement-sha1', createHash('sha1').update(file).digest('hex'));
  return new Response(new Uint8Array(file), { headers });
}

/** Who asks by WeChat Pay's own name is sent to it again: it may trust no other. */
function rootFor(host = ''): string | undefined {
  return isWechatPay(host) ? `https://${host}/` : undefined;
}

/** The fields of v2 that can be signed. How XML within XML is signed is documented nowhere. */
function flat(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => typeof value !== 'object'));
}

/** A `PARAM_ERROR` for what is wrong with a request. @see https://pay.weixin.qq.com/doc/v3/merchant/4012081709 */
function refused(
  { kind, field, value, issue, location, message }: Issue,
  request: SandboxRequest,
  identities: Identities,
) {
  const serial = announced(request);
  const reason =
    kind !== 'encryption' || keyOf(identities, serial)
      ? message
      : serial === undefined
        ? `HTTP header缺少微信支付平台证书序列号(Wechatpay-Serial): ${message}`
        : `平台证书序列号Wechatpay-Serial错误: "${serial}" names no key of the sandbox; it has ${identities.platform.ids(Date.now()).join(', ')}.`;
  return fault(400, 'PARAM_ERROR', reason, { field, value, issue, location });
}

function unprocessed({ verb, path }: KnownOperation, isV2: boolean) {
  const message = `No product of the sandbox processes ${verb.toUpperCase()} ${path}, and it is strict. Add a handler by sandbox.on('${verb}', '${path}', handler).`;
  return isV2 ? { return_code: 'FAIL', return_msg: message } : fault(404, 'NOT_FOUND', message);
}

/** Decrypts sensitive fields with the key that the request names, as the platform does. */
function decrypting(identities: Identities, request: SandboxRequest): Decrypt {
  return (ciphertext, recipient) => {
    const { original } = identities.platform;
    const key = recipient === 'platform' ? keyOf(identities, announced(request)) : original;
    if (!key) return undefined;
    try {
      return privateDecrypt(
        { key: key.privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING },
        Buffer.from(ciphertext, 'base64'),
      ).toString();
    } catch {
      return undefined;
    }
  };
}

/** What the request names as the key of its sensitive fields; of a doubled header, the first one. */
function announced({ headers }: SandboxRequest): string | undefined {
  return headers['wechatpay-serial']?.toString().split(',')[0]?.trim() || undefined;
}

function keyOf({ platform }: Identities, serial: string | undefined): PlatformKey | undefined {
  const now = Date.now();
  const id = platform.ids(now).find((known) => known.toUpperCase() === serial?.toUpperCase());
  return id === undefined ? undefined : platform.find(id, now);
}

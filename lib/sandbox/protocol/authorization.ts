import type { Response } from 'undici';
import { verify } from '../../crypto/rsa';
import * as Formatter from '../../signature/formatter';
import type { Identities, Identity } from '../identity';
import { type IncomingRequest, pathOf } from '../wire/request';
import { fault } from '../wire/response';
import { type Check, checksUpTo } from './check';

/** Who sent a request, or the response that refuses it; and what was looked at on the way. */
export type Authorized = (
  | { readonly identity: Identity; readonly refusal?: undefined }
  | { readonly identity: Identity | undefined; readonly refusal: Response }
) & {
  readonly checks: readonly Check[];
  /** What the signature should be over, once that is known. */
  readonly toSign?: string;
};

/** What is looked at, in this order. */
const CHECKS = ['authorization', 'merchant', 'serial', 'timestamp', 'signature', 'nonce'] as const;

/** The schemes of `Authorization`, which `Wechatpay-Signature-Type` repeats. */
export const SCHEMES: Readonly<Record<Identity['kind'], string>> = {
  merchant: 'WECHATPAY2-SHA256-RSA2048',
  brand: 'WECHATPAY-BRAND-SHA256-RSA2048',
};

/** How far a timestamp may be off, in seconds. */
const TOLERANCE = 300;

/** The member that names the sender. */
const ID: Readonly<Record<Identity['kind'], string>> = { merchant: 'mchid', brand: 'brand_id' };

const MEMBERS = ['serial_no', 'nonce_str', 'timestamp', 'signature'] as const;
type Members = Record<(typeof MEMBERS)[number] | 'id', string>;

/**
 * Makes the check of the header `Authorization`: its form, the sender, the certificate, the clock, the signature
 * and, last, that its nonce is new.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012365342
 */
export function authorizer(identities: Identities): (request: IncomingRequest) => Promise<Authorized> {
  const claim = nonceStore();
  return async (request) => {
    const refuse = (failed: (typeof CHECKS)[number], refusal: Response, identity?: Identity, toSign?: string) => {
      const checks = checksUpTo(CHECKS, failed);
      return { identity, refusal, checks, ...(toSign !== undefined && { toSign }) };
    };
    const { authorization } = request.headers;
    if (authorization === undefined) {
      return refuse('authorization', malformed('The header Authorization is missing.'));
    }
    const [scheme = ''] = authorization.split(' ', 1);
    const kind = pathOf(request.target).startsWith('/brand/') ? 'brand' : 'merchant';
    if (scheme !== SCHEMES[kind]) {
      const where = kind === 'brand' ? 'below /brand/' : 'here';
      const expected = `The scheme of Authorization is "${scheme}"; ${where} it must be ${SCHEMES[kind]}.`;
      return refuse('authorization', refused('authorization', 'Http头Authorization认证类型不正确', expected));
    }
    const members = parse(authorization.slice(scheme.length + 1), ID[kind]);
    if (typeof members === 'string') return refuse('authorization', malformed(members));

    const { id, serial_no, nonce_str, timestamp, signature } = members;
    const messageOver = (body: Buffer) => Formatter.request(request.method, request.target, timestamp, nonce_str, body);
    const message = messageOver(request.body);
    const toSign = Buffer.from(message).toString();
    const identity = identities.find(kind, id);
    if (!identity) {
      const known = identities.all().flatMap((one) => (one.kind === kind ? one.id : []));
      const issue = `The ${kind} "${id}" does not exist. The sandbox has ${known.join(', ') || `no ${kind}`}.`;
      return refuse('merchant', refused(ID[kind], '商户号不存在', issue));
    }
    if (serial_no.toUpperCase() !== identity.serial) {
      const issue = `The ${kind} ${id} has no certificate with the serial number "${serial_no}". Its serial number is ${identity.serial}.`;
      return refuse('serial', refused('serial_no', '商户证书序列号有误。', issue), identity, toSign);
    }
    const now = Math.floor(Date.now() / 1000);
    if (!/^\d{1,15}$/.test(timestamp) || Math.abs(Number(timestamp) - now) > TOLERANCE) {
      const issue = `The timestamp "${timestamp}" differs by more than ${TOLERANCE} s from the time now, ${now} (seconds since 1970).`;
      const text = 'Http头Authorization中的timestamp与发起请求的时间不得超过5分钟';
      return refuse('timestamp', refused('timestamp', text, issue), identity, toSign);
    }
    if (!(await verify(message, signature, identity.publicKey))) {
      const issue =
        "The signature does not match this request and the merchant's key: compare detail.sign_information with what was signed.";
      return refuse(
        'signature',
        refused('signature', '错误的签名，验签失败', issue, signInformation(request, messageOver)),
        identity,
        toSign,
      );
    }
    if (!claim(`${id}/${nonce_str}`, now, Number(timestamp) + TOLERANCE)) {
      const issue = `The nonce "${nonce_str}" has been used before: this request is a replay.`;
      return refuse('nonce', refused('nonce_str', '请求重放', issue), identity, toSign);
    }
    return { identity, checks: checksUpTo(CHECKS), toSign };
  };
}

/** Reads `name="value"` pairs; a text says what is wrong with them. */
function parse(list: string, idName: string): Members | string {
  const members: Partial<Record<string, string>> = {};
  for (const pair of list.split(',')) {
    const [, name, value] = /^\s*(\w+)="([^"]*)"\s*$/.exec(pair) ?? [];
    if (name === undefined) {
      return 'Authorization is malformed: after the scheme come name="value" pairs, separated by commas.';
    }
    if (Object.hasOwn(members, name)) return `Authorization is malformed: it has ${name} twice.`;
    members[name] = value;
  }
  const { [idName]: id, serial_no, nonce_str, timestamp, signature } = members;
  if (!id || !serial_no || !nonce_str || !timestamp || !signature) {
    return `Authorization is malformed: it lacks ${[idName, ...MEMBERS].filter((name) => !members[name]).join(', ')}.`;
  }
  return { id, serial_no, nonce_str, timestamp, signature };
}

/** Remembers nonces until their timestamp is too old to be taken again. */
function nonceStore(): (nonce: string, now: number, until: number) => boolean {
  const seen = new Map<string, number>();
  return (nonce, now, until) => {
    for (const [old, end] of seen) {
      if (end >= now) break;
      seen.delete(old);
    }
    if (seen.has(nonce)) return false;
    seen.set(nonce, until);
    return true;
  };
}

function malformed(issue: string): Response {
  return refused('authorization', 'Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》', issue);
}

/** @param text the message of WeChat Pay; what is wrong follows it, and stands in `detail.issue`. */
function refused(field: string, text: string, issue: string, more?: object): Response {
  return fault(401, 'SIGN_ERROR', `${text}: ${issue}`, { field, issue, location: 'authorization', ...more });
}

/**
 * What the platform checked the signature over, so that the sender can compare. As WeChat Pay does, it shows the
 * beginning of the body only.
 */
function signInformation({ method, target, body }: IncomingRequest, messageOver: (body: Buffer) => Uint8Array): object {
  return {
    sign_information: {
      method,
      url: target,
      truncated_sign_message: Buffer.from(messageOver(body.subarray(0, 8))).toString(),
      sign_message_length: messageOver(body).length,
    },
  };
}

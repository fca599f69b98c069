import type { Response } from 'undici';
import { verify } from '../../crypto/rsa';
import * as Formatter from '../../signature/formatter';
import { BRAND_SCHEME, SCHEME } from '../../signature/scheme';
import type { Identities, Identity } from '../identity';
import { type IncomingRequest, pathOf } from '../wire/request';
import { fault } from '../wire/response';
import { type Check, checksUpTo } from './check';
import { diagnose } from './diagnosis';

/** Who sent a request, or the response that refuses it, and the checks made. */
export type Authorized = (
  | { readonly identity: Identity; readonly refusal?: undefined }
  | { readonly identity: Identity | undefined; readonly refusal: Response }
) & {
  readonly checks: readonly Check[];
  /** The string to sign, once known. */
  readonly toSign?: string;
};

/** The checks, in this order. */
const CHECKS = ['authorization', 'merchant', 'serial', 'timestamp', 'signature', 'nonce'] as const;

/** The schemes of `Authorization`, which `Wechatpay-Signature-Type` repeats. */
export const SCHEMES: Readonly<Record<Identity['kind'], string>> = {
  merchant: SCHEME,
  brand: BRAND_SCHEME,
};

/** How far a timestamp may differ, in seconds. */
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
      const expected = `${schemeFault(scheme)}The scheme of Authorization is "${scheme}"; ${where} it must be ${SCHEMES[kind]}.`;
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
      const other = kind === 'merchant' ? 'brand' : 'merchant';
      if (identities.find(other, id)) {
        const issue = `${id} is a ${other}, not a ${kind}: the scheme must be ${SCHEMES[other]}, with ${ID[other]}.`;
        return refuse('merchant', refused('authorization', 'Http头Authorization认证类型不正确', issue));
      }
      const known = identities.all().flatMap((one) => (one.kind === kind ? one.id : []));
      const issue = `The ${kind} "${id}" does not exist. The sandbox has ${known.join(', ') || `no ${kind}`}.`;
      return refuse('merchant', refused(ID[kind], '商户号不存在', issue));
    }
    if (serial_no.toUpperCase() !== identity.serial) {
      const issue = `The ${kind} ${id} has no certificate with the serial number "${serial_no}". Its serial number is ${identity.serial}.${ownerOf(serial_no, identities)}`;
      return refuse('serial', refused('serial_no', '商户证书序列号有误。', issue), identity, toSign);
    }
    const now = Math.floor(Date.now() / 1000);
    if (!/^\d{1,15}$/.test(timestamp) || Math.abs(Number(timestamp) - now) > TOLERANCE) {
      const isMilliseconds = /^\d{13}$/.test(timestamp) && Math.abs(Number(timestamp) / 1000 - now) <= TOLERANCE;
      const unit = isMilliseconds ? ' It is in milliseconds; it must be in seconds.' : '';
      const issue = `The timestamp "${timestamp}" differs by more than ${TOLERANCE} s from the time now, ${now} (seconds since 1970).${unit}`;
      const text = 'Http头Authorization中的timestamp与发起请求的时间不得超过5分钟';
      return refuse('timestamp', refused('timestamp', text, issue), identity, toSign);
    }
    if (!(await verify(message, signature, identity.publicKey))) {
      const { issue, mistakes } = diagnose(request, members, identity, identities);
      const more = { detail: { issue: 'sign not match' }, mistakes, ...signInformation(request, messageOver) };
      return refuse('signature', refused('signature', '错误的签名，验签失败', issue, more), identity, toSign);
    }
    if (!claim(`${id}/${nonce_str}`, now, Number(timestamp) + TOLERANCE)) {
      const issue = `The nonce "${nonce_str}" has been used before: this request is a replay.`;
      return refuse('nonce', refused('nonce_str', '请求重放', issue), identity, toSign);
    }
    return { identity, checks: checksUpTo(CHECKS), toSign };
  };
}

/** Reads `name="value"` pairs; returns a string that says what is wrong with them. */
function parse(list: string, idName: string): Members | string {
  const members: Partial<Record<string, string>> = {};
  for (const pair of list.split(',')) {
    const [, name, value] = /^\s*(\w+)="([^"]*)"\s*$/.exec(pair) ?? [];
    if (name === undefined) return `Authorization is malformed: ${pairFault(list, pair)}`;
    if (Object.hasOwn(members, name)) return `Authorization is malformed: it has ${name} twice.`;
    members[name] = value;
  }
  const { [idName]: id, serial_no, nonce_str, timestamp, signature } = members;
  if (!id || !serial_no || !nonce_str || !timestamp || !signature) {
    return `Authorization is malformed: it lacks ${[idName, ...MEMBERS].filter((name) => !members[name]).join(', ')}.`;
  }
  return { id, serial_no, nonce_str, timestamp, signature };
}

/** Who has that serial number, if anyone. */
function ownerOf(serial: string, { all, platform }: Identities): string {
  const upper = serial.toUpperCase();
  if (platform.find(upper, Date.now())) return ' The one in the header is that of a key of the platform.';
  const owner = all().find((one) => one.serial === upper);
  if (owner) return ` The one in the header is that of the ${owner.kind} ${owner.id}.`;
  if (/^\d{40,}$/.test(serial)) return ' The one in the header looks decimal; it must be hexadecimal.';
  return /[:\s]/.test(serial) ? ' It is written without colons and spaces.' : '';
}

const PAIRS = 'after the scheme come name="value" pairs, separated by commas.';

/** What is wrong with a pair. */
function pairFault(list: string, pair: string): string {
  const [, name = '', value = ''] = /^\s*(\w+)\s*[=:]\s*(.*?)\s*$/.exec(pair) ?? [];
  if (list.trim() === '') return PAIRS;
  if (/^'.*'$/.test(value)) return `the value of ${name} stands in single quotes; they must be double: ${PAIRS}`;
  if (/"\s*;\s*\w+=/.test(list)) return `pairs are separated by semicolons; ${PAIRS}`;
  if (/"\s+\w+=/.test(list)) return `the comma between two pairs is missing; ${PAIRS}`;
  if (/^\s*\w+\s*=\s*"/.test(pair) && /^\s*\w+(\s+=|=\s+)/.test(pair)) {
    return `there is a space around the "=" of ${name}; ${PAIRS}`;
  }
  if (name !== '' && !value.startsWith('"')) return `the value of ${name} is not in double quotes: ${PAIRS}`;
  return PAIRS;
}

/** What is probably wrong with an unknown scheme. */
function schemeFault(scheme: string): string {
  const known = Object.values(SCHEMES).find((one) => one.toLowerCase() === scheme.replace(/[,:]$/, '').toLowerCase());
  if (known !== undefined) return 'The scheme must be written in upper case, with a space after it. ';
  if (/^\w+=/.test(scheme)) return 'The scheme before the first pair is missing. ';
  if (Object.values(SCHEMES).some((one) => scheme.startsWith(one))) return 'The space after the scheme is missing. ';
  return '';
}

/** Remembers nonces until their timestamp is too old to be accepted. */
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

/** @param text WeChat Pay's message; the issue is appended, and also in `detail.issue`. */
function refused(field: string, text: string, issue: string, more?: object): Response {
  return fault(401, 'SIGN_ERROR', `${text}: ${issue}`, { field, issue, location: 'authorization', ...more });
}

/**
 * The string that the platform verified, so that the sender can compare. As with WeChat Pay, it shows
 * only the beginning of the body.
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

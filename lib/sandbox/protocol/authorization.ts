import type { KeyObject } from 'node:crypto';
import type { Response } from 'undici';
import { verify } from '../../crypto/rsa';
import * as Formatter from '../../signature/formatter';
import { SCHEME } from '../../signature/scheme';
import type { IncomingRequest } from '../wire/request';
import { fault } from '../wire/response';

/** Checks who sent a request: `undefined` if it is the merchant, otherwise the response that refuses it. */
export type Authorize = (request: IncomingRequest) => Promise<Response | undefined>;

/** What the platform knows of the merchant. */
export interface KnownMerchant {
  readonly mchid: string;
  readonly serial: string;
  readonly publicKey: KeyObject;
}

/** How far a timestamp may be off, in seconds. */
const TOLERANCE = 300;

const MEMBERS = ['mchid', 'serial_no', 'nonce_str', 'timestamp', 'signature'] as const;
type Members = Record<(typeof MEMBERS)[number], string>;

/**
 * Makes the check of the header `Authorization`: its form, the merchant, the certificate, the clock, the signature
 * and, last, that its nonce is new.
 * @param clock the time now, in milliseconds since 1970
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012365342
 */
export function authorizer(merchant: KnownMerchant, clock: () => number): Authorize {
  const claim = nonceStore();
  return async (request) => {
    const { authorization } = request.headers;
    if (authorization === undefined) {
      return refusal('authorization', 'The header Authorization is missing.');
    }
    const [scheme = ''] = authorization.split(' ', 1);
    if (scheme !== SCHEME) {
      return refusal('authorization', `The scheme of Authorization is "${scheme}" and should be ${SCHEME}.`);
    }
    const members = parse(authorization.slice(scheme.length + 1));
    if (typeof members === 'string') return refusal('authorization', members);

    const { mchid, serial_no, nonce_str, timestamp, signature } = members;
    if (mchid !== merchant.mchid) {
      return refusal('mchid', `The merchant "${mchid}" is unknown: the sandbox knows ${merchant.mchid}.`);
    }
    if (serial_no !== merchant.serial) {
      return refusal(
        'serial_no',
        `The merchant has no certificate of the serial number "${serial_no}": the sandbox knows ${merchant.serial}.`,
      );
    }
    const now = Math.floor(clock() / 1000);
    if (!/^\d{1,15}$/.test(timestamp) || Math.abs(Number(timestamp) - now) > TOLERANCE) {
      return refusal(
        'timestamp',
        `The timestamp "${timestamp}" is more than ${TOLERANCE} s off the platform's clock, ${now} (in seconds since 1970).`,
      );
    }
    const messageOver = (body: Buffer) => Formatter.request(request.method, request.target, timestamp, nonce_str, body);
    if (!(await verify(messageOver(request.body), signature, merchant.publicKey))) {
      return refusal(
        'signature',
        "The signature is not that of the merchant's key over this request: compare detail.sign_information with what was signed.",
        signInformation(request, messageOver),
      );
    }
    if (!claim(nonce_str, now, Number(timestamp) + TOLERANCE)) {
      return refusal('nonce_str', `The nonce "${nonce_str}" has been used before: this request is a replayed one.`);
    }
    return undefined;
  };
}

/** Reads `name="value"` pairs; a text says what is wrong with them. */
function parse(list: string): Members | string {
  const members: Partial<Record<string, string>> = {};
  for (const pair of list.split(',')) {
    const [, name, value] = /^\s*(\w+)="([^"]*)"\s*$/.exec(pair) ?? [];
    if (name === undefined) {
      return 'Authorization is malformed: after the scheme come name="value" pairs, separated by commas.';
    }
    if (Object.hasOwn(members, name)) return `Authorization is malformed: it has ${name} twice.`;
    members[name] = value;
  }
  const { mchid, serial_no, nonce_str, timestamp, signature } = members;
  if (!mchid || !serial_no || !nonce_str || !timestamp || !signature) {
    return `Authorization is malformed: it lacks ${MEMBERS.filter((name) => !members[name]).join(', ')}.`;
  }
  return { mchid, serial_no, nonce_str, timestamp, signature };
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

function refusal(field: string, message: string, more?: object): Response {
  return fault(401, 'SIGN_ERROR', message, { field, issue: message, location: 'authorization', ...more });
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

import type { KeyObject } from 'node:crypto';
import type { Response } from 'undici';
import { verify } from '../../crypto/rsa';
import * as Formatter from '../../signature/formatter';
import { BRAND_SCHEME, SCHEME, type Signatory } from '../../signature/scheme';
import type { IncomingRequest } from '../wire/request';
import { fault } from '../wire/response';

/** Checks who sent a request: `undefined` if it is the merchant, otherwise the response that refuses it. */
export type Authorize = (request: IncomingRequest) => Promise<Response | undefined>;

/** What the platform knows of the merchant, or of the brand. */
export type KnownSignatory = Signatory & { readonly serial: string; readonly publicKey: KeyObject };

/** How far a timestamp may be off, in seconds. */
const TOLERANCE = 300;

const MEMBERS = ['serial_no', 'nonce_str', 'timestamp', 'signature'] as const;
type Members = Record<(typeof MEMBERS)[number] | 'id', string>;

/**
 * Makes the check of the header `Authorization`: its form, who signs, the certificate, the clock, the signature
 * and, last, that its nonce is new.
 * @param clock the time now, in milliseconds since 1970
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012365342
 */
export function authorizer(known: KnownSignatory, clock: () => number): Authorize {
  const { mchid, brandId } = known;
  const [who, member, id, expected] =
    brandId === undefined ? ['merchant', 'mchid', mchid, SCHEME] : ['brand', 'brand_id', brandId, BRAND_SCHEME];
  const claim = nonceStore();
  return async (request) => {
    const { authorization } = request.headers;
    if (authorization === undefined) {
      return refusal('authorization', 'The header Authorization is missing.');
    }
    const [scheme = ''] = authorization.split(' ', 1);
    if (scheme !== expected) {
      return refusal('authorization', `The scheme of Authorization is "${scheme}" and should be ${expected}.`);
    }
    const members = parse(authorization.slice(scheme.length + 1), member);
    if (typeof members === 'string') return refusal('authorization', members);

    const { serial_no, nonce_str, timestamp, signature } = members;
    if (members.id !== id) {
      return refusal(member, `The ${who} "${members.id}" is unknown: the sandbox knows ${id}.`);
    }
    if (serial_no !== known.serial) {
      return refusal(
        'serial_no',
        `The ${who} has no certificate of the serial number "${serial_no}": the sandbox knows ${known.serial}.`,
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
    if (!(await verify(messageOver(request.body), signature, known.publicKey))) {
      return refusal(
        'signature',
        `The signature is not that of the ${who}'s key over this request: compare detail.sign_information with what was signed.`,
        signInformation(request, messageOver),
      );
    }
    if (!claim(nonce_str, now, Number(timestamp) + TOLERANCE)) {
      return refusal('nonce_str', `The nonce "${nonce_str}" has been used before: this request is a replayed one.`);
    }
    return undefined;
  };
}

/**
 * Reads `name="value"` pairs; a text says what is wrong with them.
 * @param idMember the name of the one that says who signs
 */
function parse(list: string, idMember: string): Members | string {
  const members: Partial<Record<string, string>> = {};
  for (const pair of list.split(',')) {
    const [, name, value] = /^\s*(\w+)="([^"]*)"\s*$/.exec(pair) ?? [];
    if (name === undefined) {
      return 'Authorization is malformed: after the scheme come name="value" pairs, separated by commas.';
    }
    if (Object.hasOwn(members, name)) return `Authorization is malformed: it has ${name} twice.`;
    members[name] = value;
  }
  const { [idMember]: id, serial_no, nonce_str, timestamp, signature } = members;
  if (!id || !serial_no || !nonce_str || !timestamp || !signature) {
    return `Authorization is malformed: it lacks ${[idMember, ...MEMBERS].filter((name) => !members[name]).join(', ')}.`;
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

import { ConfigurationError, InvalidArgumentError } from '../errors';
import type { Credentials } from '../signature/credentials';
import { joinedByLineFeed } from '../signature/formatter';
import { toSign } from '../signature/functions';
import { type SignType, sign } from '../signature/hash';
import { refuseAmbiguousRequest } from '../signature/v2-readings';

/** Strings by name: everything a front end receives is a string, including the time. */
export type Texts<Name extends string = string> = Record<Name, string>;

/**
 * Picks members of an argument and ignores the rest.
 * @param required members that must be present
 * @param optional members that may be `undefined` and are then omitted
 * @throws {@link InvalidArgumentError} that names a member which is missing, empty or not a string
 */
export function texts<Required extends string, Optional extends string = never>(
  argument: object,
  required: readonly Required[],
  optional: readonly Optional[] = [],
): Texts<Required> & Partial<Texts<Optional>> {
  if (typeof argument !== 'object' || argument === null) {
    throw new InvalidArgumentError(
      `The argument must be an object; it is ${argument === null ? 'null' : typeof argument}.`,
    );
  }
  const members = new Map<string, unknown>(Object.entries(argument));
  const present = optional.filter((name) => members.get(name) !== undefined);
  const taken = [...new Set<string>([...required, ...present])].map((name) => [name, text(name, members.get(name))]);
  // The names are those requested, and each value has been checked to be a string.
  return Object.fromEntries(taken) as Texts<Required> & Partial<Texts<Optional>>;
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  const found =
    value === undefined ? 'missing' : value === '' ? 'empty' : `of type ${typeof value}; it must be a string`;
  throw new InvalidArgumentError(`"${name}" is ${found}.`);
}

/** `a=1&b=2`, the values percent-encoded. */
export function query(fields: Texts): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
}

/** How a payment is signed: `RSA` for APIv3, the others for v2. */
export type PaySignType = 'RSA' | SignType;

/** Signs parameters for a front end. */
export interface Signing {
  /** The merchant that signs. */
  readonly mchid: string;
  /**
   * Signs fields: with `RSA`, the values of some of them, one per line, with the merchant's private key; otherwise all of
   * them as v2 does, with the APIv2 key.
   * @param lines the fields that `RSA` signs, in order
   */
  sign<Name extends string>(type: PaySignType, fields: Texts<Name>, lines?: readonly Name[]): Promise<string>;
}

/** Creates a signer from the keys of an instance; loads the private key. */
export function createSigning({ mchid, privateKey, secret }: Credentials): Signing {
  if (mchid === undefined) {
    throw new InvalidArgumentError(
      'This is the client of a brand; payments, coupons and pay score are opened for a merchant. ' +
        'Pass the client of the merchant: Builder.factory({ mchid, serial, privateKey, certs }).',
    );
  }
  const rsa = privateKey === undefined ? undefined : toSign(privateKey);
  return {
    mchid,
    async sign(type, fields, lines = []) {
      if (type === 'RSA') {
        if (rsa) return rsa(joinedByLineFeed(...lines.map((name) => fields[name])));
        throw new ConfigurationError(
          'The client is configured for v2 only, and RSA requires "privateKey"; for a v2 order pass the "signType" it was placed with, MD5 or HMAC-SHA256.',
        );
      }
      if (type !== 'MD5' && type !== 'HMAC-SHA256') {
        throw new InvalidArgumentError('"signType" must be one of RSA, MD5, HMAC-SHA256.');
      }
      if (secret !== undefined) {
        refuseAmbiguousRequest(fields);
        return sign(type, fields, secret);
      }
      throw new ConfigurationError(`${type} signs with the APIv2 key; configure it as "secret".`);
    },
  };
}

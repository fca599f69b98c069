import type { Credentials } from '../crypto/credentials';
import { toSign } from '../crypto/custom';
import { type SignType, sign } from '../crypto/hash';
import { ConfigurationError, InvalidArgumentError } from '../errors';
import { joinedByLineFeed } from '../format/formatter';
import { refuseAmbiguousRequest } from '../signature/v2-readings';
import type { Texts } from './arguments';

/** How a payment is signed: `RSA` with APIv3, the others with v2. */
export type PaySignType = 'RSA' | SignType;

/** Signs for the front end. */
export interface Signing {
  /** The merchant that signs. */
  readonly mchid: string;
  /**
   * Signs fields: with `RSA` the values of some, a line each, with the merchant's private key; else all of them as v2
   * does, with the APIv2 key.
   * @param lines the fields that `RSA` is over, in order
   */
  sign<Name extends string>(type: PaySignType, fields: Texts<Name>, lines?: readonly Name[]): Promise<string>;
}

/** Makes what signs of what an instance was built with; the private key is loaded here. */
export function createSigning({ mchid, privateKey, secret }: Credentials): Signing {
  const rsa = privateKey === undefined ? undefined : toSign(privateKey);
  return {
    mchid,
    async sign(type, fields, lines = []) {
      if (type === 'RSA') {
        if (rsa) return rsa(joinedByLineFeed(...lines.map((name) => fields[name])));
        throw new ConfigurationError(
          'The instance was built for v2 alone, and RSA needs "privateKey": for an order of v2 give the "signType" that it was placed with, MD5 or HMAC-SHA256.',
        );
      }
      if (type !== 'MD5' && type !== 'HMAC-SHA256') {
        throw new InvalidArgumentError('"signType" must be one of RSA, MD5, HMAC-SHA256.');
      }
      if (secret !== undefined) {
        refuseAmbiguousRequest(fields);
        return sign(type, fields, secret);
      }
      throw new ConfigurationError(`${type} signs with the APIv2 key: give it as "secret" in the configuration.`);
    },
  };
}

import { ConfigurationError } from '../errors';
import { type KeyInput, loadPrivateKey, loadPublicKey, type PrivateKeyInput } from './key';
import { signWith, type Thread, verifyWith } from './rsa-signature';

/** Signs in the place of a private key, such as by an HSM: SHA256withRSA, in Base64. */
export type SignFunction = (message: Uint8Array) => string | Promise<string>;

/** Verifies in the place of a public key: SHA256withRSA, the signature in Base64. */
export type VerifyFunction = (message: Uint8Array, signature: string) => boolean | Promise<boolean>;

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** A key or a function as what signs. @throws {@link ConfigurationError} */
export function toSign(input: PrivateKeyInput | SignFunction): (message: string | Uint8Array) => Promise<string> {
  if (typeof input === 'function') {
    return async (message) => {
      const signature: unknown = await ofConfiguration('privateKey', () => input(Buffer.from(message)));
      if (typeof signature === 'string' && BASE64.test(signature)) return signature;
      throw new ConfigurationError('The function "privateKey" of the configuration must give the signature as Base64.');
    };
  }
  return signWith(loadPrivateKey(input));
}

/** A key or a function as what verifies. @throws {@link ConfigurationError} */
export function toVerify(
  input: KeyInput | VerifyFunction,
  name: string,
  thread?: Thread,
): (message: string | Uint8Array, signature: string) => boolean | Promise<boolean> {
  if (typeof input === 'function') {
    return async (message, signature) => {
      const isRight: unknown = await ofConfiguration(name, () => input(Buffer.from(message), signature));
      if (typeof isRight === 'boolean') return isRight;
      throw new ConfigurationError(`The function "${name}" of the configuration must give true or false.`);
    };
  }
  return verifyWith(loadPublicKey(input, name), thread);
}

async function ofConfiguration<Result>(name: string, call: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (cause) {
    throw new ConfigurationError(`The function "${name}" of the configuration failed; its error is the cause.`, {
      cause,
    });
  }
}

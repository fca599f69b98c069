import type { Credentials } from '../crypto/credentials';
import type { PublicKey } from '../crypto/key';
import { encrypt } from '../crypto/rsa';
import { ConfigurationError, InvalidArgumentError } from '../errors';
import { isMedia } from '../media/media';
import type { EncryptionKey } from '../openapi/trait-of';
import { writeHeaders } from './headers';
import type { Options } from './options';
import type { Call } from './request';
import type { Decoder } from './response';
import { decryption, type SensitiveFields, sensitiveFields } from './sensitive';
import { type Change, changeAt } from './sensitive-fields';

/** Base64 of 256 bytes or more, what RSA gives: longer than what it takes. */
const CIPHERTEXT = /^[A-Za-z0-9+/]{342,}={0,2}$/;

/**
 * Encrypts the sensitive fields of a call, as its operation marks them, and announces the key.
 *
 * The call gets copies; the caller's objects stay plain. Nothing is encrypted twice: this is the one place where the
 * client encrypts, what it gives goes into the request and nowhere else, and with `encrypted: true` it is not called.
 * @throws {@link InvalidArgumentError} where a text is too long for RSA, or is a ciphertext
 */
export async function encryptCall(call: Call, credentials: Credentials): Promise<Call> {
  const { options, trait } = call;
  const announced = writeHeaders(options.headers)['wechatpay-serial'];
  let platform: Promise<SensitiveFields> | undefined;
  const changes: Record<EncryptionKey, Change> = {
    // One key for all fields of a call, however long the first has to be waited for.
    platform: async (text) => {
      platform ??= platformFields(credentials, announced);
      return (await platform).encrypt(text);
    },
    'pay-bank': async (text) => encrypt(text, payBankKey(credentials)),
  };
  let changed: Options = options;
  for (const { key, path } of trait.encrypt ?? []) {
    changed = await changeOption(changed, path, async (text) => {
      if (!CIPHERTEXT.test(text)) return changes[key](text);
      throw new InvalidArgumentError(`"${path}" is encrypted already: give the plain text, or say encrypted: true.`);
    });
  }
  return { ...call, options: changed, serial: (await platform)?.serial };
}

async function platformFields(credentials: Credentials, announced: string | undefined): Promise<SensitiveFields> {
  const { certificates } = credentials;
  return sensitiveFields(credentials, announced ?? (await certificates?.ready()));
}

/** A path begins with the name of the option; an upload has its fields in a form of its own. */
async function changeOption(options: Options, path: string, change: Change): Promise<Options> {
  const { body } = options;
  if (!isMedia(body)) return (await changeAt(options, path, change)) as Options;
  const fields = await changeAt(body.fields, path.replace(/^body\./, ''), change);
  return { ...options, body: body.withFields(fields as Record<string, string>) };
}

function payBankKey({ payBankKey }: Credentials): PublicKey {
  if (payBankKey) return payBankKey;
  throw new ConfigurationError(
    'This operation encrypts with the key of v2/risk/getpublickey: configure it as "payBankKey", or encrypt the fields ' +
      'by Rsa.encrypt() and say so by encrypted: true.',
  );
}

/** What decrypts the marked fields of an answer's JSON with the merchant's key. */
export function decoderOf({ trait }: Call, credentials: Credentials): Decoder {
  return async (json) => {
    const decrypt = decryption(credentials);
    let changed = json;
    for (const { path } of trait.decrypt ?? []) changed = await changeAt(changed, path, decrypt);
    return changed;
  };
}

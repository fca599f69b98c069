import type { PublicKey } from '../crypto/keys';
import { encryptWith } from '../crypto/rsa-cipher';
import { BodyError, ConfigurationError, InvalidArgumentError } from '../errors';
import { writeHeaders } from '../format/headers';
import { parseJson } from '../format/json';
import type { Call } from '../openapi/call';
import type { EncryptionKey } from '../openapi/trait-of';
import type { Credentials } from '../signature/credentials';
import { fieldDecryption, type SensitiveFields, sensitiveFields } from './keys';
import { type MarkedCall, type MarkedField, takeMarkedFields } from './marked-fields';

/** Decrypts the encrypted fields of a response's JSON. */
export type Decoder = (json: unknown) => Promise<unknown>;

/** Changes one text. */
export type Change = (text: string) => Promise<string>;

/**
 * Transforms the strings at a path, such as `list[].contact.name`, in a copy; the original is not changed. `[]` is each
 * member of a list, `{}` the JSON in a string. Missing or empty values stay as they are.
 */
export async function changeAt(value: unknown, path: string, change: Change): Promise<unknown> {
  return walk(value, stepsOf(path), change);
}

/** The parsed paths of the catalogue; there are only a few. */
const known = new Map<string, readonly string[]>();

function stepsOf(path: string): readonly string[] {
  const steps = known.get(path) ?? path.split(/\.|(?=\[\]|\{\})/);
  known.set(path, steps);
  return steps;
}

async function walk(value: unknown, [step, ...rest]: readonly string[], change: Change): Promise<unknown> {
  if (step === undefined) return typeof value === 'string' && value !== '' ? change(value) : value;
  if (step === '[]')
    return Array.isArray(value) ? Promise.all(value.map((member) => walk(member, rest, change))) : value;
  if (step === '{}') {
    const held = typeof value === 'string' ? parseJson(value) : undefined;
    return held?.ok ? JSON.stringify(await walk(held.value, rest, change)) : value;
  }
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return value;
  const members = value as Record<string, unknown>;
  return { ...members, [step]: await walk(members[step], rest, change) };
}

export { takeMarkedFields };

/** Base64 of 256 bytes or more, as RSA produces: longer than any plain text it accepts. */
const CIPHERTEXT = /^[A-Za-z0-9+/]{342,}={0,2}$/;

/**
 * Encrypts the marked fields of a call, and adds the `Wechatpay-Serial` of the key.
 *
 * The call gets copies; the caller's objects keep their plain text. Nothing is encrypted twice: the client encrypts only
 * here, the result goes only into the request, and with `encrypted: true` this function is not called.
 * @throws {@link InvalidArgumentError} if a text is too long for RSA, or looks already encrypted
 */
export async function encryptCall(marked: MarkedCall, credentials: Credentials): Promise<Call> {
  const announced = writeHeaders(marked.current().options.headers)['wechatpay-serial'];
  let platform: Promise<SensitiveFields> | undefined;
  refuseUnencryptable(marked.fields, credentials);
  const encryptFor: Record<EncryptionKey, (text: string) => Promise<string>> = {
    // One key for all fields of a call, however long the download takes.
    platform: async (text) => {
      platform ??= platformFields(credentials, announced);
      return (await platform).encrypt(text);
    },
    'pay-bank': async (text) => encryptWith(text, payBankKey(credentials), 'OAEP'),
  };
  const encryptField = async ({ key, text, replace }: MarkedField) => replace(await encryptFor[key](text));
  await Promise.all(marked.fields.map(encryptField));
  return { ...marked.current(), serial: (await platform)?.serial };
}

/** All fields are looked at before the first is encrypted, since a certificate may have to be downloaded for that. */
function refuseUnencryptable(fields: readonly MarkedField[], credentials: Credentials): void {
  for (const { key, name, text } of fields) {
    if (key === 'pay-bank') payBankKey(credentials);
    if (!CIPHERTEXT.test(text)) continue;
    throw new InvalidArgumentError(`"${name}" looks already encrypted; pass plain text, or set encrypted: true.`);
  }
}

/** Whether a certificate must be downloaded before the fields of a call can be encrypted. */
export function awaitsCertificate({ fields }: MarkedCall, { certificates }: Credentials): boolean {
  if (!certificates || !fields.some(({ key }) => key === 'platform')) return false;
  return certificates.preferred() === undefined;
}

async function platformFields(credentials: Credentials, announced: string | undefined): Promise<SensitiveFields> {
  const { certificates } = credentials;
  return sensitiveFields(credentials, announced ?? (await certificates?.ready()));
}

function payBankKey({ payBankKey }: Credentials): PublicKey {
  if (payBankKey) return payBankKey;
  throw new ConfigurationError(
    'This operation encrypts with the key from v2/risk/getpublickey; configure it as "payBankKey", or encrypt the ' +
      'fields with Rsa.encrypt() and set encrypted: true.',
  );
}

/**
 * Creates a function that decrypts the marked fields of a response's JSON with the merchant's key. Values that are not
 * ciphertexts stay unchanged, and so does everything if the client has no key that can decrypt.
 *
 * It rejects with a {@link BodyError}, `ERR_BODY_NOT_DECRYPTED`, if a ciphertext was encrypted for another key.
 */
export function decoderOf(call: Call, credentials: Credentials): Decoder {
  const decryption = fieldDecryption(credentials);
  return async (json) => {
    if (!decryption) return json;
    let changed = json;
    for (const { path } of call.trait.decrypt ?? []) {
      changed = await changeAt(changed, path, (text) =>
        decryption.isCiphertext(text)
          ? decryption.decrypt(text).catch((cause: unknown) => Promise.reject(notDecrypted(call, path, cause)))
          : Promise.resolve(text),
      );
    }
    return changed;
  };
}

function notDecrypted({ verb, path: called }: Call, field: string, cause: unknown): BodyError {
  const what = `${verb.toUpperCase()} ${called.split('?', 1)[0]}`;
  return new BodyError(
    'ERR_BODY_NOT_DECRYPTED',
    `${what}: WeChat Pay has processed it and the response is verified, but its field "${field}" cannot be decrypted ` +
      'with "privateKey": most likely it was encrypted for another certificate than yours. Do not send it again; ' +
      'query it, and set encrypted: true to receive the fields as they are.',
    { cause },
  );
}

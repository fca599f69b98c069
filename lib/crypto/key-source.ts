import { type KeyObject, type webcrypto, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { ConfigurationError } from '../errors';
import { decodeBase64 } from './bytes';
import { isCryptoKey } from './crypto-key';
import { type DerKind, kindOfDer } from './der';
import { codeOf } from './error-code';
import { isPem, type PemBlock, pemBlocks } from './pem';

/**
 * What a key can be given as:
 * - PEM text, also with `\n` written out, as environment variables have it;
 * - a `file://` URL, as text or `URL`, of a PEM or DER file; it is read at once;
 * - the bytes of such a file;
 * - `private.pkcs1://…`, `private.pkcs8://…`, `public.pkcs1://…` or `public.spki://…`, the rest being Base64 of DER;
 * - a `KeyObject`, a `CryptoKey`, or an `X509Certificate` where a public key is meant.
 */
export type KeyInput = string | URL | Uint8Array | KeyObject | webcrypto.CryptoKey | X509Certificate;

/** What an input turns out to hold. */
export type Material =
  | { kind: DerKind; der: Uint8Array }
  | { kind: 'encrypted-pkcs1'; pem: string }
  | { kind: 'KeyObject'; key: KeyObject }
  | { kind: 'CryptoKey'; key: webcrypto.CryptoKey }
  | { kind: 'X509Certificate'; certificate: X509Certificate }
  | { kind: 'openssh' | 'damaged' | 'unknown' };

/** The kind of what an input holds. */
export type MaterialKind = Material['kind'];

const BARE_DER = /^(?:private\.pkcs1|private\.pkcs8|public\.pkcs1|public\.spki):\/\//;
const PATH = /^(?:\.{0,2}\/|~|[A-Za-z]:\\|\\\\)|\.(?:pem|key|crt|cer|der|p12|pfx|txt)$/;
const FILE_ADVICE = 'For a file write file:///path/to/key.pem.';
const TEXT_ADVICE = `Give PEM text ("-----BEGIN …"), or a file:// URL.`;

/**
 * Finds out what an input holds, piece by piece: a PEM text may have several.
 * @param name what the error calls the input
 * @throws {@link ConfigurationError} where it holds nothing that could be a key. It never repeats the input.
 */
export function readKeySource(input: unknown, name: string): Material[] {
  if (typeof input === 'string') return isFileUrl(input) ? readFile(input, name) : readText(input, name);
  if (input instanceof URL) {
    if (input.protocol === 'file:') return readFile(input, name);
    throw new ConfigurationError(`"${name}" is a URL that is not file://. ${FILE_ADVICE}`);
  }
  if (types.isKeyObject(input)) return [{ kind: 'KeyObject', key: input }];
  if (input instanceof X509Certificate) return [{ kind: 'X509Certificate', certificate: input }];
  if (isCryptoKey(input)) return [{ kind: 'CryptoKey', key: input }];
  if (input instanceof Uint8Array) return readBytes(input, name);
  if (input === undefined || input === null) {
    throw new ConfigurationError(
      `"${name}" is ${input}: the key is missing. If it comes from an environment variable, set that.`,
    );
  }
  throw new ConfigurationError(
    `"${name}" is of type ${typeof input}; expected PEM text, a file:// URL, bytes, a KeyObject, a CryptoKey or an X509Certificate.`,
  );
}

/** Of materials none of which will do, the one to complain about: the first that is something. */
export function mostTelling(materials: readonly Material[]): Material {
  return materials.find(({ kind }) => kind !== 'damaged') ?? materials[0] ?? { kind: 'unknown' };
}

function isFileUrl(text: string): boolean {
  return /^\s*file:/i.test(text);
}

function readFile(url: string | URL, name: string): Material[] {
  let path: string;
  try {
    path = fileURLToPath(typeof url === 'string' ? url.trim() : url);
  } catch {
    throw new ConfigurationError(`"${name}" is not a file:// URL of an absolute path. ${FILE_ADVICE}`);
  }
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new ConfigurationError(`"${name}" names the file ${path}, which cannot be read (${codeOf(cause)}).`, {
      cause,
    });
  }
  return readBytes(bytes, name);
}

function readBytes(bytes: Uint8Array, name: string): Material[] {
  const kind = kindOfDer(bytes);
  return kind === undefined ? readText(Buffer.from(bytes).toString(), name) : [{ kind, der: bytes }];
}

function readText(input: string, name: string): Material[] {
  const text = input.trim();
  if (text === '') {
    throw new ConfigurationError(`"${name}" is empty: the key is missing. ${TEXT_ADVICE}`);
  }
  if (isPem(text)) {
    const blocks = pemBlocks(text);
    if (blocks.length > 0) return blocks.map(materialOf);
    throw new ConfigurationError(
      `"${name}" is PEM text that is cut off: the line "-----END …" that belongs to its "-----BEGIN …" is missing.`,
    );
  }
  const base64 = text.replace(BARE_DER, '');
  const der = decodeBase64(base64.replace(/\s+/g, ''));
  const kind = der && kindOfDer(der);
  if (base64 !== text) return [kind ? { kind, der } : { kind: 'damaged' }];
  if (kind) {
    throw new ConfigurationError(
      `"${name}" is Base64 without its PEM lines. Put "private.pkcs8://", "private.pkcs1://", "public.spki://" or "public.pkcs1://" before it.`,
    );
  }
  if (PATH.test(text) && !text.includes('\n')) {
    throw new ConfigurationError(`"${name}" looks like a path. ${FILE_ADVICE}`);
  }
  return [{ kind: 'unknown' }];
}

function materialOf(block: PemBlock): Material {
  if ('encrypted' in block) return { kind: 'encrypted-pkcs1', pem: block.encrypted };
  if (block.label === 'OPENSSH PRIVATE KEY') return { kind: 'openssh' };
  if (!('der' in block)) return { kind: 'damaged' };
  const kind = kindOfDer(block.der);
  return kind ? { kind, der: block.der } : { kind: 'damaged' };
}

import { type KeyObject, type webcrypto, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { ConfigurationError } from '../errors';
import { codeOf, decodeBase64 } from './bytes';

/** The kinds of DER structures. */
export type DerKind =
  | 'pkcs1-private'
  | 'pkcs8'
  | 'encrypted-pkcs8'
  | 'sec1'
  | 'pkcs1-public'
  | 'spki'
  | 'certificate'
  | 'request'
  | 'pkcs12';

const SEQUENCE = 0x30;

/**
 * Kinds of a SEQUENCE by the hexadecimal tags of its members: RFC 8017 (A.1), RFC 5958, RFC 5915, RFC 5280 (4.1),
 * RFC 2986 and RFC 7292. The first match counts.
 */
const SHAPES: readonly (readonly [RegExp, DerKind])[] = [
  [/^(02){9}/, 'pkcs1-private'],
  [/^0202$/, 'pkcs1-public'],
  [/^023004/, 'pkcs8'],
  [/^0204/, 'sec1'],
  [/^0230/, 'pkcs12'],
  [/^3003$/, 'spki'],
  [/^3004$/, 'encrypted-pkcs8'],
  [/^303003$/, 'certificate'],
];

/** Members of a CertificationRequestInfo; a certificate has the same outer structure, but not these. */
const REQUEST_INFO = /^023030a0/;

/** Determines the kind of a DER structure; `undefined` if it is unknown or truncated. */
export function kindOfDer(bytes: Uint8Array): DerKind | undefined {
  const tags = memberTags(bytes, 0);
  const kind = SHAPES.find(([shape]) => tags !== undefined && shape.test(tags))?.[1];
  if (kind !== 'certificate') return kind;
  const first = element(bytes, 0)?.start ?? 0;
  return REQUEST_INFO.test(memberTags(bytes, first) ?? '') ? 'request' : kind;
}

/** The tags of the members of the SEQUENCE at an offset, two hexadecimal digits each. */
function memberTags(bytes: Uint8Array, offset: number): string | undefined {
  const outer = element(bytes, offset);
  if (outer?.tag !== SEQUENCE) return undefined;
  let tags = '';
  for (let at = outer.start; at < outer.end; ) {
    const member = element(bytes, at);
    if (member === undefined || member.end > outer.end) return undefined;
    tags += member.tag.toString(16).padStart(2, '0');
    at = member.end;
  }
  return tags;
}

/** The element at an offset: its tag, and where its content starts and ends. Lengths follow X.690, 8.1.3. */
function element(bytes: Uint8Array, offset: number): { tag: number; start: number; end: number } | undefined {
  const [tag, first] = bytes.subarray(offset, offset + 2);
  if (tag === undefined || first === undefined) return undefined;
  const octets = first < 0x80 ? 0 : first - 0x80;
  if (first === 0x80 || octets > 4) return undefined;
  const start = offset + 2 + octets;
  const length = octets === 0 ? first : bytes.subarray(offset + 2, start).reduce((sum, octet) => sum * 256 + octet, 0);
  const end = start + length;
  return end <= bytes.length ? { tag, start, end } : undefined;
}

/** One PEM block: its content, or the whole block if it uses PEM encryption (RFC 1421). */
export type PemBlock = { label: string; der: Uint8Array } | { label: string; encrypted: string } | { label: string };

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----/gs;
const DEK_INFO = /^\s*Proc-Type:\s*4,ENCRYPTED\s+DEK-Info:\s*([\w-]+,[0-9A-Fa-f]+)\s(.*)$/s;

/** Whether a string contains the beginning of a PEM block. */
export function isPem(text: string): boolean {
  return text.includes('-----BEGIN ');
}

/**
 * The blocks of a PEM text. Line breaks may be of any kind, escaped as `\n`, or replaced by spaces, as happens in
 * environment variables. A block without content is damaged.
 */
export function pemBlocks(text: string): PemBlock[] {
  const lines = text.replace(/\\+[rn]/g, '\n');
  return Array.from(lines.matchAll(BLOCK), ([, label = '', body = '']) => block(label, body));
}

function block(label: string, body: string): PemBlock {
  const [, info, content] = DEK_INFO.exec(body) ?? [];
  const base64 = (content ?? body).replace(/\s+/g, '');
  const der = decodeBase64(base64);
  if (!der?.length) return { label };
  return info === undefined ? { label, der } : { label, encrypted: encryptedPem(label, info, base64) };
}

function encryptedPem(label: string, info: string, base64: string): string {
  const headers = `Proc-Type: 4,ENCRYPTED\nDEK-Info: ${info}\n`;
  const lines = base64.replace(/.{1,64}/g, '$&\n');
  return `-----BEGIN ${label}-----\n${headers}\n${lines}-----END ${label}-----\n`;
}

/** What a key is used for. */
export type KeyUse = 'sign' | 'verify' | 'encrypt' | 'encrypt-pkcs1' | 'decrypt';

/** The algorithm and the usage that a `CryptoKey` must have for each use. */
const REQUIREMENTS: Record<KeyUse, { name: string; hash?: string; usage: webcrypto.KeyUsage }> = {
  sign: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', usage: 'sign' },
  verify: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', usage: 'verify' },
  encrypt: { name: 'RSA-OAEP', hash: 'SHA-1', usage: 'encrypt' },
  'encrypt-pkcs1': { name: 'RSAES-PKCS1-v1_5', usage: 'encrypt' },
  decrypt: { name: 'RSA-OAEP', hash: 'SHA-1', usage: 'decrypt' },
};

/** Whether a value is a `CryptoKey`, from Node.js or another WebCrypto provider. */
export function isCryptoKey(value: unknown): value is webcrypto.CryptoKey {
  if (typeof value !== 'object' || value === null) return false;
  const { type, algorithm, usages } = value as Partial<webcrypto.CryptoKey>;
  return typeof type === 'string' && typeof algorithm?.name === 'string' && Array.isArray(usages);
}

/** Says why a `CryptoKey` is unusable, in words that follow "a CryptoKey"; `undefined` if it is usable. */
export function cryptoKeyFault(key: webcrypto.CryptoKey, use: KeyUse): string | undefined {
  const { name, hash, usage } = REQUIREMENTS[use];
  const found = key.algorithm as Partial<webcrypto.RsaHashedKeyAlgorithm>;
  const fits = same(found.name, name) && (hash === undefined || same(found.hash?.name, hash));
  if (!fits) return `for ${title(found.name, found.hash?.name)}; ${title(name, hash)} is required`;
  if (!key.usages.includes(usage)) return `without the usage "${usage}": it has ${key.usages.join(', ') || 'none'}`;
  return undefined;
}

function same(found: string | undefined, expected: string): boolean {
  return found?.toUpperCase() === expected.toUpperCase();
}

function title(name: string | undefined, hash: string | undefined): string {
  return hash === undefined ? `${name}` : `${name} with ${hash}`;
}

/** The length of the modulus of an RSA `CryptoKey`, in bits. */
export function modulusLengthOf(key: webcrypto.CryptoKey): number | undefined {
  return (key.algorithm as Partial<webcrypto.RsaHashedKeyAlgorithm>).modulusLength;
}

/**
 * The forms of a key:
 * - PEM text; newlines may be escaped as `\n`, as in environment variables;
 * - a `file://` URL of a PEM or DER file, as a string or `URL`; the file is read immediately;
 * - the bytes of such a file;
 * - `private.pkcs1://…`, `private.pkcs8://…`, `public.pkcs1://…` or `public.spki://…`, followed by the Base64 of the DER;
 * - a `KeyObject`, a `CryptoKey`, or, for a public key, an `X509Certificate`.
 */
export type KeyInput = string | URL | Uint8Array | KeyObject | webcrypto.CryptoKey | X509Certificate;

/** What an input contains. */
export type Material =
  | { kind: DerKind; der: Uint8Array }
  | { kind: 'encrypted-pkcs1'; pem: string }
  | { kind: 'KeyObject'; key: KeyObject }
  | { kind: 'CryptoKey'; key: webcrypto.CryptoKey }
  | { kind: 'X509Certificate'; certificate: X509Certificate }
  | { kind: 'openssh' | 'damaged' | 'unknown' };

/** The kind of a material. */
export type MaterialKind = Material['kind'];

const BARE_DER = /^(?:private\.pkcs1|private\.pkcs8|public\.pkcs1|public\.spki):\/\//;
const PATH = /^(?:\.{0,2}\/|~|[A-Za-z]:\\|\\\\)|\.(?:pem|key|crt|cer|der|p12|pfx|txt)$/;
const FILE_ADVICE = 'To read a file, use file:///path/to/key.pem.';
const TEXT_ADVICE = `Pass PEM text ("-----BEGIN …") or a file:// URL.`;

/**
 * Determines what an input contains, piece by piece: a PEM text may contain several.
 * @param name the name of the input in errors
 * @throws {@link ConfigurationError} if it contains nothing that could be a key. The error never repeats the input.
 */
export function readKeySource(input: unknown, name: string): Material[] {
  if (typeof input === 'string') return isFileUrl(input) ? readFile(input, name) : readText(input, name);
  if (input instanceof URL) {
    if (input.protocol === 'file:') return readFile(input, name);
    throw new ConfigurationError(`"${name}" is a URL other than file://. ${FILE_ADVICE}`);
  }
  if (types.isKeyObject(input)) return [{ kind: 'KeyObject', key: input }];
  if (input instanceof X509Certificate) return [{ kind: 'X509Certificate', certificate: input }];
  if (isCryptoKey(input)) return [{ kind: 'CryptoKey', key: input }];
  if (input instanceof Uint8Array) return readBytes(input, name);
  if (input === undefined || input === null) {
    throw new ConfigurationError(
      `"${name}" is ${input}: the key is missing. If it comes from an environment variable, set that variable.`,
    );
  }
  throw new ConfigurationError(
    `"${name}" is of type ${typeof input}; expected PEM text, a file:// URL, bytes, a KeyObject, a CryptoKey or an X509Certificate.`,
  );
}

/** Picks the material to complain about if none is usable: the first that was recognised. */
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
    throw new ConfigurationError(`"${name}" refers to the file ${path}, which cannot be read (${codeOf(cause)}).`, {
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
    throw new ConfigurationError(`"${name}" is truncated PEM: the matching "-----END …" line is missing.`);
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

import { constants, createHash, type KeyObject, publicDecrypt, verify } from 'node:crypto';
import type { Identities, Identity } from '../identity';
import { type IncomingRequest, queryOf } from '../wire/request';
import * as Mistakes from './mistakes';

/** What is wrong with a signature. */
export interface Diagnosis {
  /** Short names, such as `query-missing`; empty if unknown. */
  readonly mistakes: readonly string[];
  /** The same as a sentence. */
  readonly issue: string;
}

/** The content of `Authorization`. */
export interface Signed {
  readonly timestamp: string;
  readonly nonce_str: string;
  readonly signature: string;
}

/** The maximum number of bytes that a search hashes. */
const MAX_HASHED = 256 * 1024 * 1024;

/** DER of a DigestInfo (RFC 8017, 9.2) before the hash. */
const DIGEST_INFOS: Readonly<Record<string, string>> = {
  '3020300c06082a864886f70d020505000410': 'md5',
  '3021300906052b0e03021a05000414': 'sha1',
  '302d300d06096086480165030402040500041c': 'sha224',
  '3031300d060960864801650304020105000420': 'sha256',
  '3041300d060960864801650304020205000430': 'sha384',
  '3051300d060960864801650304020305000440': 'sha512',
};

/**
 * Finds out why a signature does not match its request, by trying common mistakes. It takes milliseconds: call it
 * only for wrong signatures.
 */
export function diagnose(
  request: IncomingRequest,
  signed: Signed,
  identity: Identity,
  identities: Identities,
): Diagnosis {
  const size = (identity.publicKey.asymmetricKeyDetails?.modulusLength ?? 2048) / 8;
  const found = bytesOf(signed.signature, size);
  if (!found) return { mistakes: ['signature-encoding'], issue: `The signature is not Base64 of ${size} bytes.` };
  const owner = ownerOf(found.value, identity, identities);
  if (owner) return explain([found, owner.key, hashOf(owner)], search(request, signed, owner), owner.key.name === '');
  if (isPss(request, signed, found.value, identity)) {
    const text = 'It is padded by PSS; it must be RSASSA-PKCS1-v1_5 (SHA256withRSA).';
    return explain([found, { name: 'padding-pss', text }], []);
  }
  const issue = `The signature was not made with the private key of the certificate ${identity.serial}, nor with another key that the sandbox knows: check that the key and the serial number belong together.`;
  return { mistakes: ['key-unknown'], issue: [found.text, issue].filter(Boolean).join(' ') };
}

interface Named {
  readonly name: string;
  readonly text: string;
}

/** @param isKeyRight whether the key at least is that of the sender */
function explain(outer: readonly Named[], inner: readonly Named[] | undefined, isKeyRight = false): Diagnosis {
  const wrong = outer.filter(({ name }) => name !== '');
  const over = (inner ?? []).map(({ text }) => text).join('; and ');
  const sentences = wrong.map(({ text }) => text);
  if (over !== '') sentences.push(`What was signed has ${over}.`);
  if (!inner) {
    const matched = isKeyRight ? 'The key is right, but ' : '';
    sentences.push(
      `${matched}what was signed is another text, which the sandbox does not recognise: compare it with detail.sign_information. Timestamp and nonce must be those of the header, the body that which is sent.`,
    );
  }
  const mistakes = [...wrong, ...(inner ?? [])].map(({ name }) => name);
  return { mistakes: [...new Set(mistakes)], issue: sentences.join(' ') };
}

/** The bytes of a signature, however they are encoded. */
function bytesOf(signature: string, size: number): Mistakes.Variant<Buffer> | undefined {
  const variants: [name: string, how: string, text: string, encoding: BufferEncoding][] = [
    ['', '', signature, 'base64'],
    ['signature-hex', 'in hexadecimal', signature.toLowerCase(), 'hex'],
    ['signature-line-breaks', 'with line breaks or spaces', signature.replace(/\s|\\r|\\n/g, ''), 'base64'],
    ['signature-url-encoded', 'encoded for a URL', safelyDecoded(signature), 'base64'],
    ['signature-url-decoded', 'with spaces in the place of "+"', signature.replaceAll(' ', '+'), 'base64'],
    ['signature-base64url', 'in Base64url', signature.replace(/=+$/, ''), 'base64url'],
    [
      'signature-padding',
      'in Base64 without "=" at its end',
      `${signature}${'='.repeat((4 - (signature.length % 4)) % 4)}`,
      'base64',
    ],
  ];
  const twice = Buffer.from(signature, 'base64').toString('latin1');
  variants.push(
    ['signature-twice', 'encoded twice', twice, 'base64'],
    ['signature-twice', 'in Base64 of hexadecimal', twice.toLowerCase(), 'hex'],
  );
  for (const [name, how, text, encoding] of variants) {
    const value = Buffer.from(text, encoding);
    // Decoders of Node skip what they do not know; hexadecimal is Base64 as well, of another length.
    if (value.length === size && value.toString(encoding) === text) {
      return { name, value, text: how && `The signature is ${how}; it must be in plain Base64.` };
    }
  }
  return undefined;
}

function safelyDecoded(text: string): string {
  return Mistakes.attempt(() => decodeURIComponent(text)) ?? text;
}

/** Whose key made a signature, and the hash it signs. */
interface Owner {
  readonly key: Named;
  readonly hash: string;
  readonly digest: Buffer;
}

function ownerOf(signature: Buffer, identity: Identity, { all, platform }: Identities): Owner | undefined {
  const others = all().filter((one) => one !== identity);
  const keys: [Named, KeyObject][] = [
    [{ name: '', text: '' }, identity.publicKey],
    ...others.map(({ kind, id, serial, publicKey }): [Named, KeyObject] => {
      const name = kind === identity.kind ? 'key-other' : 'key-other-kind';
      const text = `It was made with the key of the ${kind} ${id} (serial number ${serial}); this request is of the ${identity.kind} ${identity.id}.`;
      return [{ name, text }, publicKey];
    }),
    ...platform.ids(Date.now()).flatMap((id): [Named, KeyObject][] => {
      const key = platform.find(id, Date.now());
      const text = `It was made with the platform's key ${id}; requests are signed with the private key of the ${identity.kind}, apiclient_key.pem.`;
      return key ? [[{ name: 'key-platform', text }, key.publicKey]] : [];
    }),
  ];
  for (const [key, publicKey] of keys) {
    const info = Mistakes.attempt(() =>
      publicDecrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, signature),
    );
    if (info) return { key, ...digestOf(info) };
  }
  return undefined;
}

function digestOf(info: Buffer): { hash: string; digest: Buffer } {
  const hex = info.toString('hex');
  const prefix = Object.keys(DIGEST_INFOS).find((one) => hex.startsWith(one));
  if (prefix === undefined) return { hash: '', digest: info };
  return { hash: DIGEST_INFOS[prefix] ?? '', digest: info.subarray(prefix.length / 2) };
}

/** What is wrong with the hash of a signature. */
function hashOf({ hash }: Owner): Named {
  if (hash === 'sha256') return { name: '', text: '' };
  const text =
    hash === ''
      ? 'It is no signature with a hash, but something encrypted with the private key; it must be SHA256withRSA.'
      : `It uses ${hash.toUpperCase()}; it must use SHA-256 (SHA256withRSA).`;
  return { name: 'hash', text };
}

/** What is wrong with the text that was signed; `undefined` if no common mistake leads to it. */
function search(request: IncomingRequest, signed: Signed, { hash, digest }: Owner): readonly Named[] | undefined {
  const isIt = (text: Buffer): boolean =>
    hash === ''
      ? [
          text,
          createHash('sha256').update(text).digest(),
          Buffer.from(createHash('sha256').update(text).digest('hex')),
        ].some((one) => one.equals(digest))
      : createHash(hash).update(text).digest().equals(digest);
  let left = MAX_HASHED;
  for (const { text, mistakes } of candidates(request, signed)) {
    if (isIt(text)) return mistakes;
    left -= text.length + 1000;
    if (left < 0) return undefined;
  }
  return undefined;
}

interface Candidate {
  readonly text: Buffer;
  readonly mistakes: readonly Named[];
}

/** Every text with no mistake, with one, then with two. */
function* candidates(request: IncomingRequest, { timestamp, nonce_str }: Signed): Generator<Candidate> {
  const { method, target, headers, body, multipart } = request;
  const right: Mistakes.Lines = { method, target, timestamp, nonce: nonce_str, body };
  yield { text: Mistakes.RIGHT(right), mistakes: [] };

  const changes = {
    method: Mistakes.methods(method),
    target: Mistakes.targets(target, headers.host),
    body: Mistakes.bodies(body, queryOf(target), multipart?.()),
    nonce: Mistakes.nonces(nonce_str),
    timestamp: Mistakes.timestamps(timestamp),
  };
  const layouts = Mistakes.layouts();
  const names = ['method', 'target', 'body', 'nonce', 'timestamp'] as const;
  for (const name of names) {
    for (const { value, ...mistake } of changes[name]) {
      yield { text: Mistakes.RIGHT({ ...right, [name]: value }), mistakes: [mistake] };
    }
  }
  for (const { value: layout, ...mistake } of layouts) yield { text: layout(right), mistakes: [mistake] };
  // A wrong time or order is found only on its own: combinations would take too long.
  const few = names.slice(0, 4);
  const pairable = <Value>(variants: readonly Mistakes.Variant<Value>[]) =>
    variants.filter(({ name }) => !name.endsWith('-order'));
  for (const [i, one] of few.entries()) {
    for (const { value, ...mistake } of pairable<string | Buffer>(changes[one])) {
      const lines = { ...right, [one]: value };
      for (const other of few.slice(i + 1)) {
        for (const { value: second, ...further } of pairable<string | Buffer>(changes[other])) {
          yield { text: Mistakes.RIGHT({ ...lines, [other]: second }), mistakes: [mistake, further] };
        }
      }
      for (const { value: layout, ...further } of pairable(layouts))
        yield { text: layout(lines), mistakes: [mistake, further] };
    }
  }
}

function isPss(request: IncomingRequest, signed: Signed, signature: Buffer, { publicKey }: Identity): boolean {
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const [first] = candidates(request, signed);
  return ['sha256', 'sha1', 'sha512'].some((hash) =>
    Mistakes.attempt(() =>
      verify(
        hash,
        first?.text ?? Buffer.alloc(0),
        { key: publicKey, padding, saltLength: constants.RSA_PSS_SALTLEN_AUTO },
        signature,
      ),
    ),
  );
}

/** What a DER structure can be. */
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
 * What a SEQUENCE is, by the tags of its members in hexadecimal: RFC 8017 (A.1), RFC 5958, RFC 5915, RFC 5280 (4.1),
 * RFC 2986 and RFC 7292. The first that fits counts.
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

/** Members of a CertificationRequestInfo; without them the same outer shape is a certificate. */
const REQUEST_INFO = /^023030a0/;

/** Tells by its structure what DER holds; `undefined` where it is none of the kinds known or is cut off. */
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

/** The element at an offset: its tag, and where its content starts and ends. Lengths are those of X.690, 8.1.3. */
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

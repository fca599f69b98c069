/** What may precede the root of an XML document: byte order mark, white space, the declaration and its kin, comments. */
const PROLOG = /^(?:\xef\xbb\xbf)?(?:[ \t\r\n]+|<\?[\s\S]*?\?>|<!--[\s\S]*?-->)*/;

/** A byte order mark, a tag `<xml>` or a piece of the prolog that is cut off. */
const CUT_OFF = /^(?:\xef\xbb?|<(?:x(?:ml?)?)?|<!-?|<\?[\s\S]*|<!--[\s\S]*)?$/;

/**
 * Whether bytes are the beginning of v2's XML, whose root is `<xml>`.
 * @returns `undefined` where more bytes are needed to tell
 */
export function startsXml(bytes: Uint8Array): boolean | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const rest = text.replace(PROLOG, '');
  if (/^<xml[\s/>]/.test(rest)) return true;
  return CUT_OFF.test(rest) ? undefined : false;
}

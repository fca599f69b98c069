import { BodyError, InvalidArgumentError } from '../errors';
import { fieldText } from './fields';

/** Bounds of what {@link toObject} reads. */
export interface XmlLimits {
  /** Elements that stand within one another, the outermost counted; 32 by default. */
  depth?: number;
  /** Bytes of bytes, UTF-16 code units of text; 1 MiB by default. */
  size?: number;
}

const MAX_DEPTH = 32;
const MAX_SIZE = 1024 * 1024;

/** Of the parser: no entities of HTML (`@types/sax` does not know the option yet). */
const OPTIONS = { trim: false, strictEntities: true };

/** The element that a member of a list becomes, as wechatpay-php has it. */
const ITEM = 'item';

/** XML 1.0, production 5, but for what stands beyond U+FFFF, which the parser does not read. */
const NAME_START =
  ':A-Z_a-z\\u{C0}-\\u{D6}\\u{D8}-\\u{F6}\\u{F8}-\\u{2FF}\\u{370}-\\u{37D}\\u{37F}-\\u{1FFF}\\u{200C}\\u{200D}' +
  '\\u{2070}-\\u{218F}\\u{2C00}-\\u{2FEF}\\u{3001}-\\u{D7FF}\\u{F900}-\\u{FDCF}\\u{FDF0}-\\u{FFFD}';
const NAME = new RegExp(`^[${NAME_START}][${NAME_START}\\-.0-9\\u{B7}\\u{300}-\\u{36F}\\u{203F}\\u{2040}]*$`, 'u');

/** What is no character of XML 1.0 (production 2), half surrogate pairs among them. */
const NO_CHARACTER = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;

/**
 * Writes fields as XML, as v2 wants it: text that holds `<`, `>`, `&` or `"` goes into CDATA, empty and null fields are
 * empty elements, undefined ones are left out, the members of a list are `<item>`s.
 *
 * A name that no element can have is written as `item` too, as wechatpay-php does; v2 has no such field.
 * @param data the fields; numbers, bigints and `true` (as `1`) are written as v2 signs them
 * @param root name of the outermost element
 * @throws {@link InvalidArgumentError} that names the field where a value has no text, or text that XML cannot carry
 * @example Transformer.toXml({ return_code: 'SUCCESS', return_msg: 'OK' });
 * // <xml><return_code>SUCCESS</return_code><return_msg>OK</return_msg></xml>
 */
export function toXml(data: Readonly<Record<string, unknown>>, root = 'xml'): string {
  if (!isComposed(data)) throw new InvalidArgumentError('The data to write as XML must be an object of fields.');
  if (!NAME.test(root)) throw new InvalidArgumentError(`"${root}" cannot be the name of an element of XML.`);
  return writeElement(root, data, '', 1);
}

/** @param path names the value in an error: `a.b[0]` */
function writeElement(name: string, value: unknown, path: string, depth: number): string {
  if (!isComposed(value)) return `<${name}>${writeText(path, fieldText(path, value))}</${name}>`;
  if (depth > MAX_DEPTH) {
    throw new InvalidArgumentError(`The field "${path}" is nested deeper than ${MAX_DEPTH} levels, or holds itself.`);
  }
  const members = Array.isArray(value)
    ? value.map((member, index) => writeElement(ITEM, member, `${path}[${index}]`, depth + 1))
    : Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([key, member]) =>
          writeElement(NAME.test(key) ? key : ITEM, member, path === '' ? key : `${path}.${key}`, depth + 1),
        );
  return members.length === 0 ? `<${name}/>` : `<${name}>${members.join('')}</${name}>`;
}

/** Text as character data. A carriage return goes as a reference: a parser would read it as a line feed. */
function writeText(path: string, text: string): string {
  if (NO_CHARACTER.test(text)) {
    throw new InvalidArgumentError(
      `The field "${path}" holds a control character or half a character: no XML has these.`,
    );
  }
  if (!/[<>&"]/.test(text)) return text.replaceAll('\r', '&#13;');
  const content = text.replaceAll(']]>', ']]]]><![CDATA[>').replaceAll('\r', ']]>&#13;<![CDATA[');
  return `<![CDATA[${content}]]>`;
}

/** A list or a plain object, of whatever realm. */
function isComposed(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** An element that has been opened. */
interface Element {
  text: string;
  /** The values of its elements, by name. */
  members: Map<string, unknown[]>;
}

/**
 * Reads the XML of v2: the elements within the outermost one, by name.
 *
 * An element of text is a string, white space and all, an empty one is `''`; an element of elements is an object without
 * a prototype; an element of `<item>`s alone is a list, and so are elements of one name side by side. Attributes,
 * comments and processing instructions are left out.
 *
 * Nothing but the five entities of XML and references to characters is expanded.
 * @param xml text, or bytes in UTF-8
 * @throws {@link BodyError} `ERR_BODY_NOT_XML` where it is not well-formed, has a DTD, or text beside elements;
 * `ERR_BODY_TOO_LARGE` where it is beyond the limits
 */
export function toObject(xml: string | Uint8Array, limits: XmlLimits = {}): Record<string, unknown> {
  const { depth = MAX_DEPTH, size = MAX_SIZE } = limits;
  if (xml.length > size) throw new BodyError('ERR_BODY_TOO_LARGE', `The XML is longer than the ${size} bytes allowed.`);
  const text = (typeof xml === 'string' ? xml : decode(xml)).replace(/\r\n?/g, '\n');
  if (NO_CHARACTER.test(text)) throw notXml('it holds a control character');

  const parser = sax().parser(true, OPTIONS);
  const opened: Element[] = [];
  let root: Element | undefined;
  parser.onerror = () => {
    throw notXml(`it is not well-formed at line ${parser.line + 1}, column ${parser.column}`);
  };
  parser.ondoctype = () => {
    throw notXml('it has a DTD, which is refused');
  };
  parser.onsgmldeclaration = parser.ondoctype;
  parser.onopentag = () => {
    if (opened.length === 0 && root) throw notXml('it has two outermost elements');
    if (opened.length === depth) throw new BodyError('ERR_BODY_TOO_LARGE', `The XML is deeper than ${depth} elements.`);
    const element: Element = { text: '', members: new Map() };
    root ??= element;
    opened.push(element);
  };
  parser.ontext = parser.oncdata = (part: string) => {
    const element = opened.at(-1);
    if (element) element.text += part;
  };
  parser.onclosetag = (name: string) => {
    const element = opened.pop();
    const parent = opened.at(-1);
    if (!element || !parent) return;
    const values = parent.members.get(name) ?? [];
    values.push(readElement(element));
    parent.members.set(name, values);
  };
  try {
    parser.write(text).close();
  } catch (error) {
    // An attribute named `hasOwnProperty` breaks the parser itself.
    throw error instanceof BodyError ? error : notXml('the parser cannot take it');
  }
  if (!root) throw notXml('it is empty');
  if (root.members.size === 0 && root.text.trim() !== '') throw notXml('its outermost element holds text alone');
  return readMembers(root);
}

function readElement(element: Element): unknown {
  if (element.members.size === 0) return element.text;
  const list = element.members.get(ITEM);
  return list && element.members.size === 1 ? list : readMembers(element);
}

function readMembers({ members, text }: Element): Record<string, unknown> {
  if (members.size > 0 && text.trim() !== '') throw notXml('it has text beside elements');
  const object: Record<string, unknown> = Object.create(null);
  for (const [name, values] of members) object[name] = values.length === 1 ? values[0] : values;
  return object;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw notXml('it is no UTF-8');
  }
}

/** Says where, and never what: the text may be secret. */
function notXml(reason: string): BodyError {
  return new BodyError('ERR_BODY_NOT_XML', `The body is no XML that can be read: ${reason}.`);
}

/** The parser, loaded when XML is first read: most users never do. */
function sax(): typeof import('sax') {
  return require('sax') as typeof import('sax');
}

import { BodyError, InvalidArgumentError } from '../errors';
import { fieldText, notXmlText } from './fields';
import { isXmlName, isXmlText, notXml, readXml, type XmlElement } from './xml-reader';

/** Bounds of what {@link toObject} reads. */
export interface XmlLimits {
  /** Elements that stand within one another, the outermost counted; 32 by default. */
  depth?: number;
  /** Bytes of bytes, UTF-16 code units of text; 1 MiB by default. */
  size?: number;
  /**
   * Pieces of markup, 10,000 by default: elements, attributes, comments, CDATA sections and processing instructions; ten
   * references (`&amp;`) count as one. What v2 sends has some hundred.
   */
  markup?: number;
}

const MAX_DEPTH = 32;
const MAX_SIZE = 1024 * 1024;
const MAX_MARKUP = 10_000;

/** The element that a member of a list becomes, as wechatpay-php has it. */
const ITEM = 'item';

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
  if (!isXmlName(root)) throw new InvalidArgumentError(`"${root}" is not a valid XML element name.`);
  return writeElement(root, data, '', 1);
}

/** @param path names the value in an error: `a.b[0]` */
function writeElement(name: string, value: unknown, path: string, depth: number): string {
  if (!isComposed(value)) return `<${name}>${writeText(path, fieldText(path, value))}</${name}>`;
  if (depth > MAX_DEPTH) {
    throw new InvalidArgumentError(
      `The field "${path}" is nested deeper than ${MAX_DEPTH} levels, or contains a circular reference.`,
    );
  }
  const members = Array.isArray(value)
    ? value.map((member, index) => writeElement(ITEM, member, `${path}[${index}]`, depth + 1))
    : Object.entries(value)
        .filter(([, member]) => member !== undefined)
        .map(([key, member]) =>
          writeElement(isXmlName(key) ? key : ITEM, member, path === '' ? key : `${path}.${key}`, depth + 1),
        );
  return members.length === 0 ? `<${name}/>` : `<${name}>${members.join('')}</${name}>`;
}

/** Text as character data. A carriage return goes as a reference: a parser would read it as a line feed. */
function writeText(path: string, text: string): string {
  if (!isXmlText(text)) throw notXmlText(path);
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
  const { depth = MAX_DEPTH, size = MAX_SIZE, markup = MAX_MARKUP } = limits;
  if (xml.length > size) throw new BodyError('ERR_BODY_TOO_LARGE', `The XML is longer than the ${size} bytes allowed.`);
  const root = readXml(typeof xml === 'string' ? xml : decode(xml), { depth, markup });
  if (root.members.size === 0 && root.text.trim() !== '') throw notXml('the root element contains only text');
  return readMembers(root);
}

function readElement(element: XmlElement): unknown {
  if (element.members.size === 0) return element.text;
  const list = element.members.get(ITEM);
  return list && element.members.size === 1 ? list.map(readElement) : readMembers(element);
}

function readMembers({ members, text }: XmlElement): Record<string, unknown> {
  if (members.size > 0 && text.trim() !== '') throw notXml('it has text mixed with elements');
  const object: Record<string, unknown> = Object.create(null);
  for (const [name, elements] of members) {
    const values = elements.map(readElement);
    object[name] = values.length === 1 ? values[0] : values;
  }
  return object;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw notXml('it is not valid UTF-8');
  }
}

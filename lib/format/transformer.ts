import { BodyError, InvalidArgumentError } from '../errors';
import { fieldText, notXmlText } from './fields';
import { isXmlName, isXmlText, notXml, readXml, type XmlElement } from './xml-reader';

/** Limits for {@link toObject}. */
export interface XmlLimits {
  /** Levels of nested elements, including the root; 32 by default. */
  depth?: number;
  /** Size: of bytes in bytes, of a string in UTF-16 code units; 1 MiB by default. */
  size?: number;
  /**
   * Pieces of markup, 10,000 by default: elements, attributes, comments, CDATA sections and processing instructions; ten
   * references (`&amp;`) count as one. Messages of v2 have a few hundred.
   */
  markup?: number;
}

const MAX_DEPTH = 32;
const MAX_SIZE = 1024 * 1024;
const MAX_MARKUP = 10_000;

/** The element for a member of a list, as in wechatpay-php. */
const ITEM = 'item';

/**
 * Writes fields as v2 XML: text that contains `<`, `>`, `&` or `"` becomes CDATA, empty and null fields become empty
 * elements, undefined fields are omitted, and members of a list become `<item>`s.
 *
 * A name that is not a valid element name becomes `item` too, as in wechatpay-php; v2 has no such field.
 * @param data the fields; numbers, bigints and `true` (as `1`) are written as v2 signs them
 * @param root name of the root element
 * @throws {@link InvalidArgumentError} that names a field whose value cannot be written, or not in XML
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

/** Escapes text. A carriage return becomes a reference, because a parser would read it as a line feed. */
function writeText(path: string, text: string): string {
  if (!isXmlText(text)) throw notXmlText(path);
  if (!/[<>&"]/.test(text)) return text.replaceAll('\r', '&#13;');
  const content = text.replaceAll(']]>', ']]]]><![CDATA[>').replaceAll('\r', ']]>&#13;<![CDATA[');
  return `<![CDATA[${content}]]>`;
}

/** Whether a value is an array or a plain object, of any realm. */
function isComposed(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Parses v2 XML into the members of its root element.
 *
 * An element with text becomes a string, including white space, or `''` if it is empty. An element with elements becomes
 * an object without a prototype. An element that contains only `<item>`s becomes an array, and so do sibling elements
 * with the same name. Attributes, comments and processing instructions are ignored.
 *
 * Only the five predefined entities of XML and character references are expanded.
 * @param xml a string, or UTF-8 bytes
 * @throws {@link BodyError} `ERR_BODY_NOT_XML` if it is not well-formed, has a DTD, or mixes text with elements;
 * `ERR_BODY_TOO_LARGE` if it exceeds the limits
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

import { isXmlText } from '../../format/xml-reader';

/** Members that WeChat Pay writes as integers, which need no CDATA: amounts and counts. */
const INTEGER = /^(\w+_)?(fee|count)(_\d+)*$/;

/**
 * Writes fields as WeChat Pay does: texts as CDATA, the empty ones too, amounts and counts bare.
 * @param root name of the outermost element
 * @throws TypeError that names the field whose text XML cannot carry
 */
export function writeXml(fields: Readonly<Record<string, string>>, root = 'xml'): string {
  const elements = Object.entries(fields).map(([name, text]) => `<${name}>${written(name, text)}</${name}>`);
  return `<${root}>${elements.join('')}</${root}>`;
}

function written(name: string, text: string): string {
  if (INTEGER.test(name) && /^\d+$/.test(text)) return text;
  if (!isXmlText(text)) throw new TypeError(`the field "${name}" has a character that XML cannot carry`);
  // A carriage return goes as a reference: a parser would read it as a line feed.
  const content = text.replaceAll(']]>', ']]]]><![CDATA[>').replaceAll('\r', ']]>&#13;<![CDATA[');
  return `<![CDATA[${content}]]>`;
}

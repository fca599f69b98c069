import fc from 'fast-check';
import { startsXml } from '../../lib/format/xml-reader';

const told = (text: string, encoding: BufferEncoding = 'utf8') => startsXml(Buffer.from(text, encoding));

const XML = [
  '<xml>',
  '<xml/>',
  '<xml a="b">',
  '\ufeff<xml>',
  ' \r\n\t<xml>',
  '<?xml version="1.0" encoding="UTF-8"?><xml>',
  '\ufeff\n<?xml version="1.0"?>\n<!-- a > b --><?style x?>\n<xml\n>',
];
const FILES = [
  '交易时间,金额',
  '\ufeff交易时间,金额',
  '`2026',
  '<xmlish>',
  '<XML>',
  '<html>',
  '<!DOCTYPE html>',
  '\ufeff\ufeff<xml>',
  '？<xml>',
  'xml',
  '{"a":"<xml>"}',
];

test.each(XML)('%j is XML, and no beginning of it is a file', (text) => {
  expect(told(text)).toBe(true);
  const bytes = Buffer.from(text);
  const root = bytes.indexOf('<xml>') < 0 ? bytes.lastIndexOf('<xml') : bytes.indexOf('<xml>');
  for (let end = 0; end <= root + 4; end++) expect([end, startsXml(bytes.subarray(0, end))]).toEqual([end, undefined]);
});

test.each(FILES)('%j is a file, and no beginning of it is XML', (text) => {
  expect(told(text)).toBe(false);
  const bytes = Buffer.from(text);
  for (let end = 0; end < bytes.length; end++) expect(startsXml(bytes.subarray(0, end))).not.toBe(true);
});

test('gzip is a file by its first byte', () => {
  expect(told('\x1f', 'latin1')).toBe(false);
});

const PIECES = [
  '\xef',
  '\xbb',
  '\xbf',
  '\xef\xbb\xbf',
  ' ',
  '\n',
  '<',
  '<?',
  '?>',
  '<!--',
  '-',
  '->',
  '<xml',
  '<xm',
  'l',
];

test('what has been told stays, whatever follows', () => {
  const bytes = fc.array(fc.constantFrom(...PIECES, '>', '/', 'a', '!', '\0'), { maxLength: 12 });
  fc.assert(
    fc.property(bytes, fc.nat(30), (pieces, cut) => {
      const whole = Buffer.from(pieces.join(''), 'latin1');
      const early = startsXml(whole.subarray(0, cut));
      if (early !== undefined) expect(startsXml(whole)).toBe(early);
    }),
    { numRuns: 5000 },
  );
});

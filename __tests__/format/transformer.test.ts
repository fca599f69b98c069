import { BodyError, InvalidArgumentError } from '../../lib/errors';
import { toObject, toXml } from '../../lib/format/transformer';

/** An object without a prototype, as `toObject` gives it. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('toXml', () => {
  // What wechatpay-php 1.4.12 sends, but for the `sign`.
  test.each<[string, Record<string, unknown>, string]>([
    ['plain', { a: 'b', B: 'c', _: 'd' }, '<a>b</a><B>c</B><_>d</_>'],
    [
      'special characters',
      { a: `<b>&"c"'d'`, amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" },
      `<a><![CDATA[<b>&"c"'d']]></a><amp><![CDATA[&]]></amp><lt><![CDATA[<]]></lt><gt><![CDATA[>]]></gt>` +
        `<quot><![CDATA["]]></quot><apos>'</apos>`,
    ],
    ['white space', { a: ' x ', b: '\t\r\n', c: 'l1\nl2' }, '<a> x </a><b>\t&#13;\n</b><c>l1\nl2</c>'],
    ['unicode', { a: '中😀é', b: '\u00a0' }, '<a>中😀é</a><b>\u00a0</b>'],
    ['empty values', { a: '', b: null, c: '0', d: 0 }, '<a></a><b></b><c>0</c><d>0</d>'],
    ['true', { t: true }, '<t>1</t>'],
    ['integers', { a: 1, b: -1, c: 9007199254740993n }, '<a>1</a><b>-1</b><c>9007199254740993</c>'],
    ['a list', { a: ['x', 'y'] }, '<a><item>x</item><item>y</item></a>'],
    ['a map', { a: { k: 'v', l: { m: '<n>' } } }, '<a><k>v</k><l><m><![CDATA[<n>]]></m></l></a>'],
    ['an empty list', { a: [] }, '<a/>'],
    ['a list of maps', { a: [{ k: 1 }, { k: 2 }] }, '<a><item><k>1</k></item><item><k>2</k></item></a>'],
    ['a URL', { a: new URL('https://x/?a=1&b=2') }, '<a><![CDATA[https://x/?a=1&b=2]]></a>'],
    [
      'JSON',
      { scene_info: '{"h5_info":{"type":"Wap"}}', detail: '["\\u4e2d\\/"]' },
      '<scene_info><![CDATA[{"h5_info":{"type":"Wap"}}]]></scene_info><detail><![CDATA[["\\u4e2d\\/"]]]></detail>',
    ],
    [
      'odd names',
      { 'a b': '1', '1a': '2', 中: '3', 'a-b': '4', 'a.b': '5', 'a:b': '6', '': '8', '-': '9', xml: '10' },
      '<item>1</item><item>2</item><中>3</中><a-b>4</a-b><a.b>5</a.b><a:b>6</a:b><item>8</item><item>9</item><xml>10</xml>',
    ],
    ['order', { b: 1, A: 2, a: 3, a10: 4, a2: 5 }, '<b>1</b><A>2</A><a>3</a><a10>4</a10><a2>5</a2>'],
    // Where this parts from wechatpay-php, or JavaScript from PHP.
    ['the end of CDATA', { a: 'x]]>y]]>' }, '<a><![CDATA[x]]]]><![CDATA[>y]]]]><![CDATA[>]]></a>'],
    ['a carriage return in CDATA', { a: '<\r\n' }, '<a><![CDATA[<]]>&#13;<![CDATA[\n]]></a>'],
    ['undefined', { a: undefined, b: [undefined, 'x'] }, '<b><item></item><item>x</item></b>'],
    ['fractions', { a: 0.1, b: 1e25 }, '<a>0.1</a><b>1e+25</b>'],
  ])('%s', (_, data, expected) => {
    expect(toXml(data)).toBe(`<xml>${expected}</xml>`);
  });

  test('the outermost element', () => {
    expect(toXml({}, 'root')).toBe('<root/>');
    expect(() => toXml({ a: '1' }, 'a b')).toThrow('"a b" is not a valid XML element name');
  });

  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;

  test.each<[string, unknown, string]>([
    ['no object', 'text', 'must be an object'],
    ['false', { a: false }, 'The field "a" is false'],
    ['not a number', { a: { b: [0, Number.NaN] } }, 'The field "a.b[1]" is NaN'],
    ['a control character', { a: 'x\u0001y' }, 'The field "a" contains a control character'],
    ['NUL', { a: { b: '\0' } }, 'The field "a.b" contains a control character'],
    ['a non-character', { a: '\uffff' }, 'The field "a" contains a control character'],
    ['half a surrogate pair', { a: ['\ud83d'] }, 'The field "a[0]" contains a control character or lone surrogate'],
    ['bytes', { a: Buffer.from('x') }, 'The field "a" is of type object'],
    ['a date', { a: new Date(0) }, 'The field "a" is of type object'],
    ['a symbol', { a: Symbol('s') }, 'The field "a" is of type symbol'],
    ['a cycle', cycle, 'contains a circular reference'],
  ])('%s is refused', (_, data, message) => {
    const write = () => toXml(data as Record<string, unknown>);
    expect(write).toThrow(InvalidArgumentError);
    expect(write).toThrow(message);
  });
});

describe('toObject', () => {
  test.each<[string, string, unknown]>([
    ['values stay strings', '<xml><a>1</a><b>true</b><c></c><d/></xml>', { a: '1', b: 'true', c: '', d: '' }],
    ['CDATA', '<xml><a><![CDATA[<b>&"]]></a><b>x<![CDATA[y]]>z</b></xml>', { a: '<b>&"', b: 'xyz' }],
    ['CDATA, split', '<xml><a><![CDATA[x]]]]><![CDATA[>y]]></a></xml>', { a: 'x]]>y' }],
    ['white space of a value', '<xml>\n <a> x\n</a>\n</xml>\n', { a: ' x\n' }],
    ['line ends', '<xml><a>1\r\n2\r3&#13;</a></xml>', { a: '1\n2\n3\r' }],
    ['entities', '<xml><a>&lt;&gt;&amp;&quot;&apos;&#20013;&#x1F600;&amp;lt;</a></xml>', { a: `<>&"'中😀&lt;` }],
    ['elements of one name', '<xml><a>1</a><b>2</b><a>3</a></xml>', { a: ['1', '3'], b: '2' }],
    ['a list', '<xml><a><item>x</item><item>y</item></a></xml>', { a: ['x', 'y'] }],
    ['a list of one', '<xml><a><item>x</item></a></xml>', { a: ['x'] }],
    ['lists side by side', '<xml><a><item>x</item></a><a><item>y</item></a></xml>', { a: [['x'], ['y']] }],
    ['items outermost', '<xml><item>x</item></xml>', { item: 'x' }],
    ['items among others', '<xml><a><item>x</item><b>y</b></a></xml>', { a: { item: 'x', b: 'y' } }],
    [
      'nested',
      '<xml><hblist><hbinfo><openid>o</openid></hbinfo></hblist></xml>',
      { hblist: { hbinfo: { openid: 'o' } } },
    ],
    ['what is left out', '<?xml version="1.0"?><!-- c --><xml x="1"><?p i?><a b="2">1</a></xml>', { a: '1' }],
    ['another outermost element', '<root><a>1</a></root>', { a: '1' }],
    ['nothing', '<xml> </xml>', {}],
  ])('%s', (_, xml, expected) => {
    expect(plain(toObject(xml))).toEqual(expected);
    expect(plain(toObject(Buffer.from(`\ufeff${xml}`)))).toEqual(expected);
  });

  test.each<[string, Record<string, unknown>]>([
    ['text', { a: `<b>&"c"'d'`, b: 'x]]>y', c: '\t\r\n\r', d: '<\r\n>\r', e: ' 中😀 ', f: '' }],
    ['lists', { a: ['x', ['y', '<z>'], { k: 'v' }], b: { c: ['one'] } }],
  ])('%s comes back from toXml', (_, data) => {
    expect(plain(toObject(toXml(data)))).toEqual(data);
  });

  test('names of JavaScript are plain members', () => {
    const xml =
      '<xml><__proto__><polluted>1</polluted></__proto__><constructor>c</constructor><toString>t</toString></xml>';
    const object = toObject(xml);
    expect(Object.keys(object)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(Object.getPrototypeOf(object)).toBeNull();
    expect(plain(Object.entries(object)[0]?.[1])).toEqual({ polluted: '1' });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(toObject('<xml><a>1</a></xml>').constructor).toBeUndefined();
  });

  test.each<[string, string | Uint8Array, string]>([
    ['empty text', '', 'it is empty'],
    ['blanks', ' \n', 'it is empty'],
    ['no XML', 'data', 'not well-formed at line 1'],
    ['JSON', '{"code":"SYSTEM_ERROR"}', 'not well-formed'],
    ['an element left open', '<xml>\n<a>1</a>', 'not well-formed at line 2'],
    ['a tag cut off', '<xml><a', 'not well-formed'],
    ['CDATA cut off', '<xml><a><![CDATA[x</a></xml>', 'not well-formed'],
    ['crossed elements', '<xml><a><b></a></b></xml>', 'not well-formed'],
    ['more than one root element', '<xml/><xml/>', 'more than one root element'],
    ['text behind', '<xml/>x', 'not well-formed'],
    ['contains only text', '<xml>secret</xml>', 'contains only text'],
    ['text mixed with elements', '<xml><a>secret<b/></a></xml>', 'text mixed with elements'],
    ['a bare ampersand', '<xml><a>x & y</a></xml>', 'not well-formed'],
    ['an entity of HTML', '<xml><a>&nbsp;</a></xml>', 'not well-formed'],
    ['a reference to no character', '<xml><a>&#0;</a></xml>', 'not well-formed'],
    ['a reference beyond Unicode', '<xml><a>&#x110000;</a></xml>', 'not well-formed'],
    ['a control character', '<xml><a>\u0001</a></xml>', 'a control character'],
    ['bytes that are no UTF-8', Buffer.from('3c613eff3c2f613e', 'hex'), 'not valid UTF-8'],
    ['a DTD', '<!DOCTYPE xml><xml><a>1</a></xml>', 'it has a DTD'],
    ['a DTD in small letters', '<!doctype xml><xml><a>1</a></xml>', 'it has a DTD'],
    [
      'an external entity',
      '<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]><xml><a>&x;</a></xml>',
      'it has a DTD',
    ],
    [
      'entities that multiply',
      `<!DOCTYPE xml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><xml><a>&b;</a></xml>`,
      'it has a DTD',
    ],
    ['a declaration within', '<xml><!ELEMENT x><a>1</a></xml>', 'it has a DTD'],
  ])('%s is refused', (_, xml, message) => {
    const read = () => toObject(xml);
    expect(read).toThrow(BodyError);
    expect(read).toThrow(
      expect.objectContaining({ code: 'ERR_BODY_NOT_XML', message: expect.stringContaining(message) }),
    );
    expect(read).not.toThrow('secret');
  });

  test.each<[string, number, boolean]>([
    ['as deep as allowed', 32, true],
    ['deeper', 33, false],
    ['far deeper', 100_000, false],
  ])('%s', (_, depth, allowed) => {
    const read = () => toObject(`<xml>${'<a>'.repeat(depth - 1)}${'</a>'.repeat(depth - 1)}</xml>`);
    if (allowed) expect(read()).toHaveProperty('a');
    else expect(read).toThrow(expect.objectContaining({ code: 'ERR_BODY_TOO_LARGE' }));
  });

  test('size', () => {
    const xml = `<xml><a>${'x'.repeat(2 ** 20 - 18)}</a></xml>`;
    expect(String(toObject(xml).a)).toHaveLength(2 ** 20 - 18);
    expect(() => toObject(`${xml} `)).toThrow(expect.objectContaining({ code: 'ERR_BODY_TOO_LARGE' }));
    expect(() => toObject(Buffer.alloc(11), { size: 10 })).toThrow('longer than the 10 bytes');
    expect(() => toObject('<a><b/></a>', { depth: 1 })).toThrow('nested deeper than 1 levels');
  });
});

test.each<[string, string]>([
  ['elements', '<a/>'.repeat(9_999)],
  ['attributes', `<a${' b=""'.repeat(9_998)}/>`],
  ['comments', '<!---->'.repeat(9_999)],
  ['CDATA sections', `<a>${'<![CDATA[]]>'.repeat(9_997)}</a>`],
  ['instructions', '<?a?>'.repeat(9_999)],
  ['references', `<a>${'&#65;'.repeat(49_980)}${'&lt;'.repeat(49_989)}</a>`],
])('10,000 pieces of markup are read, and no more: %s', (_, markup) => {
  const read = (more: string) => () => toObject(`<xml>${markup}${more}`);
  // The end of the outermost element would be one too many: that alone tells.
  expect(read('')).toThrow('not well-formed');
  expect(read('<')).toThrow(expect.objectContaining({ code: 'ERR_BODY_TOO_LARGE' }));
  expect(() => toObject(`<xml>${markup}</xml>`, { markup: 20_000 })).not.toThrow();
});

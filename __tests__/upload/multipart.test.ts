import { InvalidArgumentError } from '../../lib/errors';
import { contentTypeOf, type Multipart, multipart, type Part } from '../../lib/upload/multipart';

const read = async (form: Multipart): Promise<Buffer> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of form.stream()) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const pieces = {
  size: 4,
  async *open() {
    yield Buffer.from('\0\r');
    yield Buffer.from('\n\xff', 'latin1');
  },
};

test('the bytes of a form', async () => {
  const form = multipart(
    [
      { name: 'meta', content: '{"filename":"中文.png"}', contentType: 'application/json' },
      { name: 'file', content: pieces, filename: '中文.png', contentType: 'image/png' },
    ],
    'boundary',
  );
  const expected = Buffer.concat([
    Buffer.from(
      '--boundary\r\nContent-Disposition: form-data; name="meta"\r\nContent-Type: application/json\r\n\r\n' +
        '{"filename":"中文.png"}\r\n' +
        '--boundary\r\nContent-Disposition: form-data; name="file"; filename="中文.png"\r\nContent-Type: image/png\r\n\r\n',
    ),
    Buffer.from('\0\r\n\xff', 'latin1'),
    Buffer.from('\r\n--boundary--\r\n'),
  ]);
  expect(await read(form)).toEqual(expected);
  expect(await read(form)).toEqual(expected);
  expect(form).toMatchObject({
    contentType: 'multipart/form-data; boundary=boundary',
    contentLength: expected.length,
  });
});

test('the platform reads the form', async () => {
  const form = multipart([
    { name: 'mch_id', content: '1900000109' },
    { name: 'empty', content: '' },
    { name: 'media', content: pieces, filename: '图 片.png', contentType: 'image/png' },
  ]);
  const bytes = await read(form);
  expect(bytes).toHaveLength(form.contentLength);
  const received = await new Response(bytes, { headers: { 'content-type': form.contentType } }).formData();
  expect(received.get('mch_id')).toBe('1900000109');
  expect(received.get('empty')).toBe('');
  const file = received.get('media') as File;
  expect(file).toMatchObject({ name: '图 片.png', type: 'image/png', size: 4 });
  expect(Buffer.from(await file.arrayBuffer()).toString('latin1')).toBe('\0\r\n\xff');
});

test('each form has a boundary of its own', () => {
  const boundaries = new Set(Array.from({ length: 100 }, () => multipart([]).contentType));
  expect(boundaries.size).toBe(100);
});

test.each<[string, Part]>([
  ['a quote in a file name', { name: 'file', content: '', filename: 'a".png' }],
  ['a backslash in a file name', { name: 'file', content: '', filename: 'a\\.png' }],
  ['a line break in a file name', { name: 'file', content: '', filename: 'a\r\nX: y.png' }],
  ['a NUL in a file name', { name: 'file', content: '', filename: 'a\0.png' }],
  ['half a surrogate pair', { name: 'file', content: '', filename: '\ud83d.png' }],
  ['an empty file name', { name: 'file', content: '', filename: '' }],
  ['a quote in a name', { name: 'a"; filename="x', content: '' }],
  ['an empty name', { name: '', content: '' }],
  ['a line break in a type', { name: 'a', content: '', contentType: 'image/png\r\nX: y' }],
  ['an empty type', { name: 'a', content: '', contentType: '' }],
])('%s is refused', (_, part) => {
  expect(() => multipart([part])).toThrow(InvalidArgumentError);
});

test.each<[string, string]>([
  ['shop.jpg', 'image/jpeg'],
  ['店.JPEG', 'image/jpeg'],
  ['a.b.png', 'image/png'],
  ['video.mp4', 'video/mp4'],
  ['video.rmvb', 'application/vnd.rn-realmedia-vbr'],
  ['invoice.pdf', 'application/pdf'],
  ['codes.csv', 'text/csv'],
  ['constructor', 'application/octet-stream'],
  ['no ending.', 'application/octet-stream'],
])('the type of %s is %s', (filename, expected) => {
  expect(contentTypeOf(filename)).toBe(expected);
});

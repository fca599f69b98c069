import { ApiError, InvalidArgumentError } from 'wechatpay-undici';
import { printable, printableLine, withoutText } from '../../lib/errors';

test.each<[string, string, string]>([
  ['plain text', 'a\tb\nc\r\nd 张三 😀', 'a\tb\nc\r\nd 张三 😀'],
  ['escape sequences', '\u001b]52;c;cm0=\u0007\u001b[2J', '\\u001b]52;c;cm0=\\u0007\\u001b[2J'],
  ['the escapes of Latin-1', '\u009b2J\u0085', '\\u009b2J\\u0085'],
  ['what goes back in a line', 'a\rb\b\u007f', 'a\\u000db\\u0008\\u007f'],
  ['what turns the direction', 'a\u202eb\u2066c', 'a\\u202eb\\u2066c'],
  ['separators of lines', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
])('%s', (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});

test('a line holds no other', () => {
  expect(printableLine('a\r\nb\nc\td')).toBe('a\\u000d\\u000ab\\u000ac\td');
});

test('errors show what a stranger has written into their text', () => {
  const body = '{"message":"\\u001b[2J"}';
  const init = { request: 'GET /', status: 403, code: 'NO_AUTH', message: '\u001b[2J', headers: new Headers(), body };
  const error = new ApiError(init);
  expect(error.message).toBe('\\u001b[2J');
  expect(error.stack).not.toContain('\u001b');
  expect(error.body).toBe(body);
  expect(new InvalidArgumentError('"\u001b" is no name').message).toBe('"\\u001b" is no name');
});

test('of what others throw class, code and place are kept', () => {
  const thrown = Object.assign(new TypeError('secret\n    at secret'), { code: 'ERR_X' });
  const cause = withoutText(thrown);
  expect(cause).toMatchObject({
    name: 'TypeError',
    code: 'ERR_X',
    message: expect.stringContaining('message omitted'),
  });
  expect(cause.stack).toContain('printable.test.ts');
  expect(cause.stack).not.toContain('secret');
  for (const other of [undefined, null, 'secret', { name: 'secret is long', code: 5 }, Symbol('secret')]) {
    expect(String(withoutText(other).stack)).not.toContain('secret');
  }
});

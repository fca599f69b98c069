import { Formatter } from 'wechatpay-undici';

// WeChat Pay's documentation spells the strings out; the rest of the tests sign and verify by these functions.
const BYTES = Buffer.from([0x00, 0xff, 0x0a, 0xc3]);

describe('Formatter', () => {
  test('has the names of wechatpay-php and no other', () => {
    expect(Object.keys(Formatter).sort()).toEqual([
      'authorization',
      'joinedByLineFeed',
      'ksort',
      'nonce',
      'queryStringLike',
      'request',
      'response',
      'timestamp',
    ]);
  });

  test.each([undefined, '', '{"amount":"一"}'])('request: five lines, each ended by a line feed; body %p', (body) => {
    const message = Formatter.request(
      'GET',
      '/v3/certificates?a=%20',
      1554208460,
      '593BEC0C930BF1AFEB40B4A08C8FB242',
      body,
    );
    expect(message).toBe(`GET\n/v3/certificates?a=%20\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n${body ?? ''}\n`);
  });

  test.each([undefined, '', '{"data":[]}'])('response: three lines, each ended by a line feed; body %p', (body) => {
    expect(Formatter.response('1554209980', 'c5ac7061fccab6bf', body)).toBe(
      `1554209980\nc5ac7061fccab6bf\n${body ?? ''}\n`,
    );
  });

  test('a body of bytes stays bytes, also where it is not UTF-8', () => {
    expect(Formatter.request('POST', '/v3/支付', 1, 'n', BYTES)).toEqual(
      Buffer.concat([Buffer.from('POST\n/v3/支付\n1\nn\n'), BYTES, Buffer.from('\n')]),
    );
    expect(Formatter.response(1, 'n', BYTES)).toEqual(Buffer.concat([Buffer.from('1\nn\n'), BYTES, Buffer.from('\n')]));
    expect(Formatter.response(1, 'n', new Uint8Array())).toEqual(Buffer.from('1\nn\n\n'));
  });

  test.each([1, 2, 31, 32, 33, 10_000])('nonce: %d hexadecimal digits', (size) => {
    expect(Formatter.nonce(size)).toMatch(new RegExp(`^[0-9a-f]{${size}}$`));
  });

  test('nonce: none comes twice', () => {
    const nonces = Array.from({ length: 5000 }, () => Formatter.nonce());
    expect(new Set(nonces).size).toBe(nonces.length);
  });
});

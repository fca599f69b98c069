import { type AddressInfo, createServer } from 'node:net';
import { ConfigurationError, InvalidArgumentError } from 'wechatpay-undici';
import { rejection } from '../support/rejection';
import { wechatPay } from '../support/wechatpay';

// A client that downloads certificates must ask for one before it can encrypt. What can be refused without it, is.

const { running, build } = wechatPay();
// As plain text, the path is typed loosely.
const BATCHES: string = 'v3/transfer/batches';
const CIPHERTEXT = `${'A'.repeat(342)}==`;
const batch = (...names: unknown[]) => ({ transfer_detail_list: names.map((user_name) => ({ user_name })) });

beforeEach(() => {
  running.respond = (response) => response.writeHead(500).end();
});

test.each<[string, string, Record<string, unknown>, string]>([
  [
    'a ciphertext after a plain text',
    BATCHES,
    { json: batch('张三', CIPHERTEXT) },
    '"json.transfer_detail_list[1].user_name" looks already encrypted',
  ],
  ['a ciphertext alone', BATCHES, { json: batch(CIPHERTEXT) }, 'looks already encrypted'],
  ['a field of another type', BATCHES, { json: batch('张三', { a: 1 }) }, 'must be a string or an integer'],
  ['a list that is none', BATCHES, { json: { transfer_detail_list: '张三' } }, 'must be a list'],
  ['another body', BATCHES, { body: '{"user_name":"张三"}' }, 'could contain unencrypted'],
  ['a header that cannot be', BATCHES, { json: batch('张三'), headers: { 'X-A': 'a\nb' } }, 'x-a'],
  ['an unknown option', BATCHES, { json: batch('张三'), jsno: {} }, 'jsno'],
  ['a foreign host', BATCHES, { json: batch('张三'), baseUrl: 'https://x.example/' }, 'is neither a WeChat Pay host'],
])('%s is refused before a download', async (_name, path, options, message) => {
  const error = await rejection(downloading().chain(path).post(options));
  expect(error).toBeInstanceOf(InvalidArgumentError);
  expect(error.message).toContain(message);
  expect(running.arrived).toBe(0);
});

test.each<[string, Record<string, unknown>]>([
  ['with fields to encrypt', { json: batch('张三') }],
  ['without any', { json: {} }],
])('security without a merchant certificate is refused before a download, %s', async (_name, options) => {
  let connections = 0;
  await using server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Without TLS there is no certificate to present.
  const baseUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const chain = downloading({ baseUrl }).chain(BATCHES);
  const error = await rejection(chain.post({ ...options, security: true }));
  expect(error).toBeInstanceOf(ConfigurationError);
  expect(error.message).toContain('configure it as "merchant"');
  expect(connections).toBe(0);
  await rejection(chain.post({ ...options, security: false }));
  expect(connections).toBeGreaterThan(0);
});

test('what is in order is not refused: the download is tried', async () => {
  await rejection(
    downloading()
      .chain(BATCHES)
      .post({ json: batch('张三') }),
  );
  expect(running.arrived).toBeGreaterThan(0);
});

function downloading(change: object = {}) {
  return build({ certs: undefined, apiv3Key: 'a'.repeat(32), ...change });
}

import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { frame, platform, signatureOf } from '../bounds/support';
import { rejection } from '../support/rejection';

type Header = readonly [name: string, value: string];

const STATEMENT = '交易时间,金额\r\n`2026-11-01,`100\r\n';
const FORGED = STATEMENT.replace('100', '999999');
const sha1Of = (text: string) => createHash('sha1').update(text).digest('hex');
const hash = (value = sha1Of(STATEMENT)): Header => ['wechatpay-statement-sha1', value];
/** As WeChat Pay signs it: over the hash, and nothing else. */
const signed = () => signatureOf(Buffer.from(`{"sha1":"${sha1Of(STATEMENT)}"}`));

let server: Awaited<ReturnType<typeof platform>>;
beforeAll(async () => {
  server = await platform();
});
afterAll(() => server.close());

const PATHS: [path: string, options: object][] = [
  ['v3/global/statements', {}],
  ['v3/global/statements?date=20261101', {}],
  ['v3/statements', {}],
  ['hk/v3/statements', { download: true }],
  ['V3/Global/Statements', { download: true }],
  ['proxy/v3/global/statements', { download: true }],
];

describe.each(PATHS)('%s', (path, options) => {
  const get = (headers: readonly Header[], body: string | Buffer = STATEMENT) => {
    server.state.answer = (socket) => socket.write(frame(200, headers, Buffer.from(body)));
    return server.instance.chain(path).get({ ...options });
  };

  test('what is signed comes through, zipped too', async () => {
    expect(await get([...signed(), hash()]).text()).toBe(STATEMENT);
    const zipped = [...signed(), hash(), ['content-encoding', 'gzip']] as const;
    expect(await get(zipped, gzipSync(STATEMENT)).text()).toBe(STATEMENT);
  });

  test('another body fails by its hash', async () => {
    expect(await rejection(get([...signed(), hash()], FORGED).text())).toMatchObject({ code: 'ERR_BODY_DIGEST' });
  });

  test('the hash of another body fails by its signature', async () => {
    const error = await rejection(get([...signed(), hash(sha1Of(FORGED))], FORGED));
    expect(error).toMatchObject({ name: 'SignatureError', code: 'ERR_SIGNATURE_WRONG' });
  });

  test.each<[string, () => readonly Header[]]>([
    ['without the hash', () => signed()],
    ['without any of the headers', () => []],
    ['with the hash alone', () => [hash(sha1Of(FORGED))]],
    ['with the hash twice', () => [...signed(), hash(), hash()]],
    ['with two hashes', () => [...signed(), hash(), hash(sha1Of(FORGED))]],
    ['with two hashes in one header', () => [...signed(), hash(`${sha1Of(STATEMENT)}, ${sha1Of(FORGED)}`)]],
    ['with an empty hash', () => [...signed(), hash('')]],
    ['with a hash that is none', () => [...signed(), hash('x'.repeat(40))]],
    ['with the signature twice', () => [...signed(), ...signed(), hash()]],
  ])('%s it is not signed: no byte is handed on', async (_, headers) => {
    const error = await rejection(get(headers(), FORGED));
    expect(error).toMatchObject({ name: 'SignatureError', code: 'ERR_SIGNATURE_MISSING' });
  });

  test('a compression that cannot be undone is an error of the body, which has been sent', async () => {
    const error = await rejection(get([...signed(), hash(), ['content-encoding', 'br']]));
    expect(error).toMatchObject({ name: 'BodyError', code: 'ERR_BODY_DIGEST' });
  });

  test('a refusal is one, signed or not', async () => {
    const body = Buffer.from('{"code":"NO_STATEMENT_EXIST","message":"请求的账单文件不存在"}');
    server.state.answer = (socket) => socket.write(frame(400, [], body));
    const error = await rejection(server.instance.chain(path).get({ ...options }));
    expect(error).toMatchObject({ name: 'ApiError', code: 'NO_STATEMENT_EXIST' });
  });
});

test('other files need no hash', async () => {
  server.state.answer = (socket) => socket.write(frame(200, [], Buffer.from('a')));
  expect(await server.instance.chain('v3/billdownload/file').get().text()).toBe('a');
});

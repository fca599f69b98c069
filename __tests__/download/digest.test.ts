import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { checkDigest, type FileDigest } from '../../lib/download/digest';
import { BodyError, InvalidArgumentError } from '../../lib/errors';

const PLAIN = Buffer.concat([Buffer.from('\ufeff交易时间,公众账号ID\r\n'), randomBytes(300_000)]);
const ZIPPED = gzipSync(PLAIN);
const hashOf = (algorithm: string, bytes: Uint8Array = PLAIN) => createHash(algorithm).update(bytes).digest('hex');
const SHA1: FileDigest = { hash_type: 'SHA1', hash_value: hashOf('sha1') };
const GZIP = { tar_type: 'GZIP' };

/** A stream that counts how often it was pulled, and notes why it was cancelled. */
function source(bytes: Uint8Array, { size = 10_000, fails = false, stalls = false } = {}) {
  const seen: { pulls: number; cancelled?: unknown } = { pulls: 0 };
  let at = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        seen.pulls++;
        const chunk = bytes.subarray(at, at + size);
        at += size;
        if (chunk.length > 0) controller.enqueue(chunk);
        else if (stalls) return new Promise(() => {});
        else if (fails) controller.error(new Error('reset'));
        else controller.close();
        return undefined;
      },
      cancel(reason) {
        seen.cancelled = reason ?? 'cancelled';
      },
    },
    { highWaterMark: 0 },
  );
  return { body, seen };
}

async function read(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test.each<[string, Uint8Array, FileDigest]>([
  ['SHA1', PLAIN, SHA1],
  ['SHA1 in capitals', PLAIN, { ...SHA1, hash_value: SHA1.hash_value.toUpperCase() }],
  ['SHA256', PLAIN, { hash_type: 'SHA256', hash_value: hashOf('sha256') }],
  ['SM3', PLAIN, { hash_type: 'SM3', hash_value: hashOf('sm3') }],
  ['gzip', ZIPPED, { ...SHA1, ...GZIP }],
  ['gzip in small letters', ZIPPED, { ...SHA1, tar_type: 'gzip' }],
  [
    'gzip in two members',
    Buffer.concat([gzipSync(PLAIN.subarray(0, 99)), gzipSync(PLAIN.subarray(99))]),
    { ...SHA1, ...GZIP },
  ],
  ['no gzip', PLAIN, { ...SHA1, tar_type: '' }],
])('%s passes', async (_, bytes, expected) => {
  const plain = await read(checkDigest(source(bytes).body, expected));
  expect(plain.equals(PLAIN)).toBe(true);
});

test('an empty body', async () => {
  const empty = { hash_type: 'SHA1', hash_value: hashOf('sha1', Buffer.alloc(0)) };
  expect(await read(checkDigest(null, empty))).toHaveLength(0);
  await expect(read(checkDigest(null, SHA1))).rejects.toThrow('The SHA1 of the file');
});

const changed = Buffer.from(PLAIN);
changed[100_000] = (changed[100_000] as number) ^ 1;

test.each<[string, Uint8Array, FileDigest]>([
  ['another byte', changed, SHA1],
  ['another byte, zipped', gzipSync(changed), { ...SHA1, ...GZIP }],
  ['a byte less', PLAIN.subarray(0, -1), SHA1],
  ['the hash of the gzip', ZIPPED, { hash_type: 'SHA1', hash_value: hashOf('sha1', ZIPPED), ...GZIP }],
  ['gzip that is not unzipped', ZIPPED, SHA1],
  ['gzip cut off', ZIPPED.subarray(0, -1000), { ...SHA1, ...GZIP }],
  ['gzip without its trailer', ZIPPED.subarray(0, -4), { ...SHA1, ...GZIP }],
  ['gzip with a changed byte', Buffer.concat([ZIPPED.subarray(0, -8), Buffer.alloc(8)]), { ...SHA1, ...GZIP }],
  ['plain text for gzip', PLAIN, { ...SHA1, ...GZIP }],
  ['nothing for gzip', Buffer.alloc(0), { ...SHA1, ...GZIP }],
])('%s fails at the end of the stream', async (_, bytes, expected) => {
  const result = read(checkDigest(source(bytes).body, expected));
  await expect(result).rejects.toThrow(BodyError);
  await expect(result).rejects.toMatchObject({ code: 'ERR_BODY_DIGEST' });
});

test('what does not match is passed on before the failure', async () => {
  const reader = checkDigest(source(changed).body, SHA1).getReader();
  let size = 0;
  const drain = async () => {
    for (let result = await reader.read(); !result.done; result = await reader.read()) size += result.value.length;
  };
  await expect(drain()).rejects.toThrow(BodyError);
  expect(size).toBe(PLAIN.length);
});

test.each([
  ['plain', PLAIN, SHA1],
  ['zipped', ZIPPED, { ...SHA1, ...GZIP }],
] as const)('%s: an error of the source comes through as it is', async (_, bytes, expected) => {
  const { body } = source(bytes.subarray(0, 50_000), { fails: true });
  await expect(read(checkDigest(body, expected))).rejects.toThrow(new Error('reset'));
});

test.each([
  ['plain', PLAIN, SHA1],
  ['zipped', ZIPPED, { ...SHA1, ...GZIP }],
] as const)('%s: no more is read than the caller asks for', async (_, bytes, expected) => {
  const { body, seen } = source(bytes, { size: 1000 });
  const stream = checkDigest(body, expected);
  await delay(20);
  expect(seen.pulls).toBeLessThan(200);
  const reader = stream.getReader();
  await reader.read();
  await delay(20);
  expect(seen.pulls).toBeLessThan(280);
  expect(seen.pulls).toBeGreaterThan(0);
  await reader.cancel();
  expect(seen.cancelled).toBeDefined();
});

test.each([
  ['plain', PLAIN, SHA1],
  ['zipped', ZIPPED, { ...SHA1, ...GZIP }],
] as const)('%s: a cancel reaches a source that has stalled', async (_, bytes, expected) => {
  const { body, seen } = source(bytes.subarray(0, 10_000), { stalls: true });
  const reader = checkDigest(body, expected).getReader();
  const drained = (async () => {
    for (let result = await reader.read(); !result.done; ) result = await reader.read();
  })();
  await delay(20);
  await reader.cancel();
  await drained;
  await delay(5);
  expect(seen.cancelled).toBeDefined();
});

test('a source that fails without a reason', async () => {
  const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.error() });
  await expect(read(checkDigest(body, { ...SHA1, ...GZIP }))).rejects.toBeDefined();
});

test.each<[string, FileDigest, string]>([
  ['an unknown hash', { ...SHA1, hash_type: 'MD5' }, '"hash_type" must be one of SHA1, SHA256, SM3, not MD5'],
  ['a name of JavaScript', { ...SHA1, hash_type: 'constructor' }, '"hash_type" must be one of'],
  ['a hash of another length', { ...SHA1, hash_type: 'SHA256' }, '"hash_value" is not a hexadecimal SHA256'],
  ['no hexadecimal', { ...SHA1, hash_value: 'g'.repeat(40) }, '"hash_value" is not a hexadecimal SHA1'],
  ['no hash at all', { hash_type: 'SHA1' } as FileDigest, '"hash_value" is not a hexadecimal SHA1'],
  ['another compression', { ...SHA1, tar_type: 'ZIP' }, '"tar_type" must be GZIP or omitted, not ZIP'],
])('%s is refused', (_, expected, message) => {
  const { body } = source(PLAIN);
  expect(() => checkDigest(body, expected)).toThrow(InvalidArgumentError);
  expect(() => checkDigest(body, expected)).toThrow(message);
  expect(body.locked).toBe(false);
});

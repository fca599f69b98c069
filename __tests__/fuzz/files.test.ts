import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { checkDigest, Media, parseBill } from 'wechatpay-undici';
import {
  anyBytes,
  anyName,
  anyText,
  anyValue,
  check,
  expectOurs,
  LONG,
  outcomeOf,
  printed,
  wholeText,
} from './support';

/** A stream of the bytes, cut at the places given. */
function streamed(bytes: Uint8Array, cuts: readonly number[] = []): ReadableStream<Uint8Array> {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort(
    (one, other) => one - other,
  );
  return ReadableStream.from(places.slice(1).map((end, index) => bytes.subarray(places[index], end)));
}
const read = async (stream: AsyncIterable<Uint8Array>) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
};
const sha1 = (bytes: Uint8Array) => createHash('sha1').update(bytes).digest('hex');
const cuts = fc.array(fc.nat());

test(
  'a file with its own hash passes as it is; with one byte changed it fails at its end',
  () =>
    check(150, [anyBytes, cuts, fc.boolean(), fc.nat()], async (bytes, places, isZipped, at) => {
      const expected = { hash_type: 'SHA1', hash_value: sha1(bytes), ...(isZipped && { tar_type: 'GZIP' }) };
      const sent = Buffer.from(isZipped ? gzipSync(bytes) : bytes);
      expect((await read(checkDigest(streamed(sent, places), expected))).equals(bytes)).toBe(true);
      fc.pre(sent.length > 0);
      sent[at % sent.length] = Number(sent[at % sent.length]) ^ 0x10;
      const outcome = await outcomeOf(() => read(checkDigest(streamed(sent, places), expected)));
      // Of a gzip, some bytes say nothing of the content: the time, the system.
      if (isZipped && 'value' in outcome) expect(bytes.equals(outcome.value as Buffer)).toBe(true);
      else expect(expectOurs(outcome)).toMatchObject({ code: 'ERR_BODY_DIGEST' });
    }),
  LONG,
);

test(
  'any bytes and any digest end in an error of ours',
  () =>
    check(
      250,
      [
        fc.oneof(
          anyBytes,
          anyBytes.map((bytes) => Buffer.concat([Buffer.from('1f8b0800', 'hex'), bytes])),
        ),
        fc.oneof(anyValue, fc.record({ hash_type: anyValue, hash_value: anyValue, tar_type: anyValue })),
        fc.boolean(),
      ],
      async (bytes, digest, isZipped) => {
        const zipped = { hash_type: 'SHA1', hash_value: sha1(bytes), ...(isZipped && { tar_type: 'gzip' }) };
        for (const expected of [digest, zipped]) {
          expectOurs(await outcomeOf(() => read(checkDigest(streamed(bytes), expected as never))));
        }
      },
    ),
  LONG,
);

const value = wholeText.filter((text) => !/[`\n\r]/.test(text) && text.trim() === text);
const heading = fc
  .oneof(fc.stringMatching(/^[a-z\u4e00-\u9fa5]{1,6}$/), fc.constantFrom('__proto__', 'constructor', 'toString'))
  .filter((text) => !/^(?:总|资金流水总)/.test(text));
const tables = fc
  .uniqueArray(heading, { minLength: 2, maxLength: 5 })
  .chain((headings) =>
    fc.tuple(
      fc.constant(headings),
      fc.array(fc.array(value, { minLength: headings.length, maxLength: headings.length }), { maxLength: 5 }),
    ),
  );

test(
  'the rows of a bill come out as they went in, wherever its bytes are cut',
  () =>
    check(250, [tables, cuts], async ([headings, rows], places) => {
      const lines = [headings.join(','), ...rows.map((row) => row.map((one) => `\`${one}`).join(','))];
      const found: unknown[] = [];
      for await (const row of parseBill(streamed(Buffer.from(`\ufeff${lines.join('\r\n')}\r\n`), places)))
        found.push(row);
      expect(found.map((row) => Object.entries(row as object))).toEqual(
        rows.map((row) => Object.entries(Object.fromEntries(headings.map((name, index) => [name, row[index]])))),
      );
    }),
  LONG,
);

test(
  'any text, bytes or value is a bill, or refused by an error that does not repeat it',
  () =>
    check(
      750,
      [
        fc.oneof(
          anyText,
          anyBytes,
          fc
            .array(fc.oneof(anyText, fc.constantFrom('`a,`b', 'a,b', '总,x', '\n', '<xml>')), { maxLength: 6 })
            .map((pieces) => pieces.join('\n')),
          anyValue,
        ),
      ],
      async (source) => {
        const secret = 'secret-6222600260001072444';
        const given =
          typeof source === 'string' ? `${source}${secret}` : source instanceof Uint8Array ? streamed(source) : source;
        const error = expectOurs(
          await outcomeOf(async () => {
            for await (const row of parseBill(given as string)) expect(typeof row).toBe('object');
          }),
        );
        expect(printed(error)).not.toContain(secret);
      },
    ),
  LONG,
);

test(
  'any source and any options make a Media, or are refused',
  () =>
    check(
      250,
      [
        fc.oneof(anyValue, anyBytes),
        fc.oneof(
          anyValue,
          fc.record(
            {
              filename: anyName,
              contentType: anyValue,
              name: anyValue,
              algorithm: anyValue,
              meta: anyValue,
              fields: anyValue,
            },
            { requiredKeys: ['filename'] },
          ),
        ),
      ],
      async (source, options) => {
        // A text is the path of a file.
        fc.pre(typeof source !== 'string');
        const outcome = await outcomeOf(() => Media.from(source as Uint8Array, options as object));
        expectOurs(outcome);
        if (!('value' in outcome)) return;
        const media = outcome.value as Media;
        expect((await read(media.stream())).length).toBe(media.contentLength);
        await media.dispose();
      },
    ),
  LONG,
);

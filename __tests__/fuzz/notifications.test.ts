import { connect } from 'node:net';
import fc from 'fast-check';
import type { NotificationRequest } from '../../lib/notification';
import * as Notifications from '../../lib/notification';
import {
  apiv3Key,
  certs,
  envelope,
  PAYMENT,
  secret,
  serve,
  signed,
  v2,
  v2Sign,
  v3,
  xml,
} from '../notification/support';
import {
  anyBytes,
  anyJson,
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

const notifications = Notifications.of({ certs, apiv3Key, secret, onError: (error) => void expectOurs({ error }) });
const process = () => expect('processed').toBe('never');
const parse = (request: unknown) => outcomeOf(() => notifications.parse(request as NotificationRequest));

/** The headers of a notification, some of them changed into anything. */
const spoiled = fc.tuple(
  fc.subarray(Object.keys(v3().headers)),
  anyValue,
  fc.dictionary(anyName, anyValue, { maxKeys: 3 }),
);
const requests = fc.oneof(
  anyValue,
  fc.record(
    { headers: anyValue, body: fc.oneof(anyText, anyBytes, anyValue), rawBody: anyValue },
    { requiredKeys: [] },
  ),
  fc.record(
    {
      headers: fc.constant({}),
      bodyUsed: anyValue,
      readableDidRead: anyValue,
      destroyed: anyValue,
      iterator: anyValue,
      body: anyValue,
    },
    { requiredKeys: ['headers'] },
  ),
  fc.tuple(spoiled, fc.oneof(anyText, anyBytes, fc.constant(undefined))).map(([[names, value, more], body]) => {
    const sent = v3();
    const changes = Object.fromEntries(names.map((name) => [name, value]));
    return { headers: { ...sent.headers, ...changes, ...more }, body: body ?? sent.body };
  }),
);

test(
  'any request is refused by an error of ours, or holds what was signed',
  () =>
    check(1000, [requests], async (request) => {
      const outcome = await parse(request);
      expectOurs(outcome);
      if ('value' in outcome)
        expect(outcome.value).toMatchObject({ protocol: 'v3', event_type: 'TRANSACTION.SUCCESS' });
    }),
  LONG,
);

test(
  'what is signed but of any content is read, or refused by an error that does not repeat it',
  () =>
    check(
      150,
      [
        fc.oneof(
          anyText,
          anyBytes.map((bytes) => bytes.toString()),
          anyJson.map((json) => JSON.stringify(json)),
        ),
      ],
      async (body) => {
        const marked = `${body}\n secret-6222600260001072444`;
        for (const sent of [signed(body), signed(marked)]) {
          expect(printed(expectOurs(await parse(sent)))).not.toContain('secret-6222');
        }
      },
    ),
  LONG,
);

test(
  'an envelope of any members is read, or refused',
  () =>
    check(
      150,
      [anyJson, fc.dictionary(fc.constantFrom('id', 'resource', 'event_type', '__proto__', 'summary'), anyJson)],
      async (resource, members) => {
        for (const body of [
          envelope(resource, members),
          envelope(resource, { resource: { ...envelope().resource, ...members } }),
        ]) {
          expectOurs(await parse(signed(JSON.stringify(body))));
        }
      },
    ),
  LONG,
);

test(
  'the content comes out as it went in',
  () =>
    check(150, [fc.dictionary(anyName, anyJson)], async (resource) => {
      const outcome = await parse(v3(resource));
      expectOurs(outcome);
      expect(outcome).toMatchObject({ value: { resource: JSON.parse(JSON.stringify(resource)) } });
      expect(Object.getPrototypeOf((outcome as { value: { resource: object } }).value.resource)).toBe(Object.prototype);
    }),
  LONG,
);

const fieldNames = fc.oneof(
  fc.stringMatching(/^[a-z_]{1,8}$/),
  fc.constantFrom('__proto__', 'constructor', 'sign_type', 'req_info', 'event_id', 'return_code'),
);
const fields = fc.dictionary(
  fieldNames,
  wholeText.map((text) => text.replace(/[^\n\t\x20-\ud7ff]/g, '').replaceAll(']]>', '')),
);

test(
  'signed fields of v2 come out as they went in, and those of another sign never',
  () =>
    check(250, [fields, fc.constantFrom<'md5' | 'sha256'>('md5', 'sha256')], async ({ sign: _, ...given }, type) => {
      const { return_code: _code, req_info: _info, event_ciphertext: _cipher, ...rest } = given;
      const whole = { ...PAYMENT, bank_type: 'CMC', ...rest };
      const sound = await parse(v2(whole, type));
      const refused = expectOurs(sound);
      if (refused) {
        // Nothing can be split elsewhere unless there is a "&", or a field that may have been split off the attached text.
        expect(refused).toMatchObject({ code: 'ERR_SIGNATURE_AMBIGUOUS' });
        const names = Object.keys(rest).filter((name) => name > 'attach' && name < 'bank_type');
        expect(names.length > 0 || Object.values(rest).some((value) => value.includes('&'))).toBe(true);
      } else {
        expect(sound).toMatchObject({ value: { resource: whole } });
      }
      const forged = xml({ ...given, sign: v2Sign({ ...given, more: '1' }, type) });
      expect(expectOurs(await parse({ headers: {}, body: forged }))).toMatchObject({ code: 'ERR_SIGNATURE_WRONG' });
      expectOurs(await parse(v2(given, type)));
    }),
  LONG,
);

test(
  'the handler for standard requests answers whatever comes, and accepts nothing unsigned',
  () =>
    check(
      150,
      [
        fc.oneof(anyText, anyBytes),
        fc.dictionary(fc.stringMatching(/^[a-z-]{1,20}$/), fc.string({ unit: 'grapheme-ascii' })),
      ],
      async (body, headers) => {
        const handle = notifications.webHandler(process);
        const { status, headers: answered } = await handle(
          new Request('http://localhost/', { method: 'POST', headers, body }),
        );
        expect(status).toBeGreaterThanOrEqual(400);
        expect(answered.get('content-type')).toMatch(/json|xml/);
      },
    ),
  LONG,
);

test(
  'the handler for Node answers whatever comes over a connection, and accepts nothing unsigned',
  async () => {
    const handle = notifications.nodeHandler(process);
    const server = await serve((request, response) => handle(request, response));
    const header = fc.tuple(fc.stringMatching(/^[a-zA-Z-]{1,20}$/), fc.stringMatching(/^[\x20-\x7e\xa0-\xff]{0,30}$/));
    const signatures = fc.constantFrom(
      ...Object.entries(v3().headers),
      ['Content-Encoding', 'gzip'],
      ['content-type', 'text/xml'],
    );
    await check(
      100,
      [fc.array(fc.oneof(header, signatures) as fc.Arbitrary<[string, string]>), anyBytes],
      async (headers, body) => {
        const lines = headers.filter(
          ([name]) => !/^(?:content-length|transfer-encoding|expect|upgrade|connection|host|te|trailer)$/i.test(name),
        );
        const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
        const bytes = Buffer.from(
          `POST /notify HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${head}content-length: ${body.length}\r\n\r\n`,
          'latin1',
        );
        expect(await exchange(server.port, Buffer.concat([bytes, body]))).toMatch(/^HTTP\/1\.1 [45]\d\d /);
      },
    );
    await server.close();
  },
  LONG,
);

/** Sends bytes over a connection; gives what comes back until its end. */
function exchange(port: number, bytes: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket
      .on('error', reject)
      .on('close', () => resolve(received))
      .write(bytes);
  });
}

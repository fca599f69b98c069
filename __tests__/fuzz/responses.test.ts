import fc from 'fast-check';
import { ApiError } from 'wechatpay-undici';
import { anyBytes, anyJson, anyText, check, expectOurs, LONG, outcomeOf, printed } from './support';
import { type Answer, frame, signatureOf, signedAnswer, type WireRequest, wire } from './wire';

let server: Awaited<ReturnType<typeof wire>>;
beforeAll(async () => {
  server = await wire();
});
afterEach(() => server.drop());
afterAll(() => server.close());

const SECRET = 'secret-6222600260001072444';
const OPTIONS = { json: { SECRET }, headers: { 'x-secret': SECRET }, timeout: 3000 };

/** Calls, is answered so, and reads the answer in a form. */
function call(answer: Answer, path = 'v3/x', form: 'json' | 'xml' | 'text' = 'text', options: object = {}) {
  server.state.answer = answer;
  const xml = { mch_id: '1900000109', SECRET };
  return outcomeOf(() =>
    server.instance
      .chain(path)
      .post({ ...OPTIONS, xml, ...options })
      [form](),
  );
}

function expectSilent(outcome: Awaited<ReturnType<typeof call>>) {
  const error = expectOurs(outcome);
  expect(printed(error)).not.toContain(SECRET);
  return error;
}

const paths = fc.constantFrom('v3/x', 'v2/pay/x', 'v3/bill/tradebill', 'v3/billdownload/file', 'v2/pay/downloadbill');
const forms = fc.constantFrom('json' as const, 'xml' as const, 'text' as const);
const texts = fc.oneof(
  anyText,
  anyJson.map((json) => JSON.stringify(json)),
  anyText.map((text) => `<xml>${text}</xml>`),
);
const bodies = fc.oneof(
  anyBytes,
  texts.map((text) => Buffer.from(text)),
);
const statuses = fc.oneof(
  { weight: 3, arbitrary: fc.constant(200) },
  fc.integer({ min: 200, max: 999 }),
  fc.constantFrom(204, 205, 206, 304, 301, 302, 400, 404, 500),
);
const headerLine = fc
  .tuple(
    fc.oneof(
      fc.stringMatching(/^[a-z-]{1,20}$/),
      fc.constantFrom(
        '__proto__',
        'constructor',
        'toString',
        'request-id',
        'Content-Type',
        'content-encoding',
        'set-cookie',
        'location',
        'wechatpay-statement-sha1',
      ),
    ),
    fc.stringMatching(/^[\x21-\x7e\x80-\xff]{0,20}$/),
  )
  .filter(
    ([name]) =>
      !/^(?:content-length|transfer-encoding|connection|upgrade|trailer|te|keep-alive|wechatpay-(?:nonce|serial|signature|timestamp))$/.test(
        name,
      ),
  );
const lines = fc.array(headerLine, { maxLength: 4 });

/** Ends the connection behind the answer, so that nobody waits for the rest. */
const closing =
  (answer: Answer): Answer =>
  (request: WireRequest) => {
    setImmediate(() => setImmediate(server.drop));
    return answer(request);
  };

test(
  'any bytes as an answer end in an error of ours',
  () =>
    check(150, [paths, anyBytes, fc.boolean()], async (path, bytes, isHttp) => {
      const head = isHttp ? 'HTTP/1.1 200 OK\r\n' : '';
      expectSilent(
        await call(
          closing(() => Buffer.concat([Buffer.from(head), bytes])),
          path,
        ),
      );
    }),
  LONG,
);

test(
  'an answer of any status, headers and body, unsigned, ends in an error of ours',
  () =>
    check(200, [paths, statuses, lines, bodies, forms], async (path, status, headers, body, form) => {
      const error = expectSilent(await call(() => frame(status, headers, body), path, form));
      if (!path.includes('download')) expect(error).toBeDefined();
      // These have no body: what stands behind them is no answer.
      if (path !== 'v3/x' || ([204, 304].includes(status) && body.length > 0)) return;
      if (status >= 300) expect(error).toBeInstanceOf(ApiError);
      else expect(error).toMatchObject({ code: 'ERR_SIGNATURE_MISSING' });
    }),
  LONG,
);

test(
  'a signed answer of any headers and body is read as it was sent, or refused by an error of ours',
  () =>
    check(200, [lines, bodies, forms], async (headers, body, form) => {
      const outcome = await call(() => frame(200, [...signatureOf(body), ...headers], body), 'v3/x', form);
      const error = expectSilent(outcome);
      if (form === 'text') expect(outcome).toEqual({ value: new TextDecoder().decode(body) });
      if (error) expect(error.code).toMatch(/^ERR_BODY_/);
    }),
  LONG,
);

test(
  'the JSON of a signed answer is what was sent, and changes no prototype',
  () =>
    check(150, [anyJson], async (json) => {
      const outcome = await call(signedAnswer(JSON.stringify(json)), 'v3/x', 'json');
      expect(outcome).toEqual({ value: JSON.parse(JSON.stringify(json)) });
      if (typeof json !== 'object' || json === null || Array.isArray(json)) return;
      expect(Object.getPrototypeOf((outcome as { value: unknown }).value)).toBe(Object.prototype);
    }),
  LONG,
);

test(
  'the sensitive fields of a response that are none stay as they are',
  () =>
    check(100, [anyJson], async (name) => {
      const options = { json: { name: '张三' } };
      const answer = signedAnswer(JSON.stringify({ name }));
      expect(expectSilent(await call(answer, 'v3/profitsharing/receivers/add', 'json', options))).toBeUndefined();
    }),
  LONG,
);

test(
  'a ciphertext that was made for nobody is an error that does not say that nothing was sent',
  () =>
    check(30, [fc.uint8Array({ minLength: 256, maxLength: 256 })], async (bytes) => {
      const name = Buffer.from(bytes).toString('base64');
      const options = { json: { name: '张三' } };
      const answer = signedAnswer(JSON.stringify({ name }));
      const error = expectSilent(await call(answer, 'v3/profitsharing/receivers/add', 'json', options));
      expect(error).toMatchObject({ code: 'ERR_BODY_NOT_DECRYPTED' });
    }),
  LONG,
);

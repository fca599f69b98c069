import fc from 'fast-check';
import { readCall } from '../../lib/client/options';
import { buildRequest } from '../../lib/client/request';
import { writeHeaders } from '../../lib/format/headers';
import { anyName, anyText, anyValue, check, expectOurs, LONG, outcomeOf, printed } from './support';
import { wire } from './wire';

const OPTIONS = [
  ...['json', 'xml', 'query', 'headers', 'body', 'baseUrl', 'timeout', 'signal', 'security', 'nonceless'],
  ...['download', 'unsigned', 'digest', 'maxBuffer', 'encrypted', 'retry', 'variables'],
];
const verbs = fc.constantFrom('get', 'post', 'put', 'patch', 'delete');
const templates = fc.oneof(
  fc.constantFrom('v3/x', 'v2/pay/x', 'v3/{a}', 'v3/{a}/{+b}{?c,d*}', 'v2/{a}', 'v3/bill/{__proto__}', '{+a}', ''),
  anyName,
);
/** Options of any names and values, those that there are among them. */
const anyOptions = fc.dictionary(fc.oneof(fc.constantFrom(...OPTIONS, 'a', 'b', 'c', 'd'), anyName), anyValue, {
  maxKeys: 5,
});

const defaults = {
  baseUrl: undefined,
  headers: { v2: { accept: 'a' }, v3: { accept: 'b' } },
  timeouts: { total: 1000 },
  retries: false,
};
const build = (verb: string, template: string, options: unknown) =>
  buildRequest(readCall(verb, template, options), defaults);

test(
  'any options make a request that can be sent, or an error of ours',
  () =>
    check(1500, [verbs, templates, fc.oneof(anyOptions, anyValue)], async (verb, template, options) => {
      const outcome = await outcomeOf(() => build(verb, template, options));
      expectOurs(outcome);
      if (!('value' in outcome)) return;
      const { origin, path, headers } = outcome.value as ReturnType<typeof build>;
      expect(path).toMatch(/^\/[\x21-\x7e]*$/);
      expect(new URL(origin).origin).toBe(origin);
      for (const [name, value] of Object.entries(headers))
        expect([name, value]).toEqual([
          expect.stringMatching(/^[!-~]+$/),
          expect.not.stringMatching(/[\0\r\n]|[^\0-\xff]/),
        ]);
    }),
  LONG,
);

test.each(OPTIONS)(
  'any value of "%s"',
  (name) =>
    check(150, [verbs, fc.constantFrom('v3/x', 'v2/x'), anyValue], async (verb, template, value) => {
      expectOurs(await outcomeOf(() => build(verb, template, { [name]: value })));
    }),
  LONG,
);

test(
  'headers of any text hold nothing that would end them',
  () =>
    check(
      500,
      [fc.dictionary(fc.constantFrom('x', 'Y', 'constructor'), fc.oneof(anyText, anyValue)), fc.boolean()],
      async (headers, isList) => {
        const outcome = await outcomeOf(() => writeHeaders(isList ? Object.entries(headers) : headers));
        expectOurs(outcome);
        if ('value' in outcome)
          expect(Object.entries(outcome.value as object).join()).not.toMatch(/[\0\r\n]|[^\0-\xff]/);
      },
    ),
  LONG,
);

test(
  'a variable is taken from its own option alone, whatever it is called',
  () =>
    check(
      250,
      [anyName.filter((name) => /^\w+(?:\.\w+)*$/.test(name) && !OPTIONS.includes(name) && name !== 'empty')],
      async (name) => {
        const missing = expectOurs(await outcomeOf(() => build('get', `v3/{${name}}`, {})));
        expect(missing).toMatchObject({ message: expect.stringContaining('is missing') });
        for (const options of [{ [name]: 'value' }, { variables: { [name]: 'value' } }]) {
          const own = Object.fromEntries(Object.entries(options));
          expect(build('get', `v3/{${name}}`, own)).toMatchObject({ path: '/v3/value' });
        }
      },
    ),
  LONG,
);

describe('through a client', () => {
  let server: Awaited<ReturnType<typeof wire>>;
  beforeAll(async () => {
    server = await wire(() => 'HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n');
  });
  afterAll(() => server.close());

  test(
    'where an argument is wrong, nothing is sent, and no error repeats what was given',
    () =>
      check(200, [verbs, templates, anyOptions], async (verb, template, options) => {
        const { instance, requests } = server;
        requests.length = 0;
        const secret = 'a-secret-6222600260001072444';
        const given = { json: { secret }, ...options, timeout: 2000, baseUrl: undefined, signal: undefined };
        const call = () => instance.chain(template)[verb as 'get']({ ...given });
        const error = expectOurs(await outcomeOf(call));
        expect(printed(error)).not.toContain(secret);
        if (error?.code !== 'ERR_INVALID_ARGUMENT' && error?.code !== 'ERR_CONFIGURATION') return;
        expect(requests).toEqual([]);
      }),
    LONG,
  );
});

import { createHash } from 'node:crypto';
import {
  type FactField,
  notifications,
  operations,
  synthesise,
  synthesiseNotification,
} from '../../../lib/sandbox/catalogue';
import { baseUrl, decrypt, encrypt, everyOperation, nameOf, sampleOf } from './support';

const context = { baseUrl, encrypt };

function respond(operation: ReturnType<typeof everyOperation>[number]) {
  const { variables, query, body } = sampleOf(operation, true);
  const target = `/${operation.path}`;
  return synthesise(
    operation,
    { method: operation.verb.toUpperCase(), target, variables, query: new URLSearchParams(query), body },
    context,
  );
}

/** What of a value is not as documented, found without any code of the sandbox. */
function faults(fields: readonly FactField[], value: unknown, isText: boolean, at = ''): string[] {
  const object = value as Record<string, unknown>;
  const documented = fields.map(({ name }) => name.replace(/\$\w/g, '0'));
  const strangers = Object.keys(object).filter((name) => !documented.includes(name));
  return [
    ...strangers.map((name) => `${at}.${name} is not documented`),
    ...fields.flatMap((field) => {
      const name = field.name.replace(/\$\w/g, '0');
      // Of a name with several shapes, the first is made.
      if (fields.find((one) => one.name === field.name) !== field) return [];
      if (!(name in object)) return isText && FAILURES.has(name) ? [] : [`${at}.${name} is missing`];
      return faultsOf(field, object[name], isText, `${at}.${name}`);
    }),
  ];
}

const FAILURES = new Set(['err_code', 'err_code_des', 'sign', 'nonce_str']);

function faultsOf(field: FactField, value: unknown, isText: boolean, at: string): string[] {
  const { type, encoded, fields = [], enum: tokens, encrypted } = field;
  if (type.endsWith('[]')) {
    if (!Array.isArray(value) || value.length !== 1) return [`${at} is not an array of one`];
    return faultsOf({ ...field, type: type.slice(0, -2) as 'string' }, value[0], isText, `${at}[0]`);
  }
  if (encoded === 'json') return faults(fields, JSON.parse(value as string), false, at);
  if (type === 'object') return faults(fields, value, isText, at);
  if (encrypted === 'rsa') return decrypt(value as string) ? [] : [`${at} is not encrypted`];
  const right: Record<string, boolean> = isText
    ? {
        string: typeof value === 'string',
        integer: /^\d+$/.test(value as string),
        number: /^\d+$/.test(value as string),
      }
    : { string: typeof value === 'string', integer: Number.isInteger(value), number: Number.isFinite(value) };
  const isRight = right[type] ?? (type === 'boolean' && typeof value === 'boolean');
  // One field is documented as a number with texts for values.
  const isOdd = type === 'number' && tokens?.every((token) => Number.isNaN(Number(token)));
  const isToken = tokens === undefined || isOdd || tokens.includes(String(value));
  return isRight && isToken && value !== '' ? [] : [`${at} is ${JSON.stringify(value)}`];
}

const withBody = everyOperation().filter(({ fact }) => !fact.redirect && !fact.download && fact.status === undefined);

test('a response has every documented member, of its type, with a documented value', () => {
  expect(withBody.length).toBeGreaterThan(1_050);
  const wrong = withBody.flatMap((operation) => {
    const { status, body } = respond(operation);
    const { response, response_format } = operation.fact;
    const isText = operation.protocol === 'v2' && response_format !== 'json';
    const own = isText ? response.filter(({ name }) => !SUCCESS.includes(name)) : response;
    const rest = Object.fromEntries(Object.entries(body ?? {}).filter(([name]) => !isText || !SUCCESS.includes(name)));
    const found = status === 200 ? faults(own, rest, isText) : [`status ${status}`];
    return found.map((fault) => `${nameOf(operation)}: ${fault}`);
  });
  expect(wrong).toEqual([]);
});

const SUCCESS = ['return_code', 'return_msg', 'result_code'];

test('v2 says that it succeeded', () => {
  for (const operation of withBody.filter(({ protocol, fact }) => protocol === 'v2' && !fact.response_format)) {
    expect(respond(operation).body).toMatchObject({ return_code: 'SUCCESS', result_code: 'SUCCESS' });
  }
});

test('the status is the documented one, and the response is empty where it is not 200', () => {
  const empty = everyOperation().filter(({ fact }) => fact.status !== undefined);
  expect(empty).toHaveLength(107);
  for (const operation of empty) expect(respond(operation)).toEqual({ status: operation.fact.status });
});

test('a download is a file, a redirect URL sends the browser on', () => {
  const files = everyOperation().filter(({ fact }) => fact.download);
  expect(files.map((operation) => respond(operation).file?.length)).toEqual(files.map(() => expect.any(Number)));
  const { match } = operations.match('v2', 'GET', '/appauth/authindex');
  const send = (query: string) =>
    synthesise(match?.operation as never, { method: 'GET', target: '/', query: new URLSearchParams(query) }, context);
  expect(send('redirect_uri=https%3A%2F%2Fshop.example%2Fback')).toEqual({
    status: 302,
    location: 'https://shop.example/back',
  });
  expect(send('redirect_uri=javascript:alert(1)')).toEqual({ status: 302, location: baseUrl });
});

test('the same request gets the same response, another one another', () => {
  for (const operation of withBody) expect(respond(operation)).toEqual(respond(operation));
  const { operation } = operations.match('v3', 'GET', '/v3/pay/transactions/id/7').match as never as {
    operation: (typeof withBody)[number];
  };
  const at = (target: string, time?: number) =>
    synthesise(operation, { method: 'GET', target }, { ...context, ...(time !== undefined && { time }) }).body;
  expect(at('/a')?.transaction_id).toMatch(/^4200\d{24}$/);
  expect(at('/a')?.transaction_id).not.toBe(at('/b')?.transaction_id);
  expect(at('/a')?.success_time).toBe('2026-01-01T12:00:00+08:00');
  expect(at('/a', 0)?.success_time).toBe('1970-01-01T08:00:00+08:00');
});

test('v2: nonce and signature do not change the response', () => {
  const { operation } = operations.match('v2', 'POST', '/pay/unifiedorder').match as never as {
    operation: (typeof withBody)[number];
  };
  const respond = (body: object) =>
    synthesise(operation, { method: 'POST', target: '/pay/unifiedorder', body }, context).body;
  const body = { appid: 'wx1', mch_id: '1900000109', trade_type: 'NATIVE' };
  const response = respond({ ...body, nonce_str: 'a', sign: 'b' });
  expect(response).toEqual(respond({ ...body, nonce_str: 'c', sign: 'd' }));
  expect(response).toMatchObject({ ...body, prepay_id: expect.stringMatching(/^wx\w{34}$/) });
  expect(response?.nonce_str).toBeUndefined();
});

test('what the request has under the same name and type is repeated', () => {
  const respond = (path: string, body: object, more: object = {}) => {
    const { match } = operations.match('v3', 'POST', path);
    const request = { method: 'POST', target: path, variables: match?.variables ?? {}, body };
    return synthesise(match?.operation as never, request, { ...context, ...more }).body;
  };
  const receivers = [
    { type: 'MERCHANT_ID', account: '1900000110', amount: 7, description: 'a' },
    { type: 'PERSONAL_OPENID', account: 'o1', amount: 8, description: 'b' },
  ];
  const order = { appid: 'wx1', transaction_id: '4200', out_order_no: 'P1', receivers };
  expect(respond('/v3/profitsharing/orders', order)).toMatchObject({
    transaction_id: '4200',
    out_order_no: 'P1',
    receivers: receivers.map((one) => ({ ...one, result: 'SUCCESS' })),
  });
  // Of another type, or no documented value: made up.
  const odd = respond('/v3/profitsharing/orders', { ...order, out_order_no: 7, receivers: [{ type: 'NO_SUCH' }] });
  expect(odd).toMatchObject({
    out_order_no: expect.any(String),
    receivers: [{ type: expect.not.stringMatching('NO') }],
  });
});

test('a number of a path or of a query is repeated as a number, within a list as well', () => {
  const { match } = operations.match('v3', 'GET', '/v3/marketing/favor/stocks');
  const query = new URLSearchParams('offset=3&limit=8&stock_creator_mchid=1900000109');
  const { body } = synthesise(match?.operation as never, { method: 'GET', target: '/', query }, context);
  expect(body).toMatchObject({ offset: 3, limit: 8, data: [{ stock_creator_mchid: '1900000109' }] });
});

test('an encrypted field is repeated encrypted anew, never as it came', () => {
  const operation = everyOperation().find(
    ({ fact }) => nameOf(fact as never) === 'post v3/profitsharing/receivers/add',
  ) as (typeof withBody)[number];
  const body = { ...sampleOf(operation, false).body, name: encrypt('张三') };
  const request = { method: 'POST', target: '/v3/profitsharing/receivers/add', body };
  const other = (plain: string) => `other:${plain}`;
  const name = (more: object) =>
    JSON.stringify(synthesise(operation, request, { baseUrl, encrypt: other, ...more }).body);
  expect(name({ decrypt })).not.toContain(encrypt('张三'));
  expect(name({})).not.toContain(encrypt('张三'));
});

test('v2: what is held as JSON is repeated within JSON', () => {
  const { match } = operations.match('v2', 'POST', '/secapi/pay/profitsharing');
  const receiver = [{ type: 'MERCHANT_ID', account: '1900000110', amount: 7, description: 'a' }];
  const body = { receivers: JSON.stringify({ receiver }) };
  const response = synthesise(match?.operation as never, { method: 'POST', target: '/', body }, context);
  expect(JSON.parse(String(response.body?.receivers))).toMatchObject({
    receiver: [{ type: 'MERCHANT_ID', amount: 7, description: 'a', result: 'SUCCESS' }],
  });
});

test('a download_url leads to a file of the sandbox, which has the hash that goes with it', () => {
  const get = (target: string) => {
    const [path = '', query] = target.split('?');
    const { match } = operations.match('v3', 'GET', path);
    return synthesise(match?.operation as never, { method: 'GET', target, query: new URLSearchParams(query) }, context);
  };
  const paths = {
    '/v3/profitsharing/bills': 'sha1',
    '/v3/transfer/bill-receipt/B1': 'sha1',
    '/v3/fund-app/mch-transfer/elecsign/out-bill-no/B1': 'sha256',
  };
  for (const [path, algorithm] of Object.entries(paths)) {
    const { body } = get(path);
    const address = String(body?.download_url);
    expect(address.startsWith(`${baseUrl}v3/`)).toBe(true);
    const { file } = get(address.slice(baseUrl.length - 1));
    expect(body?.hash_value).toBe(
      createHash(algorithm)
        .update(file as Buffer)
        .digest('hex'),
    );
  }
});

test('a hostile body is read to a bound', () => {
  const operation = withBody.find(({ path }) => path === 'v3/profitsharing/orders') as (typeof withBody)[number];
  let deep: unknown = 1;
  for (let i = 0; i < 5_000; i += 1) deep = [deep];
  const wide = Array.from({ length: 200_000 }, () => ({ account: 'x' }));
  for (const body of [{ receivers: wide }, { receivers: deep }, [], 'x', 7]) {
    const response = synthesise(operation, { method: 'POST', target: '/', body }, context);
    expect(response.body?.receivers).toHaveLength(1);
  }
});

test('every notification is composed from its facts, around what is given', () => {
  const names = notifications.names();
  for (const name of names) {
    const { protocol, encrypted_in, envelope, resource, alternatives, resource_format } =
      notifications.fact(name) ?? {};
    const fields = alternatives?.[0] ?? (encrypted_in === undefined ? envelope : resource) ?? [];
    const isText = protocol === 'v2' || resource_format === 'xml';
    const content = synthesiseNotification(name, {}, context) ?? {};
    expect([name, faults(fields, content, isText)]).toEqual([name, []]);
  }
  expect(
    synthesiseNotification('TRANSACTION.SUCCESS', { out_trade_no: 'O', amount: { total: 5 } }, context),
  ).toMatchObject({
    out_trade_no: 'O',
    trade_state: 'SUCCESS',
  });
  expect(synthesiseNotification('NO.SUCH', {}, context)).toBeUndefined();
});

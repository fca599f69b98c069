import { createHash, publicEncrypt } from 'node:crypto';
import fc from 'fast-check';
import { Builder, Media } from 'wechatpay-undici';
import { Sandbox, type SandboxBrandConfig } from 'wechatpay-undici/sandbox';
import { toObject } from '../../lib/format/transformer';
import type { FactField, KnownOperation } from '../../lib/sandbox/catalogue';
import { rsaKeyPair } from '../support/keys';
import { loose } from '../support/loose';
import { everyOperation, nameOf, type Sample, sampleOf } from './catalogue/support';
import { isSigned, send } from './support';

type Client = ReturnType<typeof loose>;
type Clients = (operation: KnownOperation) => Client;

let sandbox: Sandbox;
let clients: Clients;
beforeAll(async () => {
  sandbox = await Sandbox.start();
  clients = clientsOf(sandbox, await sandbox.addBrand());
});
afterAll(() => sandbox.close());

function clientsOf({ config }: Sandbox, brandConfig: SandboxBrandConfig): Clients {
  const [payBankKey] = Object.values(config.certs);
  const merchant = loose(Builder.factory({ ...config, ...(payBankKey && { payBankKey }) }));
  const brand = loose(Builder.factory(brandConfig));
  return ({ protocol }) => (protocol === 'brand' ? brand : merchant);
}

/** A request with what is required, of the merchant. */
function required(operation: KnownOperation): Sample {
  const { mchid } = sandbox.config;
  return sampleOf(operation, true, { mchid, mch_id: mchid, combine_mch_id: mchid, sp_mchid: mchid });
}

/** Sensitive fields in clear: the client encrypts them. */
function inClear(value: object | undefined): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value ?? {}), (_name, member: unknown) =>
    typeof member === 'string' && member.startsWith('sealed:') ? member.slice('sealed:'.length) : member,
  );
}

/** Calls an operation with our own client. */
async function call(clients: Clients, { operation, variables, query, body, files }: Sample): Promise<Response> {
  const { fact, verb, path, protocol } = operation;
  const node = clients(operation).chain(path);
  const options: Record<string, unknown> = { variables };
  if (Object.keys(query).length > 0) options.query = inClear(query);
  if (files.length > 0) options.body = await media(inClear(body), protocol === 'v2');
  else if (protocol === 'v2') options[verb === 'get' ? 'query' : 'xml'] = identified(inClear(body));
  else if (fact.request.some(({ name }) => name === 'json')) options.json = inClear(body);
  return node[verb](options);
}

/** Of some operations nobody documents that they name the merchant, and yet they do. */
function identified(fields: Record<string, unknown>): Record<string, unknown> {
  const isNamed = ['mch_id', 'mchid', 'combine_mch_id'].some((name) => name in fields);
  return isNamed ? fields : { ...fields, mch_id: sandbox.config.mchid };
}

function media(fields: Record<string, unknown>, isV2: boolean): Promise<Media> {
  const content = Buffer.from('an image');
  const hash = (algorithm: string) => createHash(algorithm).update(content).digest('hex');
  const right = {
    ...fields,
    ...('sha256' in fields && { sha256: hash('sha256') }),
    ...('media_hash' in fields && { media_hash: hash('md5') }),
  };
  return Media.from(content, { filename: 'a.png', ...(isV2 ? { fields: () => right } : { meta: right }) });
}

/** Runs a task for each value, 16 at the same time. */
async function each<Value>(values: readonly Value[], run: (value: Value) => Promise<void>): Promise<void> {
  const rest = values.values();
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (const value of rest) await run(value);
    }),
  );
}

/** What of a response lacks a required member, or has a value of another type. */
function faults(fields: readonly FactField[], value: unknown, isText: boolean, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return [`${at} is no object`];
  const object: Partial<Record<string, unknown>> = { ...value };
  return fields.flatMap(({ name, type, required: isRequired, encoded, fields: inner = [] }) => {
    const member = object[name];
    // XML holds texts; what says that something failed is not there.
    if (isText && (type.startsWith('object') || name.startsWith('err_code'))) return [];
    // A name with several shapes, or with a number in it, is the business of the tests of the catalogue.
    if (name.includes('$') || fields.filter((other) => other.name === name).length > 1) return [];
    if (member === undefined) return isRequired ? [`${at}.${name} is missing`] : [];
    if (encoded !== undefined) return typeof member === 'string' ? [] : [`${at}.${name} is no text`];
    const isList = type.endsWith('[]');
    if (isList && !Array.isArray(member)) return [`${at}.${name} is no list`];
    const members: unknown[] = isList && Array.isArray(member) ? member : [member];
    return members.flatMap((one) => {
      if (type.startsWith('object')) return faults(inner, one, isText, `${at}.${name}`);
      const expected =
        isText || type.startsWith('string') ? 'string' : type.startsWith('boolean') ? 'boolean' : 'number';
      const isOdd = expected === 'number' && typeof one === 'string';
      return typeof one === expected || isOdd ? [] : [`${at}.${name} is a ${typeof one}, not a ${expected}`];
    });
  });
}

/** What is wrong with a response to an operation. */
async function wrongWith({ fact, protocol }: KnownOperation, response: Response): Promise<string[]> {
  if (fact.redirect) {
    const address = await response.text();
    if (!new URL(address).searchParams.get('sign')) return [`${address} is not signed`];
    const { status, headers } = await fetch(new URL(new URL(address).pathname + new URL(address).search, sandbox.url), {
      redirect: 'manual',
    });
    return status === 302 && headers.has('location') ? [] : [`status ${status} of a redirect`];
  }
  if (response.status !== (fact.status ?? 200)) return [`status ${response.status}`];
  if (fact.download) return (await response.arrayBuffer()).byteLength > 0 ? [] : ['an empty file'];
  if (fact.status !== undefined) return [];
  const isText = protocol === 'v2' && fact.response_format !== 'json';
  const text = await response.text();
  return faults(fact.response, isText ? toObject(text) : JSON.parse(text), isText);
}

const UNPROCESSED = /No product of the sandbox processes/;

/** The operations that a product processes: they know who has placed what, and may refuse. */
async function processed(): Promise<Set<string>> {
  await using strict = await Sandbox.start({ strict: true });
  const own = clientsOf(strict, await strict.addBrand());
  const found = new Set<string>();
  const every = everyOperation().filter(({ fact }) => !fact.redirect);
  await each(every, async (operation) => {
    const response = call(own, required(operation));
    const error: unknown = await response.then(
      () => undefined,
      (thrown) => thrown,
    );
    if (!UNPROCESSED.test(String(error))) found.add(nameOf(operation));
  });
  return found;
}

test('every operation of the catalogue responds as documented', async () => {
  const products = await processed();
  const operations = everyOperation();
  expect(operations.length).toBeGreaterThan(1_200);
  expect(products.size).toBeLessThan(operations.length / 2);
  expect(products).toContain('post v3/pay/transactions/native');
  const found: string[] = [];
  const refused: string[] = [];
  await each(operations, async (operation) => {
    try {
      const response = await call(clients, required(operation));
      for (const fault of await wrongWith(operation, response)) found.push(`${nameOf(operation)}: ${fault}`);
    } catch (error) {
      const { name, code, status } = error as { name: string; code?: string; status?: number };
      const isInternal = INTERNAL.has(String(code)) && !NO_RECORD.test(String(error));
      const isRefusal = name === 'ApiError' && products.has(nameOf(operation)) && !isInternal;
      (isRefusal ? refused : found).push(`${nameOf(operation)}: ${status} ${code} ${String(error)}`);
    }
  });
  expect(found).toEqual([]);
  expect(refused.length).toBeLessThan(products.size);
}, 300_000);

/** Codes that no request with a right signature to a documented address may get. */
const INTERNAL: ReadonlySet<string> = new Set(['SIGN_ERROR', 'SYSTEM_ERROR', 'SYSTEMERROR', 'NOT_FOUND']);

/** How a product says that it has no such thing; the sandbox says of a path that it does not know it. */
const NO_RECORD = /记录不存在/;

const SENSITIVE = '/v3/gov/subsidy/zhejiang/qualifications/query';
const sealed = (key = Object.values(sandbox.config.certs)[0]) =>
  key ? publicEncrypt(key, Buffer.from('11010119900307')).toString('base64') : '';

test.each<[string, () => string, string | undefined, RegExp]>([
  [
    'in clear',
    () => '11010119900307',
    'own',
    /^"\/cert_no" in the body must be encrypted with WeChat Pay's public key/,
  ],
  ['by another key', () => sealed(rsaKeyPair().publicKey), 'own', /must be encrypted with WeChat Pay's public key/],
  ['by a key that is not named', sealed, undefined, /^HTTP header缺少微信支付平台证书序列号\(Wechatpay-Serial\)/],
  ['by a key of another name', sealed, '5A0B', /^平台证书序列号Wechatpay-Serial错误: "5A0B" names no key/],
])('a sensitive field %s is refused', async (_, cert_no, serial, message) => {
  const headers = serial === 'own' ? {} : { 'wechatpay-serial': serial };
  const json = { cert_no: cert_no(), req_ssn: '1' };
  const response = await send(sandbox, SENSITIVE, { json, headers });
  expect(response).toMatchObject({
    status: 400,
    json: {
      ...{ code: 'PARAM_ERROR', message: expect.stringMatching(message) },
      detail: { field: '/cert_no', location: 'body' },
    },
  });
  expect(response.text).not.toContain(json.cert_no);
  expect(isSigned(sandbox, response)).toBe(true);
});

test('a sensitive field by the key that is named passes, whatever the case of its name', async () => {
  for (const change of [(id: string) => id, (id: string) => id.toLowerCase(), (id: string) => `${id}, ${id}`]) {
    const headers = { 'wechatpay-serial': change(Object.keys(sandbox.config.certs)[0] ?? '') };
    const response = await send(sandbox, SENSITIVE, { json: { cert_no: sealed(), req_ssn: '1' }, headers });
    expect(response).toMatchObject({ status: 200, json: { resp_code: expect.any(String) } });
  }
});

test('what the key for payments to banks encrypts is taken, by the key that v2/risk/getpublickey gives', async () => {
  const client = loose(Builder.factory(sandbox.config));
  const text = await client
    .chain('v2/risk/getpublickey')
    .post({ xml: { mch_id: sandbox.config.mchid, sign_type: 'MD5' } });
  const { pub_key: payBankKey } = toObject(await text.text());
  const operation = everyOperation().find(({ path }) => path === 'v2/mmpaysptrans/pay_bank');
  if (!operation) throw new Error('It is in the catalogue.');
  const paying = loose(Builder.factory({ ...sandbox.config, payBankKey: String(payBankKey) }));
  const response = await call(() => paying, required(operation));
  expect(toObject(await response.text())).toMatchObject({ result_code: 'SUCCESS' });
});

test('strict, what no product processes is refused; a handler of yours is asked', async () => {
  await using strict = await Sandbox.start({ strict: true });
  const json = {
    cert_no: publicEncrypt(Object.values(strict.config.certs)[0] ?? '', Buffer.from('1')).toString('base64'),
    req_ssn: '1',
  };
  const response = await send(strict, SENSITIVE, { json });
  expect(response).toMatchObject({
    status: 404,
    json: { code: 'NOT_FOUND', message: expect.stringMatching(UNPROCESSED) },
  });
  expect(response.json.message).toContain(`sandbox.on('post', '${SENSITIVE.slice(1)}', handler)`);
  strict.on('post', SENSITIVE.slice(1), () => ({ resp_code: 'mine' }));
  expect(await send(strict, SENSITIVE, { json })).toMatchObject({ status: 200, json: { resp_code: 'mine' } });
});

/** Operations of merchants with a body in JSON. */
const withJson = everyOperation().filter(
  ({ protocol, fact }) =>
    protocol === 'v3' && !fact.upload && fact.verb !== 'get' && fact.request.some(({ name }) => name === 'json'),
);

const stranger = fc.string({ minLength: 1 }).map((name) => `x_${name}`);

test('whatever a body holds, it gets a signed response; what nobody documents is named', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...withJson), stranger, fc.jsonValue(), async (operation, name, value) => {
      const { variables, query, body } = required(operation);
      const path = `/${operation.path.replace(/\{(\w+)\}/g, (_, variable: string) => variables[variable] ?? '7')}`;
      const search = Object.keys(query).length > 0 ? `?${new URLSearchParams(query)}` : '';
      const method = operation.verb.toUpperCase();
      const names = Object.keys(body ?? {});
      const spoilt = { ...body, [names[name.length % names.length] ?? 'x']: value };
      for (const json of [{ ...body, [name]: value }, spoilt, value]) {
        const response = await send(sandbox, path + search, { method, json });
        expect(isSigned(sandbox, response)).toBe(true);
        expect([200, 202, 204, 400, 403, 404]).toContain(response.status);
      }
      const { json, status } = await send(sandbox, path + search, { method, json: { ...body, [name]: value } });
      // Where the documentation leaves a body open, anything may be in it.
      if (status === 400) expect(json).toMatchObject({ code: 'PARAM_ERROR', message: expect.stringContaining('x_') });
    }),
    { numRuns: 30 },
  );
}, 120_000);

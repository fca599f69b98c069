import { constants, generateKeyPairSync, type KeyObject, privateDecrypt, publicEncrypt } from 'node:crypto';
import { type FactField, type Issue, operations, validate } from '../../../lib/sandbox/catalogue';
import { decrypt, everyOperation, nameOf, partsOf, rowsOf, type Sample, sampleOf } from './support';

const samples = everyOperation().map((operation) => ({
  minimal: sampleOf(operation, true),
  full: sampleOf(operation, false),
}));
const check = (sample: Sample) => validate(sample.operation, partsOf(sample), decrypt);

/** A member of a sample, and how to write another value in its place. */
interface Place {
  field: FactField;
  location: Issue['location'];
  /** As an issue names it. */
  name: string;
  /** Its values are texts. */
  isText: boolean;
  /** Inside a text whose JSON may have other shapes than those documented. */
  isLoose: boolean;
  owner: Record<string, unknown>;
  sample: Sample;
  /** Changes the member, looks, and puts it back. */
  having<Result>(value: unknown, look: () => Result): Result;
}

function placesOf(sample: Sample): Place[] {
  const rows = rowsOf(sample.operation);
  const isV2 = sample.operation.protocol === 'v2';
  const isUpload = sample.operation.fact.upload === true && !isV2;
  const body = sample.operation.verb === 'get' ? 'query' : 'body';
  const place = { isLoose: false, sample, having: () => undefined as never };
  return [
    ...below(rows.query, sample.query, { ...place, location: 'query', isText: true }, ''),
    ...(sample.body
      ? below(
          rows.body ?? [],
          sample.body,
          { ...place, location: isV2 ? body : 'body', isText: isV2 },
          isUpload ? '/meta' : '',
        )
      : []),
  ];
}

type Above = Pick<Place, 'sample' | 'location' | 'isText' | 'isLoose'>;

function below(fields: readonly FactField[], owner: Record<string, unknown>, above: Above, at: string): Place[] {
  return fields.flatMap((field): Place[] => {
    const { name } = field;
    // Of a name with several shapes, the sample has the first.
    if (!(name in owner) || fields.find((one) => one.name === name) !== field) return [];
    const pointer = `${at}/${name}`;
    const here: Place = {
      ...above,
      field,
      owner,
      name: above.location === 'body' ? pointer : pointer.slice(1),
      having(value, look) {
        const before = owner[name];
        if (value === undefined) delete owner[name];
        else owner[name] = value;
        try {
          return look();
        } finally {
          owner[name] = before;
        }
      },
    };
    return [here, ...inside(field, owner, above, pointer)];
  });
}

function inside(field: FactField, owner: Record<string, unknown>, above: Above, pointer: string): Place[] {
  const { name, type, fields = [], encoded } = field;
  if (fields.length === 0 || encoded === 'urlencode') return [];
  if (encoded === 'json') {
    if (type.endsWith('[]')) return [];
    const held = JSON.parse(owner[name] as string) as Record<string, unknown>;
    const isLoose = above.isLoose || above.isText;
    return below(fields, held, { ...above, isText: false, isLoose }, pointer).map((place) => ({
      ...place,
      having: (value, look) =>
        place.having(value, () => {
          const before = owner[name];
          owner[name] = JSON.stringify(held);
          try {
            return look();
          } finally {
            owner[name] = before;
          }
        }),
    }));
  }
  const value = type.endsWith('[]') ? (owner[name] as Record<string, unknown>[])[0] : owner[name];
  const at = type.endsWith('[]') ? `${pointer}/0` : pointer;
  return below(fields, value as Record<string, unknown>, above, at);
}

/** What is wrong with the issues of a sample with one thing changed; empty if they name the field for that reason. */
function missed({ sample, name, location, having }: Place, value: unknown, kind: Issue['kind']): string[] {
  const issues = having(value, () => check(sample));
  const found = issues.some((one) => one.field === name && one.kind === kind && one.location === location);
  return found && issues.length === 1 ? [] : [`${nameOf(sample.operation)} ${name}: ${JSON.stringify(issues)}`];
}

const full = samples.flatMap((one) => placesOf(one.full));
const minimal = samples.flatMap((one) => placesOf(one.minimal));
const ADDED = new Set(['sign', 'sign_type', 'nonce_str']);

test('a request is right with its required members, and with all of them', () => {
  const wrong = samples
    .flatMap((one) => [one.minimal, one.full])
    .flatMap((sample) => {
      const issues = check(sample);
      return issues.length === 0 ? [] : [`${nameOf(sample.operation)}: ${JSON.stringify(issues)}`];
    });
  expect(wrong).toEqual([]);
  expect(full.length).toBeGreaterThan(9_000);
});

/** Of v2, where one of several numbers is enough. */
const NUMBERS: Record<string, string[]> = Object.fromEntries([
  ...['deposit/consume', 'deposit/orderquery', 'deposit/refund', 'pay/facepayquery', 'pay/orderquery']
    .concat('pay/paporderquery', 'pay/partner/paporderquery', 'secapi/pay/refund', 'secapi/pay/refundv2')
    .map((path) => [`v2/${path}`, ['transaction_id', 'out_trade_no']]),
  ...['deposit/refundquery', 'pay/refundquery', 'pay/refundqueryv2'].map((path) => [
    `v2/${path}`,
    ['transaction_id', 'out_trade_no', 'out_refund_no', 'refund_id'],
  ]),
  ['v2/cgi-bin/mch/customs/customdeclarequery', ['transaction_id', 'out_trade_no', 'sub_order_no', 'sub_order_id']],
]);

test('of several numbers one is enough, and none is not', () => {
  const found = samples.map((one) => one.minimal).filter(({ operation }) => NUMBERS[operation.path]);
  expect(found).toHaveLength(Object.keys(NUMBERS).length);
  for (const sample of found) {
    const names = NUMBERS[sample.operation.path] ?? [];
    const rest = Object.fromEntries(Object.entries(sample.body ?? {}).filter(([name]) => !names.includes(name)));
    for (const name of names) expect(check({ ...sample, body: { ...rest, [name]: '7' } })).toEqual([]);
    const message = expect.stringContaining(`add one of ${names.join(', ')}`);
    expect(check({ ...sample, body: rest })).toMatchObject([{ field: '/transaction_id', kind: 'required', message }]);
  }
});

test('each required member that is left out is named', () => {
  const isAdded = ({ field: { name }, sample: { operation } }: Place) =>
    operation.protocol === 'v2' && (ADDED.has(name) || NUMBERS[operation.path]?.includes(name) === true);
  const required = minimal.filter((place) => place.field.required && !isAdded(place));
  expect(required.length).toBeGreaterThan(4_000);
  expect(required.flatMap((place) => missed(place, undefined, 'required'))).toEqual([]);
  const texts = required.filter(({ field }) => field.type === 'string');
  expect(texts.flatMap((place) => missed(place, '', 'required'))).toEqual([]);
});

/** A value of another type. Everything that stands in XML or a query is a text. */
function mistyped({ field: { type, encoded }, isText }: Place): unknown[] {
  // A form in a text is a text like any other.
  if (encoded === 'urlencode') return isText ? [] : [7];
  if (encoded) return isText ? ['{', '"x"'] : ['{', '7', 7, {}];
  if (type.endsWith('[]')) return isText ? [] : ['x', {}, ...(type === 'object[]' ? [['x'], [null]] : [])];
  const values: Record<string, unknown[]> = isText
    ? { integer: ['x', '1.5', '1 '], number: ['x', '1,5'], boolean: ['x'] }
    : {
        string: [7, true, {}, [], null],
        integer: ['7', 1.5, {}, null],
        number: ['7', true, null],
        boolean: ['true', 1, null],
        object: ['x', [], 7, null],
      };
  return values[type] ?? [];
}

test('each member of another type is named', () => {
  const wrong = full.flatMap((place) =>
    mistyped(place).flatMap((value) => {
      const { sample, name, location, having } = place;
      const issues = having(value, () => check(sample));
      const isNamed = ({ field, kind }: Issue) => kind === 'type' && (field === name || field.startsWith(`${name}/`));
      const isRight = issues.length > 0 && issues.every((one) => one.location === location && isNamed(one));
      return isRight ? [] : [`${nameOf(sample.operation)} ${name} ${String(value)}: ${JSON.stringify(issues)}`];
    }),
  );
  expect(wrong).toEqual([]);
});

test('each enum that is closed refuses what is not in it; an open one takes it', () => {
  const enums = full.filter(({ field: { enum: tokens, type } }) => tokens && type.replace('[]', '') === 'string');
  const closed = enums.filter(({ field }) => field.closed);
  expect(closed.length).toBeGreaterThan(200);
  const wrong = closed.flatMap((place) => {
    const isArray = place.field.type.endsWith('[]');
    const value = isArray && !place.isText ? ['NO_SUCH'] : 'NO_SUCH';
    const issues = place.having(value, () => check(place.sample));
    const field = isArray && !place.isText ? `${place.name}/0` : place.name;
    const isRight = issues.length === 1 && issues[0]?.field === field && issues[0].message.includes('NO_SUCH');
    return isRight ? [] : [`${nameOf(place.sample.operation)} ${field}: ${JSON.stringify(issues)}`];
  });
  expect(wrong).toEqual([]);
  const open = enums.filter(({ field }) => !field.closed && field.type === 'string');
  expect(open.flatMap((place) => place.having('NO_SUCH', () => check(place.sample)))).toEqual([]);
});

test('a member that nobody documents is named, wherever it stands', () => {
  const owners = new Map(full.filter(({ isLoose }) => !isLoose).map((place) => [place.owner, place]));
  expect(owners.size).toBeGreaterThan(1_500);
  const wrong = [...owners.values()].flatMap((place) => {
    const name = `${place.name.slice(0, place.name.length - place.field.name.length)}zzz_no_such`;
    const stranger = { ...place, name, field: { ...place.field, name: 'zzz_no_such' } };
    // `having` writes the member of the place: to itself, while the owner has one more.
    const value = place.owner[place.field.name];
    const having: Place['having'] = (added, look) => {
      place.owner.zzz_no_such = added;
      try {
        return place.having(value, look);
      } finally {
        delete place.owner.zzz_no_such;
      }
    };
    return missed({ ...stranger, having }, 'x', 'unknown');
  });
  expect(wrong).toEqual([]);
  // Where no body and no query is documented, there must be none.
  const { match } = operations.match('v3', 'GET', '/v3/certificates');
  expect(validate(match?.operation as never, { query: new URLSearchParams('zzz=1') })).toMatchObject([
    { location: 'query', field: 'zzz', kind: 'unknown' },
  ]);
});

test('a text that is too long is named; a character counts as one', () => {
  const limited = full.filter(({ field }) => field.maxLength !== undefined);
  expect(limited.length).toBe(11);
  for (const place of limited) {
    const { maxLength = 0 } = place.field;
    expect(missed(place, '茶'.repeat(maxLength + 1), 'length')).toEqual([]);
    expect(place.having('😀'.repeat(maxLength), () => check(place.sample))).toEqual([]);
  }
});

test('a field that is not encrypted is named, and what it holds is not shown', () => {
  const sensitive = full.filter(({ field }) => field.encrypted);
  expect(sensitive.length).toBeGreaterThan(250);
  for (const place of sensitive) {
    const isArray = place.field.type.endsWith('[]');
    const issues = place.having(isArray ? ['张三 in clear'] : '张三 in clear', () => check(place.sample));
    expect(issues).toMatchObject([
      { field: isArray ? `${place.name}/0` : place.name, location: place.location, kind: 'encryption' },
    ]);
    expect(JSON.stringify(issues)).not.toContain('张三');
    // Nor where its type is wrong.
    expect(JSON.stringify(place.having({ name: '张三' }, () => check(place.sample)))).not.toContain('张三');
  }
});

const native = (body: unknown) => {
  const { match } = operations.match('v3', 'POST', '/v3/pay/transactions/native');
  return validate(match?.operation as never, { body });
};
const ORDER = {
  appid: 'wx8888888888888888',
  mchid: '1900000109',
  description: 'Tea',
  out_trade_no: 'ORDER-1',
  notify_url: 'https://shop.example/notify',
  amount: { total: 1, currency: 'CNY' },
};

test("a merchant's own number is counted in bytes", () => {
  expect(native({ ...ORDER, out_trade_no: 'A'.repeat(32) })).toEqual([]);
  expect(native({ ...ORDER, out_trade_no: '茶'.repeat(11) })).toMatchObject([
    { field: '/out_trade_no', kind: 'length', issue: 'must have at most 32 bytes in UTF-8' },
  ]);
});

test('sensitive fields are decrypted with a real key: another one, or none, is named', () => {
  const [right, other] = [1, 2].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 }));
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const unseal = (text: string) => {
    try {
      return privateDecrypt({ key: right?.privateKey as KeyObject, padding }, Buffer.from(text, 'base64')).toString();
    } catch {
      return undefined;
    }
  };
  const { match } = operations.match('v3', 'POST', '/v3/profitsharing/receivers/add');
  const receiver = { appid: 'wx8888888888888888', type: 'MERCHANT_ID', account: '1900000110', relation_type: 'STORE' };
  const named = (name: string) => validate(match?.operation as never, { body: { ...receiver, name } }, unseal);
  const seal = (key: KeyObject | undefined) =>
    publicEncrypt({ key: key as KeyObject, padding }, Buffer.from('张三')).toString('base64');
  expect(named(seal(right?.publicKey))).toEqual([]);
  for (const name of ['张三', seal(other?.publicKey)]) {
    const issues = named(name);
    expect(issues).toMatchObject([{ location: 'body', field: '/name', kind: 'encryption' }]);
    expect(issues[0]?.message).toContain('Wechatpay-Serial');
    expect(JSON.stringify(issues)).not.toContain(name);
  }
});

test('the message says what to change', () => {
  const { out_trade_no, ...without } = ORDER;
  const messages = native({ ...without, outTradeNo: out_trade_no, amount: { total: '1' } }).map((one) => one.message);
  expect(messages).toEqual([
    '"/outTradeNo" in the body is not documented for this operation; the documented name is "out_trade_no".',
    '"/amount/total" in the body must be an integer, not the string "1".',
    '"/out_trade_no" in the body is required but missing; add a string (商户订单号).',
  ]);
  expect(native({ ...ORDER, amount: { total: 1, curency: 'CNY' } })[0]?.message).toContain('"currency"');
  expect(native({ ...ORDER, 'a/b~c': 1 })[0]?.field).toBe('/a~1b~0c');
});

test.each([[[]], ['x'], [7], [null], [true]])('a body that is %j is not an object', (body) => {
  expect(native(body)).toMatchObject([{ location: 'body', field: '', kind: 'type' }]);
});

test('no body at all lacks each required member', () => {
  const fields = native(undefined).map(({ field, kind }) => `${kind} ${field}`);
  expect(fields.sort()).toEqual(
    Object.keys(ORDER)
      .map((name) => `required /${name}`)
      .sort(),
  );
});

test('names of Object.prototype are members like others', () => {
  const body = JSON.parse('{"__proto__": 1, "constructor": 2, "toString": 3}');
  const unknown = native({ ...ORDER, ...body });
  expect(native(Object.assign(body, ORDER)).map(({ field }) => field)).toEqual([
    '/__proto__',
    '/constructor',
    '/toString',
  ]);
  expect(unknown.length).toBeGreaterThan(1);
});

test('v2 takes what any operation of v2 documents, and JSON of another shape than the documented one', () => {
  const { match } = operations.match('v2', 'POST', '/pay/unifiedorder');
  const fields = {
    appid: 'wx8888888888888888',
    mch_id: '1900000109',
    sub_mch_id: '1900000110',
    nonce_str: 'x',
    sign: 'x',
    body: 'Tea',
    out_trade_no: 'ORDER-1',
    total_fee: '1',
    spbill_create_ip: '127.0.0.1',
    notify_url: 'https://shop.example/notify',
    trade_type: 'MWEB',
    scene_info: '{"h5_info":{"type":"Wap"}}',
    attach: '',
  };
  const check = (body: object) => validate(match?.operation as never, { body }).map(({ field }) => field);
  expect(check(fields)).toEqual([]);
  expect(check({ ...fields, zzz: '1' })).toEqual(['/zzz']);
  expect(check({ ...fields, scene_info: '{"store_info":{"name":"x"}}' })).toEqual(['/scene_info/store_info/id']);
  expect(check({ ...fields, total_fee: '0.01' })).toEqual(['/total_fee']);
});

test('an upload without meta, or without a file', () => {
  const { match } = operations.match('v3', 'POST', '/v3/merchant/media/upload');
  const body = { filename: 'a.png', sha256: 'x' };
  const check = (parts: object) => validate(match?.operation as never, parts).map(({ field }) => field);
  expect(check({ body, files: ['file'] })).toEqual([]);
  expect(check({ body, files: [] })).toEqual(['/file']);
  expect(check({ files: ['file'] })).toEqual(['/meta']);
  expect(check({ body: { filename: 'a.png' }, files: ['file'] })).toEqual(['/meta/sha256']);
});

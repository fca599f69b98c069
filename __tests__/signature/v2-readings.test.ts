import fc from 'fast-check';
import type { SignatureError } from '../../lib/errors';
import {
  ECHOED,
  IDENTITY,
  isKind,
  KINDS,
  MERCHANT_FIELDS,
  refuseAmbiguousRequest,
  refuseSecondReading,
  TEXTS,
  unnumbered,
  WRITTEN,
} from '../../lib/signature/v2-readings';

type Pairs = [name: string, value: string][];
type Fields = Record<string, string>;

/** The fields of a payment, as WeChat Pay documents them. */
const PAYMENT: Fields = {
  appid: 'wx2421b1c4370ec43b',
  attach: '',
  bank_type: 'CMC',
  cash_fee: '1',
  fee_type: 'CNY',
  is_subscribe: 'Y',
  mch_id: '1900000109',
  nonce_str: '5d2b6c2a8db53831f7eda20af46e531c',
  openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
  out_trade_no: 'CHEAP',
  result_code: 'SUCCESS',
  return_code: 'SUCCESS',
  time_end: '20140903131540',
  total_fee: '1',
  trade_type: 'JSAPI',
  transaction_id: '1004400740201409030005092168',
};

const ORDER: Fields = {
  appid: 'wx2421b1c4370ec43b',
  attach: '',
  body: 'tea',
  mch_id: '1900000109',
  nonce_str: '5d2b6c2a8db53831f7eda20af46e531c',
  notify_url: 'https://shop.example/notify',
  openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
  out_trade_no: 'CHEAP',
  spbill_create_ip: '127.0.0.1',
  total_fee: '1',
  trade_type: 'JSAPI',
};

const CONTRACT: Fields = {
  change_type: 'ADD',
  contract_code: 'C1',
  contract_display_account: '',
  contract_expired_time: '2030-01-01 00:00:00',
  contract_id: 'W1',
  mch_id: '1900000109',
  openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
  operate_time: '2020-01-01 00:00:00',
  plan_id: '1',
  request_serial: '1',
  result_code: 'SUCCESS',
  return_code: 'SUCCESS',
};

const EVERYTHING =
  'x&mch_id=1900000109&out_trade_no=BIG&result_code=SUCCESS&return_code=SUCCESS&total_fee=1000000&zz=1';

function codeOf(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as SignatureError).code;
  }
}

const received = (fields: Fields) => codeOf(() => refuseSecondReading(fields, 'notification'));
const requested = (fields: Fields) => codeOf(() => refuseAmbiguousRequest(fields));

function textOf(fields: Fields): string {
  const names = Object.keys(fields).filter((name) => fields[name] !== '');
  return names
    .sort()
    .map((name) => `${name}=${fields[name]}`)
    .join('&');
}

/** Every way to split a text into fields whose names ascend and whose values are not empty. */
function readings(text: string): Pairs[] {
  const split = (from: number, above: string): Pairs[] => {
    const equals = text.indexOf('=', from);
    const name = equals < 0 ? '' : text.slice(from, equals);
    if (!/^[A-Za-z_][\w.-]*$/.test(name) || name <= above) return [];
    const found: Pairs[] = equals + 1 < text.length ? [[[name, text.slice(equals + 1)]]] : [];
    for (let end = text.indexOf('&', equals + 2); end >= 0; end = text.indexOf('&', end + 1)) {
      for (const rest of split(end + 1, name)) found.push([[name, text.slice(equals + 1, end)], ...rest]);
    }
    return found;
  };
  return split(0, '');
}

const isWritten = (name: string) => WRITTEN.has(unnumbered(name));
const isKnown = (name: string) => isWritten(name) || TEXTS.has(unnumbered(name));

/** The rule, said once more without an algorithm: whether one of the readings is another message. */
function hasSecond(fields: Fields, kind: readonly string[], counts: (name: string) => boolean): boolean {
  const text = textOf(fields);
  const begins = (pairs: Pairs) => {
    let at = 0;
    return pairs.map(([name, value]) => {
      const begin = at;
      at += name.length + value.length + 2;
      return begin;
    });
  };
  const own = new Set(
    begins(readings(text).find((one) => textOf(Object.fromEntries(one)) === text && same(one, fields)) ?? []),
  );
  return readings(text).some((pairs) => {
    const names = pairs.map(([name]) => name);
    if (!kind.every((name) => names.includes(name))) return false;
    if (pairs.some(([name, value]) => isWritten(name) && value.includes('&'))) return false;
    const at = begins(pairs);
    return pairs.some(
      ([name, value], index) =>
        !own.has(at[index] as number) && counts(name) && !(isWritten(name) && fields[name] === value),
    );
  });
}

function same(pairs: Pairs, fields: Fields): boolean {
  const texts = Object.entries(fields).filter(([, value]) => value !== '');
  return pairs.length === texts.length && pairs.every(([name, value]) => fields[name] === value);
}

test.each([
  'uid=1&openid=o1',
  'a=1&b=2',
  'mch_id=1&x=2',
  'x&mch_id=1900000109',
  'store=1&out_trade_no=T1&total_fee=5',
  '&&',
  '=&=',
  'a&b',
])('a payment keeps its "attach": %s', (attach) => {
  expect([received({ ...PAYMENT, attach }), requested({ ...ORDER, attach })]).toEqual([undefined, undefined]);
});

test('a short URL is made of an address with the fields of a request', () => {
  for (const query of ['sign=X&appid=wx1&mch_id=1900000109&product_id=P&time_stamp=1&nonce_str=N']) {
    const fields = {
      appid: 'wx1',
      long_url: `weixin://wxpay/bizpayurl?${query}`,
      mch_id: '1900000109',
      nonce_str: 'N',
    };
    expect(requested(fields)).toBe(undefined);
  }
});

test.each<[string, Fields]>([
  ['a payment of another order', { ...PAYMENT, attach: EVERYTHING }],
  ['another bank', { ...PAYMENT, attach: 'x&bank_type=ABC&bb=1' }],
  [
    'a contract without end',
    { ...CONTRACT, contract_display_account: 'Eve&contract_expired_time=2099-01-01&contract_f=1' },
  ],
  [
    'a message of another kind',
    { ...CONTRACT, contract_display_account: 'Eve&mch_id=1900000109&out_trade_no=1&return_code=SUCCESS&s=1' },
  ],
])('a message of which somebody could make %s is refused', (_, fields) => {
  expect(received(fields)).toBe('ERR_SIGNATURE_AMBIGUOUS');
});

test('the error names the field, says to query, and quotes no value', () => {
  const make = () => refuseSecondReading({ ...PAYMENT, attach: `typed${EVERYTHING}` }, 'notification');
  expect(make).toThrow(/"attach".*query/s);
  expect(make).not.toThrow(/typed|BIG/);
});

test.each<[string, Fields, string]>([
  [
    'another order',
    { ...ORDER, attach: 'x&body=tea&mch_id=1900000109&nonce_str=n&notify_url=http://evil&out_trade_no=BIG&s=1' },
    'attach',
  ],
  ['another description', { ...ORDER, attach: 'x&body=gold&c=1' }, 'attach'],
  ['one with a field more', { ...ORDER, body: 'tea&detail=gold' }, 'body'],
  ['a payment notification', { ...ORDER, attach: EVERYTHING }, 'attach'],
  [
    'a payment notification, from a redirect URL',
    {
      appid: 'wx1',
      contract_code: 'C1',
      contract_display_account: EVERYTHING,
      mch_id: '1900000109',
      plan_id: '1',
      timestamp: '1',
    },
    'contract_display_account',
  ],
])('a request that could be read as %s is refused', (_, fields, name) => {
  expect(requested(fields)).toBe('ERR_INVALID_ARGUMENT');
  expect(() => refuseAmbiguousRequest(fields)).toThrow(`"${name}"`);
});

/** What a stranger might type: pieces of fields. */
const typed = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'x',
        '&',
        '=',
        'a=1',
        'attach=1',
        'bank_type=ABC',
        'zz=1',
        'b=2',
        'mch_id',
        'mch_id=',
        'contract_expired_time=2099',
      ),
      fc.constantFrom('mch_id=1900000109', 'mch_id=2', 'out_trade_no=BIG', 'out_trade_no=CHEAP', 'return_code=SUCCESS'),
      fc.constantFrom('result_code=SUCCESS', 'total_fee=1000000', 'total_fee=', 'transaction_id=9', 'nonce_str=n'),
      fc.constantFrom('body=gold', 'detail=', 'notify_url=http://evil', 'change_type=ADD', 'event_type=CHECK.SUCCESS'),
    ),
    { maxLength: 7 },
  )
  .chain((pieces) => fc.constantFrom(pieces, [...pieces].sort()))
  .map((pieces) => `x&${pieces.join('&')}`);

/** Few fields, so that all readings can be gone through. */
const few = (fields: Fields, ...names: string[]) =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => names.includes(name)));
const payment = typed.map((attach) => ({
  ...few(PAYMENT, 'appid', 'bank_type', 'mch_id', 'out_trade_no', 'return_code', 'total_fee'),
  attach,
}));
const contract = typed.map((contract_display_account) => ({
  ...few(CONTRACT, 'change_type', 'contract_id', 'mch_id', 'return_code'),
  contract_display_account,
}));
const order = typed.map((attach) => ({
  ...few(ORDER, 'appid', 'body', 'mch_id', 'nonce_str', 'out_trade_no', 'total_fee'),
  attach,
}));

test('of what is received, what has a second reading is refused, and nothing else', () => {
  fc.assert(
    fc.property(fc.oneof(payment, contract), (fields) => {
      const second = KINDS.some((kind) => hasSecond(fields, kind, isKnown));
      expect(received(fields)).toBe(second ? 'ERR_SIGNATURE_AMBIGUOUS' : undefined);
    }),
    { numRuns: 600 },
  );
}, 120_000);

test('of requests, those that have a second reading are refused, and no other', () => {
  fc.assert(
    fc.property(order, (fields) => {
      const names = Object.keys(fields);
      const request = names.filter((name) => name === 'nonce_str' || MERCHANT_FIELDS.includes(name));
      const counts = (name: string) => (names.includes(name) || isKnown(name)) && !IDENTITY.has(name);
      const second = hasSecond(fields, request, counts) || KINDS.some((kind) => hasSecond(fields, kind, isKnown));
      expect(requested(fields)).toBe(second ? 'ERR_INVALID_ARGUMENT' : undefined);
    }),
    { numRuns: 600 },
  );
}, 120_000);

test('whatever is typed, no other reading of a message is taken for a message', () => {
  let passed = 0;
  fc.assert(
    fc.property(fc.oneof(payment, contract), (fields) => {
      const taken = readings(textOf(fields))
        .filter((pairs) => !same(pairs, fields))
        .map((pairs): Fields => Object.fromEntries(pairs))
        // What a notification must be, and what the rule refuses.
        .filter((forged) => isKind(forged) && received(forged) === undefined);
      passed += Number(received(fields) === undefined);
      expect(taken.filter((forged) => !isBeyondTelling(forged, fields))).toEqual([]);
    }),
    { numRuns: 300 },
  );
  // Most of what is typed does no harm, and is not refused.
  expect(passed).toBeGreaterThan(150);
}, 120_000);

/**
 * What no receiver can tell: a documented, optional member between the text and the member behind it. The request that
 * brings the text is refused, and so is the message that holds it.
 */
function isBeyondTelling(forged: Fields, fields: Fields): boolean {
  return received(fields) === 'ERR_SIGNATURE_AMBIGUOUS' && [...ECHOED].some((name) => fields[name] !== forged[name]);
}

test('a text that was cut where no member begins is told', () => {
  expect(received({ ...PAYMENT, attach: 'a=1&b=2' })).toBe(undefined);
  expect(received({ ...PAYMENT, attach: 'a=1', b: '2' })).toBe('ERR_SIGNATURE_AMBIGUOUS');
});

test('the names of each kind ascend, and are texts of programs', () => {
  for (const kind of KINDS) expect([...kind].sort()).toEqual(kind);
});

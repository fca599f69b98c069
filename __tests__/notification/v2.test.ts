import { randomUUID } from 'node:crypto';
import { Builder } from '../../lib/builder';
import type { V2Notification } from '../../lib/notification';
import * as Notifications from '../../lib/notification';
import { rejection } from '../support/rejection';
import {
  apiv3Key,
  certs,
  flipped,
  PAYMENT,
  REFUND,
  refund,
  reqInfo,
  type Sent,
  seal,
  secret,
  v2,
  v2Sign,
  xml,
} from './support';

const notifications = Notifications.of({ certs, apiv3Key, secret });
const parse = (sent: Sent) => notifications.parse<V2Notification>(sent);

/** Objects of XML have no prototype. */
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

test.each(['md5', 'sha256'] as const)('a notification signed with %s comes out verified', async (type) => {
  const fields = { ...PAYMENT, sign: v2Sign(PAYMENT, type) };
  expect(plain(await parse(v2(PAYMENT, type)))).toEqual({
    protocol: 'v2',
    id: expect.stringMatching(/^[0-9a-f]{64}$/),
    resource: fields,
    envelope: fields,
    verified: true,
  });
});

test('XML counts as XML whatever its headers say', async () => {
  const { body } = v2();
  expect(await parse({ headers: { 'content-type': 'application/json' }, body: `\n ${body}` })).toMatchObject({
    protocol: 'v2',
  });
});

test('a refund comes out decrypted, and vouched for by nobody', async () => {
  const { resource, envelope, verified } = await parse(refund({ result_code: 'SUCCESS', transaction_id: '4200001' }));
  expect(verified).toBe(false);
  expect(plain(resource)).toEqual(REFUND);
  expect(envelope).toMatchObject({ result_code: 'SUCCESS', transaction_id: '4200001' });
});

test('a refund put together from pieces of two others is not said to be verified', async () => {
  const member = 'refund_status><![CDATA[';
  // Both have the member at the same place, 16 bytes being a block.
  const success = { out_refund_no: '1'.repeat(16), refund_status: `SUCCESS${' '.repeat(25)}` };
  const change = { out_refund_no: '9'.repeat(16), refund_status: `CHANGE${' '.repeat(26)}` };
  const [from, into] = [success, change].map((fields) => Buffer.from(reqInfo(fields), 'base64')) as [Buffer, Buffer];
  const at = xml(change).replace('xml>', 'root>').indexOf(member) + member.length;
  const [start, end] = [Math.floor(at / 16) * 16, Math.ceil((at + 7) / 16) * 16];
  const spliced = Buffer.concat([into.subarray(0, start), from.subarray(start, end), into.subarray(end)]);
  const { resource, verified } = await parse(refund({ req_info: spliced.toString('base64') }));
  expect(resource).toMatchObject({
    out_refund_no: change.out_refund_no,
    refund_status: expect.stringMatching(/^SUCCESS/),
  });
  expect(verified).toBe(false);
});

test('what a refund does not vouch for makes neither its id nor its type', async () => {
  const { id, event_type } = await parse(refund({ event_id: 'EV-1', event_type: 'CHECK.SUCCESS' }));
  expect([id, event_type]).toEqual([(await parse(refund())).id, undefined]);
});

test('a body as large as the configuration allows is read', async () => {
  const sent = v2({ ...PAYMENT, attach: 'x'.repeat(1_200_000) });
  expect(await rejection(parse(sent))).toMatchObject({ code: 'ERR_BODY_TOO_LARGE' });
  expect(await Notifications.of({ secret, maxBodySize: 2_000_000 }).parse(sent)).toMatchObject({ protocol: 'v2' });
});

test('a content in AES-GCM comes out decrypted', async () => {
  const fields = {
    mch_id: '10000100',
    algorithm: 'HMAC-SHA256',
    event_id: randomUUID(),
    event_type: 'CHECK.SUCCESS',
    event_nonce: 'abcdef012345',
    event_associated_data: 'payscore',
    event_ciphertext: seal(xml({ state: 'USER_ACCEPTED' }), 'abcdef012345', 'payscore'),
  };
  const sent = v2(fields, 'sha256');
  expect(plain(await parse(sent))).toMatchObject({
    id: fields.event_id,
    event_type: 'CHECK.SUCCESS',
    resource: { state: 'USER_ACCEPTED' },
  });
  expect(await rejection(Notifications.of({ secret }).parse(sent))).toMatchObject({
    message: expect.stringContaining('"apiv3Key"'),
  });
  expect(await rejection(Notifications.of({ secret, apiv3Key: 'x'.repeat(32) }).parse(sent))).toMatchObject({
    name: 'ConfigurationError',
  });
});

test('repeats have the same id, other notifications another', async () => {
  const ids = async (...sent: Sent[]) => new Set(await Promise.all(sent.map(async (one) => (await parse(one)).id)));
  expect(await ids(v2(), v2({ ...PAYMENT, nonce_str: 'other' }), v2(PAYMENT, 'sha256'))).toHaveProperty('size', 1);
  expect(await ids(refund(), refund({ nonce_str: 'other' }))).toHaveProperty('size', 1);
  const others = [v2(), v2({ ...PAYMENT, transaction_id: '1' }), refund(), refund({ req_info: reqInfo({ a: 'b' }) })];
  expect(await ids(...others)).toHaveProperty('size', 4);
});

const ORDER = {
  appid: 'wx1',
  body: 'tea',
  mch_id: '10000100',
  nonce_str: 'x',
  notify_url: 'https://shop.example/notify',
  out_trade_no: '1',
  total_fee: '1',
};

/** A payment of one fen, as WeChat Pay documents it; and what its buyer may have typed, 127 bytes at most. */
const PAID: Record<string, string> = {
  ...PAYMENT,
  bank_type: 'CMC',
  cash_fee: '1',
  fee_type: 'CNY',
  is_subscribe: 'Y',
  openid: 'oUpF8uMEb4qRXf22hE3X68TekukE',
  out_trade_no: 'CHEAP',
  trade_type: 'JSAPI',
};
const TYPED = 'x&mch_id=10000100&out_trade_no=BIG&result_code=SUCCESS&return_code=SUCCESS&total_fee=1000000&zz=1';

test.each<[string, Sent, object]>([
  ['no sign and no req_info', { headers: {}, body: xml(PAYMENT) }, { code: 'ERR_SIGNATURE_MISSING' }],
  ['an empty sign', { headers: {}, body: xml({ ...PAYMENT, sign: '' }) }, { code: 'ERR_SIGNATURE_WRONG' }],
  [
    'the sign of another key',
    { headers: {}, body: xml({ ...PAYMENT, sign: v2Sign(PAYMENT, 'md5', 'x'.repeat(32)) }) },
    { code: 'ERR_SIGNATURE_WRONG' },
  ],
  [
    'a sign in lower case',
    { headers: {}, body: xml({ ...PAYMENT, sign: v2Sign(PAYMENT).toLowerCase() }) },
    { code: 'ERR_SIGNATURE_WRONG' },
  ],
  [
    'elements within elements',
    { headers: {}, body: v2().body.replace('</xml>', '<x><y>1</y></x></xml>') },
    { code: 'ERR_SIGNATURE_WRONG' },
  ],
  [
    'a field twice',
    { headers: {}, body: v2().body.replace('</xml>', '<total_fee>1</total_fee></xml>') },
    { code: 'ERR_SIGNATURE_WRONG' },
  ],
  [
    'what a page pays with, signed with the same key',
    v2({ appId: 'wx1', timeStamp: '1700000000', nonceStr: 'x', package: 'prepay_id=1', signType: 'MD5' }),
    { code: 'ERR_SIGNATURE_WRONG', message: expect.stringContaining('mch_id') },
  ],
  [
    'the code of a native payment, signed with the same key',
    v2({ appid: 'wx1', mch_id: '1', nonce_str: 'x', product_id: 'p', time_stamp: '1700000000' }),
    { code: 'ERR_SIGNATURE_WRONG' },
  ],
  ['an order, signed with the same key', v2(ORDER), { code: 'ERR_SIGNATURE_WRONG' }],
  ['a second reading', v2({ ...PAID, attach: TYPED }), { code: 'ERR_SIGNATURE_AMBIGUOUS' }],
  ['req_info of another key', refund({}, 'x'.repeat(32)), { code: 'ERR_SIGNATURE_WRONG' }],
  ['req_info that is no Base64', refund({ req_info: '###' }), { code: 'ERR_SIGNATURE_WRONG' }],
  ['req_info under a wrong sign', refund({ sign: '0'.repeat(32) }), { code: 'ERR_SIGNATURE_WRONG' }],
  ['a return_code of failure', refund({ return_code: 'FAIL' }), { name: 'ApiError', code: 'FAIL' }],
  [
    'a signed return_code of failure',
    v2({ ...PAYMENT, return_code: 'FAIL', return_msg: 'why' }),
    { name: 'ApiError', message: 'why' },
  ],
  [
    'a return_code of failure alone',
    { headers: {}, body: xml({ return_code: 'FAIL', return_msg: 'why' }) },
    { name: 'ApiError', return_code: 'FAIL' },
  ],
  ['no end', { headers: {}, body: v2().body.slice(0, -9) }, { code: 'ERR_BODY_NOT_XML' }],
  ['a DTD', { headers: {}, body: `<!DOCTYPE xml>${v2().body}` }, { code: 'ERR_BODY_NOT_XML' }],
])('a notification with %s is refused', async (_, sent, error) => {
  expect(await rejection(parse(sent))).toMatchObject(error);
});

describe.each(['md5', 'sha256'] as const)('of a sign that is good for two messages: %s', (type) => {
  /** The same sign over the same text, split elsewhere. */
  const resplit = (fields: Record<string, string>, split: Record<string, string>): Sent => {
    const { sign: _, ...own } = fields;
    const sign = v2Sign(own, type);
    expect(v2Sign(split, type)).toBe(sign);
    return v2Body({ ...split, sign });
  };
  const v2Body = (fields: Record<string, string>): Sent => ({ headers: {}, body: xml(fields) });

  test('a payment is not made into another, and process() not called', async () => {
    const genuine = { ...PAID, attach: TYPED };
    const names = [
      'bank_type',
      'cash_fee',
      'fee_type',
      'is_subscribe',
      'mch_id',
      'nonce_str',
      'openid',
      'out_trade_no',
    ];
    const others = [...names, 'result_code', 'return_code', 'total_fee', 'trade_type', 'transaction_id'] as const;
    const forged = {
      appid: PAYMENT.appid ?? '',
      attach: 'x',
      mch_id: '10000100',
      out_trade_no: 'BIG',
      result_code: 'SUCCESS',
      return_code: 'SUCCESS',
      total_fee: '1000000',
      zz: ['1', ...others.map((name) => `${name}=${PAID[name]}`)].join('&'),
    };
    const process = jest.fn();
    const errors: unknown[] = [];
    const own = Notifications.of({ secret, onError: (error) => errors.push(error) });
    for (const { body } of [resplit(genuine, forged), v2(genuine, type)]) {
      const reply = await own.webHandler(process)(new Request('http://localhost/', { method: 'POST', body }));
      expect(reply.status).toBe(401);
    }
    expect(errors).toMatchObject([{ code: 'ERR_SIGNATURE_AMBIGUOUS' }, { code: 'ERR_SIGNATURE_AMBIGUOUS' }]);
    expect(process).not.toHaveBeenCalled();
  });

  test.each(['uid=1&openid=o1', 'a=1&b=2', 'shop=1&mch_id=10000100&out_trade_no=CHEAP'])(
    'a payment with the attach %s comes through, its pieces do not',
    async (attach) => {
      const genuine = { ...PAID, attach };
      expect(await parse(v2(genuine, type))).toMatchObject({ verified: true, resource: { attach } });
      const [first = '', ...rest] = attach.split('&');
      const names = Object.keys(PAID).sort();
      const [name = '', value = ''] = (rest[0] ?? '').split('=');
      // What of the genuine fields stands before the new one in the order becomes part of it.
      const swallowed = names.filter((own) => own > 'attach' && own <= name && PAID[own]);
      const tail = [...rest.slice(1), ...swallowed.map((own) => `${own}=${PAID[own]}`)];
      const kept = Object.fromEntries(Object.entries(PAID).filter(([own]) => !swallowed.includes(own)));
      const forged = { ...kept, attach: first, [name]: [value, ...tail].join('&') };
      expect(await rejection(parse(resplit(genuine, forged)))).toMatchObject({ name: 'SignatureError' });
    },
  );
});

test('a signed redirect URL is no notification', async () => {
  const { v2: chain } = Builder.factory({ mchid: '10000100', secret });
  const query = { appid: 'wx1', mch_id: '10000100', plan_id: 1, contract_code: 'C', request_serial: 1 };
  const more = {
    contract_display_account: 'Eve',
    notify_url: 'https://shop.example/',
    version: '1.0' as const,
    timestamp: '1',
  };
  const url = await chain.papay.entrustweb.get({ query: { ...query, ...more } }).text();
  const fields = Object.fromEntries(new URL(url).searchParams);
  expect(await rejection(parse({ headers: {}, body: xml(fields) }))).toMatchObject({
    code: 'ERR_SIGNATURE_WRONG',
    message: expect.stringContaining('redirect URL'),
  });
});

test('a result_code of failure is business, and comes through', async () => {
  const fields = { ...PAYMENT, result_code: 'FAIL', err_code: 'ORDERPAID' };
  expect(await parse(v2(fields))).toMatchObject({ resource: { err_code: 'ORDERPAID' } });
});

test.each(['md5', 'sha256'] as const)('a flipped bit anywhere changes no field or is refused: %s', async (type) => {
  const codes = new Set<string | undefined>();
  const { headers, body } = v2(PAYMENT, type);
  const { resource } = await parse({ headers, body });
  for (const change of flipped(body)) {
    try {
      // The fields are signed, not the bytes: such as `<![cDATA[` may pass.
      expect((await parse({ headers, body: change as never })).resource).toEqual(resource);
    } catch (error) {
      codes.add((error as { code?: string }).code ?? 'changed');
    }
  }
  // A flipped first bit makes it no XML: then signatures of APIv3 are missing.
  expect([...codes].sort()).toEqual(['ERR_BODY_NOT_XML', 'ERR_SIGNATURE_MISSING', 'ERR_SIGNATURE_WRONG']);
});

test('a flipped bit in req_info is refused', async () => {
  // Always the same key: 1 of some 10 million changes is no error, ECB having no tag.
  const key = '0123456789abcdef0123456789abcdef';
  const own = Notifications.of({ secret: key });
  const { body, headers } = refund({ req_info: reqInfo(REFUND, key) });
  const [start, end] = [body.indexOf('<req_info>'), body.indexOf('</req_info>')];
  const codes = new Set<string | undefined>();
  for (const change of flipped(body.slice(start + 19, end - 3))) {
    const changed = Buffer.concat([Buffer.from(body.slice(0, start + 19)), change, Buffer.from(body.slice(end - 3))]);
    codes.add((await rejection(own.parse({ headers, body: changed }))).code);
  }
  expect([...codes].sort()).toEqual(['ERR_BODY_NOT_XML', 'ERR_SIGNATURE_WRONG']);
});

import { clientOf, refusal, type Shop, useShop } from './shop';

let shop: Shop;
useShop((opened) => {
  shop = opened;
});

const [appid, out_trade_no, openid] = ['wx8888888888888888', 'ORDER-1', 'oUpF8uN95-Ptaags6E_roPHg7AG0'];
const [sp_appid, sub_mchid] = ['wx8888888888888888', '1900000999'];
const scene_info = { payer_client_ip: '14.23.150.211', h5_info: { type: 'Wap' } };
const contract_info = {
  ...{ plan_id: '123', contract_mchid: '1900000109', contract_appid: appid, contract_code: '100001256' },
  ...{ request_serial: '1695', contract_display_account: '张三' },
};
const own = (more: object = {}) => ({
  ...{ appid, mchid: shop.mchid, description: '茶', out_trade_no, notify_url: shop.notify_url },
  ...{ amount: { total: 100, currency: 'CNY' }, ...more },
});
const sub = (more: object = {}) => {
  const { appid: _, mchid: sp_mchid, ...rest } = own();
  return { ...rest, sp_appid, sp_mchid, sub_mchid, ...more };
};
const OWN = 'v3/pay/transactions';
const PARTNER = 'v3/pay/partner/transactions';
const place = (more?: object, product = 'native') => shop.post(`${OWN}/${product}`, own(more));
const placeSub = (more?: object, product = 'native') => shop.post(`${PARTNER}/${product}`, sub(more));
const query = (number = out_trade_no, mchid = shop.mchid) => shop.get(`${OWN}/out-trade-no/${number}`, { mchid });
const querySub = (more: Record<string, string> = {}) =>
  shop.get(`${PARTNER}/out-trade-no/${out_trade_no}`, { sp_mchid: shop.mchid, sub_mchid, ...more });
const close = (number = out_trade_no) => shop.post(`${OWN}/out-trade-no/${number}/close`, { mchid: shop.mchid });
const stateOf = async () => (await query()).trade_state;

const PREPAY_ID = expect.stringMatching(/^wx[0-3]\d[0-2]\d[0-5]\d[0-5]\d\d{6}[0-9a-f]{18}00$/);
const CODE_URL = expect.stringMatching(/^weixin:\/\/wxpay\/bizpayurl\?pr=\w{9}$/);
const H5_URL = expect.stringMatching(
  /^https:\/\/wx\.tenpay\.com\/cgi-bin\/mmpayweb-bin\/checkmweb\?prepay_id=wx\w{34}&package=\d{10}$/,
);
const TRANSACTION_ID = expect.stringMatching(/^4200\d{24}$/);
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00$/);

describe('placing', () => {
  test.each([
    ['native', {}, { code_url: CODE_URL }, 'NATIVE'],
    ['jsapi', { payer: { openid } }, { prepay_id: PREPAY_ID }, 'JSAPI'],
    ['app', {}, { prepay_id: PREPAY_ID }, 'APP'],
    ['h5', { scene_info }, { h5_url: H5_URL }, 'MWEB'],
    ['app-with-contract', { contract_info }, { prepay_id: PREPAY_ID }, 'APP'],
    ['jsapi-with-contract', { contract_info: { token: 'x' }, payer: { openid } }, { prepay_id: PREPAY_ID }, 'JSAPI'],
  ])('%s, for a merchant', async (product, more, expected, trade_type) => {
    expect(await place(more, product)).toEqual(expected);
    await shop.sandbox.pay(out_trade_no);
    expect(await query()).toMatchObject({ trade_state: 'SUCCESS', trade_type });
  });

  test.each([
    ['native', {}, { code_url: CODE_URL }, 'NATIVE'],
    ['jsapi', { payer: { sp_openid: openid } }, { prepay_id: PREPAY_ID }, 'JSAPI'],
    ['miniprogram', { sub_appid: appid, payer: { sub_openid: openid } }, { prepay_id: PREPAY_ID }, 'JSAPI'],
    ['app', {}, { prepay_id: PREPAY_ID }, 'APP'],
    ['h5', { scene_info }, { h5_url: H5_URL }, 'MWEB'],
    ['app-with-contract', { contract_info }, { prepay_id: PREPAY_ID }, 'APP'],
    ['jsapi-with-contract', { contract_info: {}, payer: { sp_openid: openid } }, { prepay_id: PREPAY_ID }, 'JSAPI'],
  ])('%s, for a partner', async (product, more, expected, trade_type) => {
    expect(await placeSub(more, product)).toEqual(expected);
    await shop.sandbox.pay(out_trade_no);
    expect(await querySub()).toMatchObject({ trade_state: 'SUCCESS', trade_type, sub_mchid });
  });

  test('takes any appid, and the day and time of the order are in its prepay_id', async () => {
    const { prepay_id } = await place({ appid: 'wx00000000000000aa', payer: { openid } }, 'jsapi');
    const [order] = shop.sandbox.orders;
    expect(prepay_id.slice(2, 10)).toBe(order?.create_time.replace(/\D/g, '').slice(6, 14));
  });

  test.each<[string, string, object, string]>([
    ['another merchant', 'native', { mchid: '1900000110' }, 'http header中的mchid与post payload中的mchid不匹配'],
    [
      'no openid',
      'jsapi',
      { payer: {} },
      '输入源“/body/payer/openid”映射到字段“用户标识”必填性规则校验失败，此字段为必填项: "/payer/openid" in the body is required but missing',
    ],
    [
      'a total of 0',
      'native',
      { amount: { total: 0 } },
      '"/amount/total" in the body must be an integer of at least 1',
    ],
    [
      'no absolute notify_url',
      'native',
      { notify_url: '/notify' },
      '"/notify_url" in the body must be an absolute http(s) URL',
    ],
    ['a query in notify_url', 'native', { notify_url: 'http://127.0.0.1/?a=1' }, 'without a query'],
    ['a long notify_url', 'native', { notify_url: `https://a.cn/${'x'.repeat(250)}` }, '字节数 263，大于最大值 255'],
    ['a short number', 'native', { out_trade_no: 'A-123' }, '字符串规则校验失败，字节数 5，小于最小值 6'],
    [
      'a long number',
      'native',
      { out_trade_no: 'x'.repeat(33) },
      '输入源“/body/out_trade_no”映射到值字段“商户订单号”字符串规则校验失败，字节数 33，大于最大值 32: "/out_trade_no" in the body must have at most 32 bytes',
    ],
    ['another letter in it', 'native', { out_trade_no: 'ORDER-?' }, '字符串必须匹配正则表达式'],
    ['no time', 'native', { time_expire: 'tomorrow' }, '"/time_expire" in the body must be a time such as'],
    [
      'no such time',
      'native',
      { time_expire: '2026-13-40T10:00:00+08:00' },
      '"/time_expire" in the body must be a time such as',
    ],
  ])('is refused with %s, and nothing is used up', async (_, product, more, message) => {
    const said = await refusal(place(more, product));
    expect(said).toMatch(/^400 PARAM_ERROR /);
    expect(said).toContain(message);
    expect(shop.sandbox.orders).toEqual([]);
    expect(await place()).toEqual({ code_url: CODE_URL });
  });

  test.each<[string, object, string]>([
    [
      'another partner',
      { sp_mchid: '1900000110' },
      'http header中的mchid与post payload中的mchid不匹配: "/sp_mchid" in the body must be 1900000109, the merchant that signed the request.',
    ],
    [
      'no openid',
      { payer: {} },
      'JSAPI支付必须传openid: "/payer/sp_openid" in the body is required but missing; add it.',
    ],
    [
      'sub_openid without sub_appid',
      { payer: { sub_openid: openid } },
      '"/sub_appid" in the body is required with payer.sub_openid.',
    ],
  ])('is refused with %s, for a partner', async (_, more, message) => {
    const said = await refusal(placeSub({ payer: { sp_openid: openid }, ...more }, 'jsapi'));
    expect(said).toBe(`400 PARAM_ERROR ${message}`);
  });

  test('again with the same parameters gives fresh links; the earlier ones are dead', async () => {
    const first = await place();
    const second = await place();
    expect(second).toEqual({ code_url: CODE_URL });
    expect(second).not.toEqual(first);
    expect(shop.sandbox.orders).toMatchObject([second]);
    await place({ out_trade_no: 'ORDER-2', payer: { openid } }, 'jsapi').then(async (before) => {
      expect(await place({ out_trade_no: 'ORDER-2', payer: { openid } }, 'jsapi')).not.toEqual(before);
    });
  });

  test('again with a ciphertext of the same identity is a repetition', async () => {
    const identity = { type: 'IDCARD', number: '11010119900101001X', name: '张三' };
    await place({ payer: { openid, identity } }, 'jsapi');
    expect(await place({ payer: { openid, identity } }, 'jsapi')).toEqual({ prepay_id: PREPAY_ID });
    const [one, other] = shop.sandbox.requests.slice(-2);
    expect(one?.body).not.toBe(other?.body);
  });

  test.each<[string, object, string?]>([
    ['amount', { amount: { total: 101, currency: 'CNY' } }],
    ['description', { description: '水' }],
    ['time_expire', { time_expire: '2030-01-01T00:00:00+08:00' }],
    ['notify_url', { notify_url: 'http://127.0.0.1:1/notify' }],
    ['trade type', {}, 'app'],
  ])('again with another %s is refused', async (_, more, product = 'native') => {
    await place();
    const message = '400 INVALID_REQUEST 请求重入时，参数与首次请求时不一致';
    expect(await refusal(place(more, product))).toBe(message);
    expect(await stateOf()).toBe('NOTPAY');
  });

  test('the number is unique over all merchants of a partner, and over its own orders', async () => {
    await placeSub();
    const message = '400 INVALID_REQUEST 请求重入时，参数与首次请求时不一致';
    expect(await refusal(placeSub({ sub_mchid: '1900000998' }))).toBe(message);
    expect(await refusal(place())).toBe(message);
    expect(await placeSub()).toEqual({ code_url: CODE_URL });
  });

  test('again once it is paid, closed or expired is refused', async () => {
    await place();
    await shop.sandbox.pay(out_trade_no);
    expect(await refusal(place())).toBe('400 ORDER_PAID 该订单已支付');
    await place({ out_trade_no: 'ORDER-2' });
    await close('ORDER-2');
    expect(await refusal(place({ out_trade_no: 'ORDER-2' }))).toBe('400 ORDER_CLOSED 订单已关闭');
    await place({ out_trade_no: 'ORDER-3' });
    await shop.sandbox.clock.advance({ days: 7 });
    expect(await refusal(place({ out_trade_no: 'ORDER-3' }))).toBe('400 ORDER_CLOSED 该订单已失效');
  });
});

describe('expiry', () => {
  const { advance } = { advance: (span: object) => shop.sandbox.clock.advance(span) };
  const at = (milliseconds: number) => new Date(shop.sandbox.clock.now() + milliseconds).toISOString();
  beforeEach(() => shop.sandbox.clock.freeze());
  afterEach(() => shop.sandbox.clock.resume());

  test('is 7 days after the order, where it does not say', async () => {
    await place();
    await advance({ days: 6, hours: 23, minutes: 59 });
    expect(await stateOf()).toBe('NOTPAY');
    await advance({ minutes: 1 });
    expect(await query()).toMatchObject({ trade_state: 'CLOSED', trade_state_desc: '订单已关闭' });
  });

  test.each<[string, number, object, object]>([
    ['at time_expire', 600_000, { minutes: 9, seconds: 59 }, { seconds: 1 }],
    ['not before a minute has passed', -600_000, { seconds: 59 }, { seconds: 1 }],
    ['not later than in 90 days', 100 * 86_400_000, { days: 89, hours: 23 }, { hours: 1 }],
  ])('is %s', async (_, time, before, rest) => {
    await place({ time_expire: at(time) });
    await advance(before);
    expect(await stateOf()).toBe('NOTPAY');
    await advance(rest);
    expect(await stateOf()).toBe('CLOSED');
    await expect(shop.sandbox.pay(out_trade_no)).rejects.toThrow('The order ORDER-1 cannot be paid: it is CLOSED.');
  });

  test('leaves paid orders alone', async () => {
    await place({ time_expire: at(120_000) });
    await shop.sandbox.pay(out_trade_no);
    await advance({ minutes: 3 });
    expect(await stateOf()).toBe('SUCCESS');
  });

  test('of the links is after 2 hours: the order must be placed again', async () => {
    await place();
    await advance({ hours: 2 });
    await expect(shop.sandbox.pay(out_trade_no)).rejects.toThrow('its prepay_id has expired after 2 hours');
    expect(await stateOf()).toBe('NOTPAY');
    await place();
    expect(await shop.sandbox.pay(out_trade_no)).toMatchObject({ delivered: true });
  });
});

describe('a query', () => {
  test('of an unpaid order of a merchant', async () => {
    await place({ attach: 'table 7' });
    expect(await query()).toEqual({
      ...{ amount: { payer_currency: 'CNY', total: 100 }, appid, mchid: shop.mchid, out_trade_no },
      ...{ promotion_detail: [], scene_info: { device_id: '' } },
      ...{ trade_state: 'NOTPAY', trade_state_desc: '订单未支付' },
    });
  });

  test('of a paid order of a merchant, by both numbers; its notification says the same', async () => {
    await place({ attach: 'table 7', payer: { openid } }, 'jsapi');
    expect(await shop.sandbox.pay(out_trade_no, { bank_type: 'CMB_DEBIT' })).toMatchObject({ delivered: true });
    const paid = await query();
    expect(paid).toEqual({
      amount: { currency: 'CNY', payer_currency: 'CNY', payer_total: 100, total: 100 },
      ...{ appid, attach: 'table 7', bank_type: 'CMB_DEBIT', mchid: shop.mchid, out_trade_no, payer: { openid } },
      ...{ promotion_detail: [], success_time: TIME, trade_state: 'SUCCESS', trade_state_desc: '支付成功' },
      ...{ trade_type: 'JSAPI', transaction_id: TRANSACTION_ID },
    });
    expect(await shop.get(`${OWN}/id/${paid.transaction_id}`, { mchid: shop.mchid })).toEqual(paid);
    expect(shop.notified).toEqual([['TRANSACTION.SUCCESS', paid]]);
  });

  test('of a paid order shows what it was placed with', async () => {
    const settle_info = { profit_sharing: true };
    await place({ scene_info: { ...scene_info, device_id: 'till 3' }, settle_info }, 'h5');
    await shop.sandbox.pay(out_trade_no);
    expect(await query()).toMatchObject({
      ...{ attach: '', bank_type: 'OTHERS', scene_info: { device_id: 'till 3' } },
      transaction_id: expect.stringMatching(/^4300\d{24}$/),
      payer: { openid: expect.stringMatching(/^o.{27}$/) },
    });
  });

  test('of an order of a partner, unpaid and paid; its notification says the same', async () => {
    await placeSub({ sub_appid: 'wxsub', payer: { sub_openid: 'oSub' } }, 'jsapi');
    const merchants = { sp_appid, sp_mchid: shop.mchid, sub_appid: 'wxsub', sub_mchid };
    expect(await querySub()).toEqual({
      ...{ ...merchants, amount: { payer_currency: 'CNY', total: 100 }, out_trade_no, promotion_detail: [] },
      ...{ scene_info: { device_id: '' }, trade_state: 'NOTPAY', trade_state_desc: '订单未支付' },
    });
    await shop.sandbox.pay(out_trade_no, { openid });
    const paid = await querySub();
    expect(paid).toEqual({
      ...{ ...merchants, amount: { currency: 'CNY', payer_currency: 'CNY', payer_total: 100, total: 100 } },
      ...{ attach: '', bank_type: 'OTHERS', out_trade_no, payer: { sp_openid: openid, sub_openid: 'oSub' } },
      ...{ promotion_detail: [], success_time: TIME, trade_state: 'SUCCESS', trade_state_desc: '支付成功' },
      ...{ trade_type: 'JSAPI', transaction_id: TRANSACTION_ID },
    });
    const byId = `${PARTNER}/id/${paid.transaction_id}`;
    expect(await shop.get(byId, { sp_mchid: shop.mchid, sub_mchid })).toEqual(paid);
    expect(shop.notified).toEqual([['TRANSACTION.SUCCESS', paid]]);
  });

  test('of a partner without sub_appid has no sub_openid', async () => {
    await placeSub();
    await shop.sandbox.pay(out_trade_no, { openid });
    expect(await querySub()).toMatchObject({ payer: { sp_openid: openid } });
    expect((await querySub()).payer).toEqual({ sp_openid: openid });
  });

  test('is refused by the rules of WeChat Pay', async () => {
    const other = clientOf(await shop.sandbox.addMerchant());
    const { sandbox, mchid } = shop;
    const unknown = '4200000000202601010000000000';
    expect(await refusal(query())).toBe('404 ORDER_NOT_EXIST 订单不存在');
    expect(await refusal(shop.get(`${OWN}/id/${unknown}`, { mchid }))).toBe('404 ORDER_NOT_EXIST 订单不存在');
    expect(await refusal(shop.get(`${OWN}/id/4200`, { mchid }))).toBe('500 INVALID_TRANSACTIONID 订单号非法');
    expect(await refusal(query(out_trade_no, '1900000110'))).toMatch(/^400 PARAM_ERROR http header中的mchid/);
    expect(await refusal(shop.get(`${OWN}/out-trade-no/${out_trade_no}`))).toMatch(/^400 PARAM_ERROR /);
    expect(await refusal(querySub())).toBe('404 ORDER_NOT_EXIST 订单不存在');

    await place();
    await sandbox.pay(out_trade_no);
    const { transaction_id } = await query();
    const own = other.get(`${OWN}/id/${transaction_id}`, { mchid: '1900000110' });
    expect(await refusal(own)).toBe('400 INVALID_REQUEST 商户号和订单不匹配');
    expect(await refusal(querySub())).toBe('400 INVALID_REQUEST 子商户号和订单信息不匹配');
    sandbox.reset();

    await placeSub();
    expect(await refusal(query())).toBe('400 INVALID_REQUEST 商户号和订单不匹配');
    expect(await refusal(querySub({ sub_mchid: '1' }))).toBe('400 INVALID_REQUEST 子商户号和订单信息不匹配');
    expect(await refusal(querySub({ sp_mchid: '1' }))).toMatch(/^400 PARAM_ERROR http header中的mchid/);
  });
});

describe('closing', () => {
  test('is done at once, again, and for a number that nobody knows', async () => {
    await place();
    expect(await close()).toEqual({ status: 204 });
    expect(await close()).toEqual({ status: 204 });
    expect(await close('NOBODY-KNOWS')).toEqual({ status: 204 });
    expect(await query()).toEqual({
      ...{ amount: { payer_currency: 'CNY', total: 100 }, appid, mchid: shop.mchid, out_trade_no },
      ...{ promotion_detail: [], scene_info: { device_id: '' } },
      ...{ trade_state: 'CLOSED', trade_state_desc: '订单已关闭' },
    });
  });

  test('is refused of a paid order, and of another merchant', async () => {
    await place();
    await shop.sandbox.pay(out_trade_no);
    expect(await refusal(close())).toBe('400 ORDER_PAID 订单已支付');
    const wrong = shop.post(`${OWN}/out-trade-no/${out_trade_no}/close`, { mchid: '1900000110' });
    expect(await refusal(wrong)).toMatch(/^400 PARAM_ERROR http header中的mchid/);
  });

  test('is the same for a partner', async () => {
    const path = `${PARTNER}/out-trade-no/${out_trade_no}/close`;
    const json = { sp_mchid: shop.mchid, sub_mchid };
    expect(await shop.post(path, json)).toEqual({ status: 204 });
    await placeSub();
    const wrong = shop.post(path, { ...json, sub_mchid: '1' });
    expect(await refusal(wrong)).toBe('400 INVALID_REQUEST 子商户号和订单信息不匹配');
    expect(await refusal(close())).toBe('400 INVALID_REQUEST 商户号和订单不匹配');
    expect(await shop.post(path, json)).toEqual({ status: 204 });
    expect(await querySub()).toMatchObject({ trade_state: 'CLOSED' });
  });
});

test('a handler of the user goes first, and reset forgets all payments', async () => {
  const remove = shop.sandbox.on('post', `${OWN}/native`, () => ({ code_url: 'mine' }));
  expect(await place()).toEqual({ code_url: 'mine' });
  remove();
  await place();
  shop.sandbox.reset();
  expect(await refusal(query())).toBe('404 ORDER_NOT_EXIST 订单不存在');
});

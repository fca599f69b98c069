import { client, isInstalled, openShop, type Shop } from './support';

type Params = Record<string, string | number>;
type Fields = Record<string, string>;
interface Context {
  request: { body: string; weixin?: Fields & { req_info: Fields } };
  reply(message?: string): void;
  body?: string;
}
interface Payment {
  urls: Record<string, string>;
  unifiedOrder(params: Params): Promise<Fields>;
  orderQuery(params: Params): Promise<Fields>;
  closeOrder(params: Params): Promise<Fields>;
  refund(params: Params): Promise<Fields>;
  refundQuery(params: Params): Promise<Fields>;
  downloadBill(params: Params): Promise<string>;
  sendCoupon(params: Params): Promise<Fields>;
  /** What its middleware does, which knows one sign type only. */
  _parse(xml: string, type: string, signType: string): Promise<Fields>;
  middleware(type: 'pay' | 'refund'): (context: Context, next: () => Promise<void>) => Promise<void>;
}

const described = isInstalled ? describe : describe.skip;
const APPID = 'wx8888888888888888';

described('tenpay (skipped without: npm ci --prefix __tests__/clients)', () => {
  let shop: Shop;
  let payment: Payment;

  beforeAll(async () => {
    shop = await openShop();
    const Payment = client<new (config: object) => Payment>('tenpay');
    const { mchid, secret, baseUrl } = shop.config;
    const { notify_url } = shop;
    payment = new Payment({ appid: APPID, mchid, partnerKey: secret, notify_url, refund_url: notify_url });
    const moved = Object.entries(payment.urls).map(([name, url]) => [name, url.replace(/^https:\/\/[^/]+\//, baseUrl)]);
    payment.urls = Object.fromEntries(moved);
  });
  afterAll(() => shop[Symbol.asyncDispose]());

  /** Its middleware for Koa, which verifies or decrypts, replies, and says what it has read. */
  function receive(type: 'pay' | 'refund') {
    const read: Context['request']['weixin'][] = [];
    shop.onNotified(async ({ body }) => {
      const context: Context = { request: { body }, reply: () => {} };
      await payment.middleware(type)(context, async () => {
        read.push(context.request.weixin);
        context.reply();
      });
      return String(context.body);
    });
    return read;
  }

  // It verifies the sign, appid and mch_id of each response.
  test.each(['MD5', 'HMAC-SHA256'])('%s: placed, paid, notified, queried, refunded', async (sign_type) => {
    const out_trade_no = `TENPAY-${sign_type}`;
    const placed = await payment.unifiedOrder({
      ...{ out_trade_no, body: '图书', total_fee: 888, sign_type, trade_type: 'NATIVE', product_id: '1' },
    });
    expect(placed).toMatchObject({ result_code: 'SUCCESS', code_url: expect.stringMatching(/^weixin:/) });
    expect(await payment.orderQuery({ out_trade_no, sign_type })).toMatchObject({ trade_state: 'NOTPAY' });

    const read: (Fields | undefined)[] = sign_type === 'MD5' ? receive('pay') : [];
    if (sign_type !== 'MD5') {
      // Notifications have no sign_type, and its middleware takes MD5 then.
      shop.onNotified(async ({ body }) => {
        read.push(await payment._parse(body, 'middleware_pay', sign_type));
        return '<xml><return_code>SUCCESS</return_code></xml>';
      });
    }
    expect(await shop.pay(out_trade_no)).toMatchObject({
      ...{ order: { trade_state: 'SUCCESS' }, notification: { delivered: true } },
    });
    const paid = { out_trade_no, total_fee: '888', transaction_id: expect.stringMatching(/^\d{28}$/) };
    expect(read).toMatchObject([{ ...paid, result_code: 'SUCCESS', appid: APPID }]);
    const queried = await payment.orderQuery({ out_trade_no, sign_type });
    expect(queried).toMatchObject({ ...paid, trade_state: 'SUCCESS', transaction_id: read[0]?.transaction_id });

    const out_refund_no = `R-${out_trade_no}`;
    const informed = receive('refund');
    const before = shop.notified.length;
    const refunded = await payment.refund({ out_trade_no, out_refund_no, total_fee: 888, refund_fee: 88, sign_type });
    expect(refunded).toMatchObject({ result_code: 'SUCCESS', out_refund_no, refund_fee: '88' });
    await shop.advance({ seconds: 2 });
    await shop.until(before + 1);
    expect(informed).toMatchObject([{ req_info: { out_refund_no, refund_status: 'SUCCESS' } }]);
    const found = await payment.refundQuery({ out_refund_no, sign_type });
    expect(found).toMatchObject({ refund_status_0: 'SUCCESS', refund_fee_0: '88', out_refund_no_0: out_refund_no });
  });

  test('an order is closed, and cannot be paid then', async () => {
    const out_trade_no = 'TENPAY-CLOSED';
    await payment.unifiedOrder({ out_trade_no, body: '图书', total_fee: 888, trade_type: 'NATIVE', product_id: '1' });
    expect(await payment.closeOrder({ out_trade_no })).toMatchObject({ result_code: 'SUCCESS' });
    expect(await payment.orderQuery({ out_trade_no })).toMatchObject({ trade_state: 'CLOSED' });
    await expect(shop.pay(out_trade_no)).rejects.toThrow(/: 409 /);
  });

  test('a coupon is sent', async () => {
    const sent = await payment.sendCoupon({
      ...{
        coupon_stock_id: '1757',
        partner_trade_no: '1000009820141203515766',
        openid: 'onqOjjrXT-776SpHnfexGm1_P7iE',
      },
    });
    expect(sent).toMatchObject({ result_code: 'SUCCESS', appid: APPID, mch_id: shop.config.mchid });
  });

  test('a wrong key is told', async () => {
    const Payment = client<new (config: object) => Payment>('tenpay');
    const { mchid, apiv3Key } = shop.config;
    const wrong = new Payment({ appid: APPID, mchid, partnerKey: apiv3Key });
    wrong.urls = payment.urls;
    await expect(wrong.orderQuery({ out_trade_no: '1' })).rejects.toThrow(/APIv3 key; it must use the APIv2 key/);
  });

  test('the bill of the day, plain and zipped', async () => {
    const bill_date = (await shop.day()).replaceAll('-', '');
    await expect(payment.downloadBill({ bill_date })).rejects.toThrow('Bill Creating');
    await shop.advance({ days: 2 });
    const bill = await payment.downloadBill({ bill_date });
    expect(bill).toMatch(/`TENPAY-MD5,.*SUCCESS/);
    expect(bill).toMatch(/R-TENPAY-HMAC-SHA256,`0\.88/);
    // It takes the bytes for text: the first of gzip, and the second as no UTF-8.
    const zipped = await payment.downloadBill({ bill_date, tar_type: 'GZIP' });
    expect(zipped.slice(0, 2)).toBe('\u001f\ufffd');
  });
});

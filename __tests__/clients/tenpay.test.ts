import { client, isInstalled, openShop, type Shop } from './support';

type Params = Record<string, string | number>;
interface Payment {
  urls: Record<string, string>;
  unifiedOrder(params: Params): Promise<Params>;
  orderQuery(params: Params): Promise<Params>;
}

const described = isInstalled ? describe : describe.skip;

described('tenpay (skipped without: npm ci --prefix __tests__/clients)', () => {
  let shop: Shop;
  let payment: Payment;

  beforeAll(async () => {
    shop = await openShop();
    const Payment = client<new (config: object) => Payment>('tenpay');
    const { mchid, secret, baseUrl } = shop.sandbox.config;
    payment = new Payment({ appid: 'wx8888888888888888', mchid, partnerKey: secret, notify_url: shop.notify_url });
    const moved = Object.entries(payment.urls).map(([name, url]) => [name, url.replace(/^https:\/\/[^/]+\//, baseUrl)]);
    payment.urls = Object.fromEntries(moved);
  });
  afterAll(() => shop[Symbol.asyncDispose]());

  // It verifies the sign, appid and mch_id of each response.
  test.each(['MD5', 'HMAC-SHA256'])('%s: placed, queried', async (sign_type) => {
    const out_trade_no = `TENPAY-${sign_type}`;
    const placed = await payment.unifiedOrder({
      ...{ out_trade_no, body: '图书', total_fee: 888, sign_type, trade_type: 'NATIVE', product_id: '1' },
    });
    expect(placed).toMatchObject({ result_code: 'SUCCESS', prepay_id: expect.any(String) });
    expect(await payment.orderQuery({ out_trade_no, sign_type })).toMatchObject({ out_trade_no });
  });

  test('a wrong key is told', async () => {
    const Payment = client<new (config: object) => Payment>('tenpay');
    const { mchid, apiv3Key } = shop.sandbox.config;
    const wrong = new Payment({ appid: 'wx8888888888888888', mchid, partnerKey: apiv3Key });
    wrong.urls = payment.urls;
    await expect(wrong.orderQuery({ out_trade_no: '1' })).rejects.toThrow(/APIv3 key; it must use the APIv2 key/);
  });
});

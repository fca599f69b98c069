import { gunzipSync } from 'node:zlib';
import { client, isInstalled, openShop, type Shop } from './support';

type Params = Record<string, unknown>;
interface Result {
  status: number;
  data: Params & { download_url?: string };
  error?: string;
}
interface Http {
  get(url: string, headers: object): Promise<Result>;
  post(url: string, params: Params, headers: object): Promise<Result>;
}
interface Pay {
  createHttp(service: Http): void;
  transactions_native(params: Params): Promise<Result>;
  transactions_jsapi(params: Params): Promise<Result>;
  transactions_app(params: Params): Promise<Result>;
  transactions_h5(params: Params): Promise<Result>;
  query(params: Params): Promise<Result>;
  close(out_trade_no: string): Promise<Result>;
  refunds(params: Params): Promise<Result>;
  find_refunds(out_refund_no: string): Promise<Result>;
  tradebill(params: Params): Promise<Result>;
  downloadBill(url: string): Promise<Result>;
  verifySign(params: Params): Promise<boolean>;
  decipher_gcm(ciphertext: string, associated_data: string, nonce: string, key: string): Params;
}

const HOST = 'https://api.mch.weixin.qq.com/';
const described = isInstalled ? describe : describe.skip;

described('wechatpay-node-v3 (skipped without: npm ci --prefix __tests__/clients)', () => {
  let shop: Shop;
  let pay: Pay;

  beforeAll(async () => {
    shop = await openShop();
    // It knows platform certificates only.
    await shop.control('POST sandbox/keys/rotate', { to: 'certificate' });
    const Pay = client<new (options: object) => Pay>('wechatpay-node-v3');
    const { PayRequest } = client<{ PayRequest: new () => Http }>('wechatpay-node-v3/dist/lib/pay-request');
    const { config } = shop;
    // Without serial_no: it reads the certificate.
    pay = new Pay({
      ...{ appid: 'wx8888888888888888', mchid: config.mchid, key: config.apiv3Key },
      ...{ publicKey: Buffer.from(config.certificate), privateKey: Buffer.from(config.privateKey) },
    });
    const http = new PayRequest();
    const moved = (target: string) => target.replace(HOST, config.baseUrl);
    pay.createHttp({
      get: (target, headers) => http.get(moved(target), headers),
      post: (target, params, headers) => http.post(moved(target), params, headers),
    });
  });
  afterAll(() => shop[Symbol.asyncDispose]());

  const order = (out_trade_no: string, more: object = {}): Params => ({
    ...{ description: '图书', out_trade_no, notify_url: shop.notify_url, amount: { total: 888, currency: 'CNY' } },
    ...more,
  });
  const scene_info = { payer_client_ip: '1.2.3.4', h5_info: { type: 'Wap' } };

  test.each<['native' | 'jsapi' | 'app' | 'h5', object]>([
    ['native', {}],
    ['jsapi', { payer: { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' } }],
    ['app', {}],
    ['h5', { scene_info }],
  ])('%s: placed, paid, notified, queried, refunded', async (kind, more) => {
    const out_trade_no = `NODEV3-${kind}-1`;
    expect(await pay[`transactions_${kind}`](order(out_trade_no, more))).toMatchObject({ status: 200 });

    expect(await shop.pay(out_trade_no)).toMatchObject({
      ...{ order: { trade_state: 'SUCCESS' }, notification: { delivered: true } },
    });
    const { headers, body } = shop.notified.at(-1) ?? { headers: {}, body: '' };
    const header = (name: string) => headers[`wechatpay-${name}`];
    const [timestamp, nonce, serial, signature] = ['timestamp', 'nonce', 'serial', 'signature'].map(header);
    const apiSecret = shop.config.apiv3Key;
    expect(await pay.verifySign({ timestamp, nonce, serial, signature, body, apiSecret })).toBe(true);
    const { resource } = JSON.parse(body);
    const paid = pay.decipher_gcm(resource.ciphertext, resource.associated_data, resource.nonce, apiSecret);
    expect(paid).toMatchObject({ out_trade_no, trade_state: 'SUCCESS' });

    const queried = await pay.query({ out_trade_no });
    expect(queried).toMatchObject({
      status: 200,
      data: { trade_state: 'SUCCESS', transaction_id: paid.transaction_id },
    });
    const amount = { refund: 88, total: 888, currency: 'CNY' };
    const out_refund_no = `R-${out_trade_no}`;
    expect(await pay.refunds({ out_trade_no, out_refund_no, amount })).toMatchObject({ status: 200 });
    await shop.advance({ seconds: 2 });
    expect(await pay.find_refunds(out_refund_no)).toMatchObject({ status: 200, data: { status: 'SUCCESS' } });
  });

  test('an order is closed', async () => {
    await pay.transactions_native(order('NODEV3-CLOSED'));
    expect(await pay.close('NODEV3-CLOSED')).toMatchObject({ status: 204 });
    expect(await pay.query({ out_trade_no: 'NODEV3-CLOSED' })).toMatchObject({ data: { trade_state: 'CLOSED' } });
  });

  test('an error is an error', async () => {
    const { status, error = '' } = await pay.query({ out_trade_no: 'NOBODY-KNOWS' });
    expect({ status, code: JSON.parse(error).code }).toEqual({ status: 404, code: 'ORDER_NOT_EXIST' });
  });

  test('the bill of the day, plain and zipped', async () => {
    const bill_date = await shop.day();
    await shop.advance({ days: 2 });
    for (const params of [{ bill_date }, { bill_date, tar_type: 'GZIP' }]) {
      const { data } = await pay.tradebill(params);
      // It takes the host away from URLs of WeChat Pay only, before it signs them.
      const file = await pay.downloadBill(String(data.download_url).replace(shop.config.baseUrl, HOST));
      const bytes = file.data as unknown;
      const text = Buffer.isBuffer(bytes) && 'tar_type' in params ? gunzipSync(bytes).toString() : String(bytes);
      expect(text).toContain('`NODEV3-native-1');
    }
  });
});

import { gunzipSync } from 'node:zlib';
import { client, isInstalled, openShop, type Shop, SUCCESS } from './support';

interface Chain {
  [segment: string]: Chain;
  get: Verb & Chain;
  post: Verb & Chain;
}
type Verb = (...given: object[]) => Promise<{ status: number; data: Record<string, unknown> }>;

interface Plugin {
  Wechatpay: new (config: object) => Chain;
  Rsa: { verify(message: string, signature: string, key: unknown): boolean };
  Aes: {
    AesGcm: { decrypt(ciphertext: string, key: string, iv: string, aad: string): string };
    AesEcb: { decrypt(ciphertext: string, key: string): string };
  };
  Hash: { sign(type: string, fields: object, key: string): string; md5(text: string): string };
  Transformer: { toObject(xml: string): Record<string, string> };
  Formatter: { response(timestamp: string, nonce: string, body: string): string };
}

const described = isInstalled ? describe : describe.skip;

described('wechatpay-axios-plugin (skipped without: npm ci --prefix __tests__/clients)', () => {
  let shop: Shop;
  let wxpay: Chain;
  let plugin: Plugin;

  beforeAll(async () => {
    shop = await openShop();
    plugin = client<Plugin>('wechatpay-axios-plugin');
    const { mchid, serial, privateKey, publicKeyId, publicKey, secret, baseUrl } = shop.config;
    const certs = { [publicKeyId]: publicKey };
    wxpay = new plugin.Wechatpay({ mchid, serial, privateKey, certs, secret, baseURL: baseUrl });
  });
  afterAll(() => shop[Symbol.asyncDispose]());

  const node = (path: string): Chain => path.split('.').reduce((chain, segment) => chain[segment] as Chain, wxpay);
  const order = (out_trade_no: string, more: object = {}) => ({
    appid: 'wx8888888888888888',
    mchid: shop.config.mchid,
    description: '图书',
    out_trade_no,
    notify_url: shop.notify_url,
    amount: { total: 888, currency: 'CNY' },
    ...more,
  });
  const scene_info = { payer_client_ip: '1.2.3.4', h5_info: { type: 'Wap' } };

  test.each<[string, object, RegExp]>([
    ['native', {}, /^weixin:/],
    ['jsapi', { payer: { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' } }, /^wx/],
    ['app', {}, /^wx/],
    ['h5', { scene_info }, /^https?:/],
  ])('%s: placed, paid, notified, queried, refunded', async (kind, more, opened) => {
    const out_trade_no = `AXIOS-${kind}-1`;
    const placed = await node(`v3.pay.transactions.${kind}`).post(order(out_trade_no, more));
    expect(Object.values(placed.data)).toEqual([expect.stringMatching(opened)]);

    expect(await shop.pay(out_trade_no)).toMatchObject({
      ...{ order: { trade_state: 'SUCCESS' }, notification: { delivered: true } },
    });
    const { headers, body } = shop.notified.at(-1) ?? { headers: {}, body: '' };
    const header = (name: string) => String(headers[`wechatpay-${name}`]);
    const text = plugin.Formatter.response(header('timestamp'), header('nonce'), body);
    const { publicKeyId, publicKey, apiv3Key, mchid } = shop.config;
    expect(header('serial')).toBe(publicKeyId);
    expect(plugin.Rsa.verify(text, header('signature'), publicKey)).toBe(true);
    const { ciphertext, nonce, associated_data } = JSON.parse(body).resource;
    const paid = JSON.parse(plugin.Aes.AesGcm.decrypt(ciphertext, apiv3Key, nonce, associated_data));
    expect(paid).toMatchObject({ out_trade_no, trade_state: 'SUCCESS', amount: { total: 888 } });

    const queried = await wxpay.v3?.pay?.transactions?.outTradeNo?.$out_trade_no$?.get({
      params: { mchid },
      out_trade_no,
    });
    expect(queried?.data).toMatchObject({ out_trade_no, trade_state: 'SUCCESS', transaction_id: paid.transaction_id });

    const amount = { refund: 88, total: 888, currency: 'CNY' };
    const refunded = await node('v3.refund.domestic.refunds').post({
      out_trade_no,
      out_refund_no: `R-${out_trade_no}`,
      amount,
    });
    expect(refunded.data).toMatchObject({ status: 'PROCESSING', out_trade_no });
    await shop.advance({ seconds: 2 });
    const found = await wxpay.v3?.refund?.domestic?.refunds?.$out_refund_no$?.get({
      out_refund_no: `R-${out_trade_no}`,
    });
    expect(found?.data).toMatchObject({ status: 'SUCCESS' });
  });

  test('a coupon is used', async () => {
    const { data } = await node('v3.marketing.busifavor.coupons.use').post({
      ...{ coupon_code: 'sxxe34343434', stock_id: '100088', appid: 'wx1234567889999' },
      ...{ use_time: '2015-05-20T13:29:35+08:00', use_request_no: '1', openid: 'xsd3434454567676' },
    });
    expect(data).toMatchObject({ stock_id: '100088' });
  });

  test('an error is an error', async () => {
    const query = wxpay.v3?.pay?.transactions?.outTradeNo?.$out_trade_no$?.get({
      ...{ params: { mchid: shop.config.mchid }, out_trade_no: 'NOBODY-KNOWS' },
    });
    await expect(query).rejects.toMatchObject({ response: { status: 404, data: { code: 'ORDER_NOT_EXIST' } } });
  });

  test.each(['', 'MD5', 'HMAC-SHA256'])(
    'v2, sign_type "%s": placed, paid, notified, queried, refunded',
    async (type) => {
      const { mchid, secret } = shop.config;
      const fields = { appid: 'wx8888888888888888', mch_id: mchid, ...(type !== '' && { sign_type: type }) };
      const [out_trade_no, out_refund_no] = [`AXIOS-V2-${type}`, `R-AXIOS-V2-${type}`];
      const placed = await node('v2.pay.unifiedorder').post({
        ...{ ...fields, out_trade_no, body: '图书', total_fee: 888, spbill_create_ip: '1.2.3.4' },
        ...{ notify_url: shop.notify_url, trade_type: 'NATIVE', product_id: '1' },
      });
      expect(placed.data).toMatchObject({ result_code: 'SUCCESS', appid: fields.appid, mch_id: mchid });
      expect(placed.data).toHaveProperty('prepay_id');

      const read: Record<string, string>[] = [];
      shop.onNotified(({ body }) => {
        const { sign, ...rest } = plugin.Transformer.toObject(body);
        expect(plugin.Hash.sign(type === '' ? 'MD5' : type, rest, secret)).toBe(sign);
        read.push(rest);
        return SUCCESS;
      });
      expect(await shop.pay(out_trade_no)).toMatchObject({ notification: { delivered: true } });
      expect(read).toMatchObject([{ out_trade_no, total_fee: '888', result_code: 'SUCCESS' }]);
      const queried = await node('v2.pay.orderquery').post({ ...fields, out_trade_no });
      expect(queried.data).toMatchObject({ trade_state: 'SUCCESS', transaction_id: read[0]?.transaction_id });

      const informed: Record<string, string>[] = [];
      shop.onNotified(({ body }) => {
        const { req_info = '' } = plugin.Transformer.toObject(body);
        const xml = plugin.Aes.AesEcb.decrypt(req_info, plugin.Hash.md5(secret));
        informed.push(plugin.Transformer.toObject(xml));
        return SUCCESS;
      });
      const before = shop.notified.length;
      const refunded = await node('v2.secapi.pay.refund').post({
        ...{ ...fields, out_trade_no, out_refund_no, total_fee: 888, refund_fee: 88, notify_url: shop.notify_url },
      });
      expect(refunded.data).toMatchObject({ result_code: 'SUCCESS', out_refund_no, refund_fee: '88' });
      await shop.advance({ seconds: 2 });
      await shop.until(before + 1);
      expect(informed).toMatchObject([{ out_refund_no, refund_status: 'SUCCESS' }]);
      const found = await node('v2.pay.refundquery').post({ ...fields, out_refund_no });
      expect(found.data).toMatchObject({ refund_status_0: 'SUCCESS', refund_fee_0: '88' });
    },
  );

  test('the bill of the day, plain and zipped', async () => {
    const bill_date = await shop.day();
    await shop.advance({ days: 2 });
    for (const params of [{ bill_date }, { bill_date, tar_type: 'GZIP' }]) {
      const { data } = await node('v3.bill.tradebill').get({ params });
      const url = new URL(String(data.download_url));
      const file = await node('v3.billdownload.file').get({
        ...{ params: { token: url.searchParams.get('token') }, responseType: 'arraybuffer', transformResponse: [] },
      });
      const bytes = Buffer.from(file.data as unknown as ArrayBuffer);
      const text = ('tar_type' in params ? gunzipSync(bytes) : bytes).toString();
      expect(text).toContain('`AXIOS-native-1');
    }
  });

  test('the bill of the day of v2, plain and zipped', async () => {
    const bill_date = (await shop.day()).replaceAll('-', '');
    const placed = { out_trade_no: 'AXIOS-V2-BILLED', total_fee: 888, body: '图书', spbill_create_ip: '1.2.3.4' };
    const fields = { appid: 'wx8888888888888888', mch_id: shop.config.mchid };
    const more = { notify_url: shop.notify_url, trade_type: 'NATIVE', product_id: '1' };
    shop.onNotified(() => SUCCESS);
    await node('v2.pay.unifiedorder').post({ ...fields, ...placed, ...more });
    await shop.pay('AXIOS-V2-BILLED');
    await shop.advance({ days: 2 });
    for (const tar_type of [{}, { tar_type: 'GZIP' }]) {
      const file = await node('v2.pay.downloadbill').post(
        { ...fields, bill_date, bill_type: 'ALL', ...tar_type },
        { responseType: 'arraybuffer', transformResponse: [] },
      );
      const bytes = Buffer.from(file.data as unknown as ArrayBuffer);
      const text = ('tar_type' in tar_type ? gunzipSync(bytes) : bytes).toString();
      expect(text).toContain('`AXIOS-V2-BILLED,');
    }
  });
});

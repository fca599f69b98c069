import { generateKeyPairSync } from 'node:crypto';

const PEM = {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
};

/** What client and server need to know of each other; keys are PEM, made for one run. */
export function createSetup() {
  const merchant = generateKeyPairSync('rsa', { modulusLength: 2048, ...PEM });
  const platform = generateKeyPairSync('rsa', { modulusLength: 2048, ...PEM });
  return {
    mchid: '1900000109',
    appid: 'wx8888888888888888',
    serial: '3775B6A45ACD588826D15E583A95F5DD3775B6A4',
    privateKey: merchant.privateKey,
    merchantKey: merchant.publicKey,
    platformId: 'PUB_KEY_ID_0114232134912410000000000000',
    platformKey: platform.publicKey,
    platformPrivateKey: platform.privateKey,
    apiv3Key: '0123456789abcdef0123456789abcdef',
  };
}

/** What the server answers. */
export const CODE_URL = 'weixin://wxpay/bizpayurl?pr=p4lpSuKzz';
/** In an order, asks the server for an answer whose signature is that of another. */
export const FORGED = 'forged';

let count = 0;

/** An order as a shop places it. */
export function order({ appid, mchid }, attach = 'shop-0042/terminal-7') {
  return {
    appid,
    mchid,
    description: 'QQ公仔 腾讯充值中心-QQ会员充值',
    out_trade_no: `12177525012014070332333${++count}`,
    time_expire: '2030-06-08T10:34:56+08:00',
    attach,
    notify_url: 'https://www.weixin.qq.com/wxpay/pay.php',
    goods_tag: 'WXG',
    support_fapiao: false,
    amount: { total: 100, currency: 'CNY' },
    detail: {
      cost_price: 608800,
      invoice_id: '微信123',
      goods_detail: [
        {
          merchant_goods_id: '1246464644',
          wechatpay_goods_id: '1001',
          goods_name: 'iPhoneX 256G',
          quantity: 1,
          unit_price: 528800,
        },
      ],
    },
    scene_info: { payer_client_ip: '14.23.150.211', device_id: '013467007045764' },
    settle_info: { profit_sharing: false },
  };
}

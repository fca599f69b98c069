/**
 * Notifications as WeChat Pay sends them, forged ones, and the same again: each is processed once, whatever is sent
 * beside it at the same time.
 */
import { createCipheriv, createHash, randomBytes, sign } from 'node:crypto';
import ours from '../../dist/index.js';

const chance = (part) => Math.random() < part;

export function createNotifications({ merchant, certs, signer }) {
  const { apiv3Key, secret } = merchant;
  const runs = new Map();
  const issues = [];
  let count = 0;
  const notifications = ours.Notifications.of({ certs, apiv3Key, secret, onError: () => {} });
  const handler = notifications.webHandler(({ id, resource }) => {
    const number = resource.out_trade_no ?? id;
    runs.set(number, (runs.get(number) ?? 0) + 1);
  });

  function v3(number) {
    const nonce = randomBytes(6).toString('hex');
    const cipher = createCipheriv('aes-256-gcm', apiv3Key, nonce).setAAD(Buffer.from('transaction'));
    const plain = JSON.stringify({ out_trade_no: number, trade_state: 'SUCCESS' });
    const ciphertext = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString('base64');
    const resource = {
      algorithm: 'AEAD_AES_256_GCM',
      ciphertext,
      associated_data: 'transaction',
      nonce,
      original_type: 'transaction',
    };
    const envelope = {
      id: `EV-${number}`,
      create_time: new Date().toISOString(),
      event_type: 'TRANSACTION.SUCCESS',
      resource_type: 'encrypt-resource',
      summary: '支付成功',
      resource,
    };
    const body = JSON.stringify(envelope);
    const time = String(Math.floor(Date.now() / 1000));
    const message = Buffer.concat([Buffer.from(`${time}\n${nonce}\n`), Buffer.from(body), Buffer.from('\n')]);
    const headers = {
      'content-type': 'application/json',
      'wechatpay-timestamp': time,
      'wechatpay-nonce': nonce,
      'wechatpay-serial': signer.id,
      'wechatpay-signature': sign('sha256', message, signer.key).toString('base64'),
    };
    return { headers, body };
  }

  function v2(number) {
    const now = new Date(Date.now() + 8 * 3_600_000).toISOString().replace(/\D/g, '').slice(0, 14);
    const fields = {
      ...{ appid: 'wx8888888888888888', bank_type: 'CMC', cash_fee: '1', fee_type: 'CNY', is_subscribe: 'N' },
      ...{ mch_id: merchant.mchid, nonce_str: randomBytes(8).toString('hex'), openid: 'o1', out_trade_no: number },
      ...{ result_code: 'SUCCESS', return_code: 'SUCCESS', time_end: now, total_fee: '1', trade_type: 'JSAPI' },
      transaction_id: `42${number}`,
    };
    const text = Object.keys(fields)
      .sort()
      .map((name) => `${name}=${fields[name]}`);
    const signature = createHash('md5')
      .update(`${text.join('&')}&key=${secret}`)
      .digest('hex')
      .toUpperCase();
    const members = Object.entries({ ...fields, sign: signature }).map(
      ([name, value]) => `<${name}><![CDATA[${value}]]></${name}>`,
    );
    return { headers: { 'content-type': 'text/xml' }, body: `<xml>${members.join('')}</xml>` };
  }

  const deliver = async ({ headers, body }) => {
    const { status } = await handler(new Request('http://localhost/notify', { method: 'POST', headers, body }));
    return status;
  };

  /** Sends one, forged or once or several times. */
  async function send() {
    const number = `N${++count}`;
    const isV2 = chance(0.3);
    const { headers, body } = isV2 ? v2(number) : v3(number);
    const isForged = chance(0.2);
    const sent = { headers, body: isForged ? body.replace(/(N\d+)|(wx8888)|("id":")/, '$1$2$3X') : body };
    const times = chance(0.2) ? 3 : 1;
    const together = await Promise.all(Array.from({ length: times }, () => deliver(sent)));
    const statuses = chance(0.1) ? [...together, await deliver(sent)] : together;
    // Of copies that come at once, one is processed; the others are told to come again.
    const isRight = (status, index) =>
      isForged ? status >= 400 && status < 500 : (status >= 200 && status < 300) || (index > 0 && status === 503);
    const kind = `${isForged ? 'forged' : 'genuine'} ${isV2 ? 'v2' : 'v3'}`;
    if (!statuses.every(isRight)) issues.push(`${kind}: status ${statuses.join()}`);
    const ran = runs.get(number) ?? 0;
    if (ran !== (isForged ? 0 : 1)) issues.push(`${kind}: processed ${ran} times`);
    runs.clear();
    return { kind, issues: issues.splice(0) };
  }

  return { send };
}

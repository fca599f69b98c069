/** Written by hand for one operation, with nothing that a package would add: undici and native WebCrypto. */
exports.connect = async (setup, crypto = globalThis.crypto) => {
  const { Agent, request } = require('undici');
  const { randomBytes } = require('node:crypto');
  const { mchid, serial, platformId, baseUrl } = setup;
  const { subtle } = crypto;
  const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const der = (pem) => Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
  const privateKey = await subtle.importKey('pkcs8', der(setup.privateKey), RSA, false, ['sign']);
  const platformKey = await subtle.importKey('spki', der(setup.platformKey), RSA, false, ['verify']);
  const dispatcher = new Agent();
  const path = '/v3/pay/transactions/native';
  const url = new URL(path, baseUrl);

  return async (order) => {
    const body = JSON.stringify(order);
    const time = Math.floor(Date.now() / 1000);
    const nonce = randomBytes(16).toString('hex');
    const signature = await subtle.sign(RSA, privateKey, Buffer.from(`POST\n${path}\n${time}\n${nonce}\n${body}\n`));
    const authorization =
      `WECHATPAY2-SHA256-RSA2048 mchid="${mchid}",nonce_str="${nonce}",timestamp="${time}",serial_no="${serial}",` +
      `signature="${Buffer.from(signature).toString('base64')}"`;
    const answer = await request(url, {
      dispatcher,
      method: 'POST',
      headers: {
        accept: 'application/json',
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'floor/1.0',
        'wechatpay-serial': platformId,
        authorization,
      },
      body,
    });
    const { headers } = answer;
    const text = await answer.body.text();
    if (answer.statusCode < 200 || answer.statusCode > 299) throw new Error(`HTTP ${answer.statusCode}: ${text}`);
    if (headers['wechatpay-serial'] !== platformId) throw new Error('unknown serial');
    const answered = headers['wechatpay-timestamp'];
    if (!(Math.abs(Date.now() / 1000 - Number(answered)) <= 300)) throw new Error('clock');
    const signed = Buffer.from(`${answered}\n${headers['wechatpay-nonce']}\n${text}\n`);
    const sign = Buffer.from(headers['wechatpay-signature'], 'base64');
    if (!(await subtle.verify(RSA, platformKey, sign, signed))) throw new Error('wrong signature');
    return JSON.parse(text);
  };
};

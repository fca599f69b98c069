const { createDecipheriv, createPublicKey, verify } = require('node:crypto');

/** Notifications by hand, over the synchronous functions of node:crypto. */
exports.connect = ({ platformId, platformKey, apiv3Key }) => {
  const publicKey = createPublicKey(platformKey);
  const secretKey = Buffer.from(apiv3Key);

  return async ({ headers, body }) => {
    if (headers['wechatpay-serial'] !== platformId) throw new Error('unknown serial');
    const time = headers['wechatpay-timestamp'];
    if (!(Math.abs(Date.now() / 1000 - Number(time)) <= 300)) throw new Error('clock');
    const text = body.toString();
    const signed = Buffer.from(`${time}\n${headers['wechatpay-nonce']}\n${text}\n`);
    const signature = Buffer.from(headers['wechatpay-signature'], 'base64');
    if (!verify('sha256', signed, publicKey, signature)) throw new Error('wrong signature');
    const { ciphertext, nonce, associated_data } = JSON.parse(text).resource;
    const sealed = Buffer.from(ciphertext, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', secretKey, nonce)
      .setAuthTag(sealed.subarray(-16))
      .setAAD(Buffer.from(associated_data));
    return JSON.parse(decipher.update(sealed.subarray(0, -16), undefined, 'utf8') + decipher.final('utf8'));
  };
};

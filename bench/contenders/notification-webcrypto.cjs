/** Notifications by hand, over native WebCrypto. */
exports.connect = async ({ platformId, platformKey, apiv3Key }) => {
  const { subtle } = globalThis.crypto;
  const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const spki = Buffer.from(platformKey.replace(/-----[^-]+-----/g, ''), 'base64');
  const publicKey = await subtle.importKey('spki', spki, RSA, false, ['verify']);
  const secretKey = await subtle.importKey('raw', Buffer.from(apiv3Key), 'AES-GCM', false, ['decrypt']);

  return async ({ headers, body }) => {
    if (headers['wechatpay-serial'] !== platformId) throw new Error('unknown serial');
    const time = headers['wechatpay-timestamp'];
    if (!(Math.abs(Date.now() / 1000 - Number(time)) <= 300)) throw new Error('clock');
    const text = body.toString();
    const signed = Buffer.from(`${time}\n${headers['wechatpay-nonce']}\n${text}\n`);
    const signature = Buffer.from(headers['wechatpay-signature'], 'base64');
    if (!(await subtle.verify(RSA, publicKey, signature, signed))) throw new Error('wrong signature');
    const { ciphertext, nonce, associated_data } = JSON.parse(text).resource;
    const gcm = { name: 'AES-GCM', iv: Buffer.from(nonce), additionalData: Buffer.from(associated_data) };
    const plain = await subtle.decrypt(gcm, secretKey, Buffer.from(ciphertext, 'base64'));
    return JSON.parse(Buffer.from(plain).toString());
  };
};

import { createCipheriv, randomBytes, randomUUID, sign } from 'node:crypto';
import { CODE_URL, FORGED, order } from './setup.mjs';

/** Notifications that are signed ahead of time, to be received over and over. */
const POOL = 256;

/**
 * What contenders are measured at: from the setup, a function that gives what they are asked (with a wrong signature,
 * that of the server or of the notification, where `forged`), one that tells whether they answered it, and after how many
 * calls the event loop has its turn.
 */
export const TASKS = {
  call: (setup) => ({
    ask: (forged) => order(setup, forged ? FORGED : undefined),
    answered: ({ code_url }) => code_url === CODE_URL,
    yieldAfter: Number.POSITIVE_INFINITY,
  }),
  notification: (setup) => {
    const pool = Array.from({ length: POOL }, () => notification(setup));
    let count = 0;
    return {
      ask: (forged) => (forged ? notification(setup, ' ') : pool[count++ % POOL]),
      answered: ({ trade_state }) => trade_state === 'SUCCESS',
      // Who does it synchronously would leave the event loop no turn at all.
      yieldAfter: 16,
    };
  },
};

/** A notification of a payment, as a server receives it. */
function notification({ appid, mchid, platformId, platformPrivateKey, apiv3Key }, more = '') {
  const transaction = {
    mchid,
    appid,
    out_trade_no: randomBytes(14).toString('hex'),
    transaction_id: '4200001234202401011234567890',
    trade_type: 'NATIVE',
    trade_state: 'SUCCESS',
    trade_state_desc: '支付成功',
    bank_type: 'OTHERS',
    attach: 'shop-0042/terminal-7',
    success_time: '2026-06-08T10:34:56+08:00',
    payer: { openid: 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' },
    amount: { total: 100, payer_total: 100, currency: 'CNY', payer_currency: 'CNY' },
  };
  const nonce = randomBytes(6).toString('hex');
  const associated_data = 'transaction';
  const cipher = createCipheriv('aes-256-gcm', apiv3Key, nonce).setAAD(Buffer.from(associated_data));
  const sealed = [cipher.update(JSON.stringify(transaction)), cipher.final(), cipher.getAuthTag()];
  const body = JSON.stringify({
    id: randomUUID(),
    create_time: '2026-06-08T10:34:56+08:00',
    resource_type: 'encrypt-resource',
    event_type: 'TRANSACTION.SUCCESS',
    summary: '支付成功',
    resource: {
      original_type: 'transaction',
      algorithm: 'AEAD_AES_256_GCM',
      ciphertext: Buffer.concat(sealed).toString('base64'),
      associated_data,
      nonce,
    },
  });
  const time = Math.floor(Date.now() / 1000);
  const headerNonce = randomBytes(16).toString('hex');
  const signed = Buffer.from(`${time}\n${headerNonce}\n${body}${more}\n`);
  return {
    headers: {
      'content-type': 'application/json',
      'wechatpay-nonce': headerNonce,
      'wechatpay-serial': platformId,
      'wechatpay-signature': sign('sha256', signed, platformPrivateKey).toString('base64'),
      'wechatpay-signature-type': 'WECHATPAY2-SHA256-RSA2048',
      'wechatpay-timestamp': String(time),
    },
    body: Buffer.from(body),
  };
}

/** The task of a contender. */
export function taskOf(contender) {
  return contender.startsWith('notification') ? 'notification' : 'call';
}

import * as AesGcm from '../../crypto/aes-gcm';
import { nonce } from '../../signature/formatter';
import { beijing } from '../products/members';
import { signatureHeaders } from '../protocol/v3';
import type { Draft, MessageMaker } from './message';

/** Where `original_type` is not the first part of the event type in lower case. */
const ORIGINAL_TYPES: Readonly<Record<string, string>> = {
  APPLYMENT_STATE: 'applyment',
  BLOCKRECORD: 'block_record',
  MANAGERECORD: 'manage_record',
  MCHTRANSFER: 'mch_payment',
  MCHWITHDRAW: 'mch_withdraw',
  PRODUCT_COUPON_SP: 'product_coupon',
  SECURITY_ECHO: 'security',
};

const SUMMARIES: Readonly<Record<string, string>> = {
  'REFUND.ABNORMAL': '退款异常',
  'REFUND.CLOSED': '退款关闭',
  'REFUND.SUCCESS': '退款成功',
  'TRANSACTION.SUCCESS': '支付成功',
};

/**
 * An APIv3 notification: JSON, signed in headers; its content is encrypted with the APIv3 key.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012071382
 */
export const v3Message: MessageMaker = async (draft, keys, how, time) => {
  const body = Buffer.from(JSON.stringify(await envelope(draft, keys.identity.apiKey)));
  const seals = await signatureHeaders(body, time, keys, how);
  return { headers: [['Content-Type', 'application/json'], ...seals], body };
};

async function envelope({ name, content, id, created }: Draft, apiv3Key: string): Promise<object> {
  const [kind = ''] = name.split('.', 1);
  const type = ORIGINAL_TYPES[kind] ?? kind.toLowerCase();
  const iv = nonce(12);
  return {
    id,
    create_time: beijing(created),
    resource_type: 'encrypt-resource',
    event_type: name,
    summary: SUMMARIES[name] ?? name,
    resource: {
      original_type: type,
      algorithm: 'AEAD_AES_256_GCM',
      ciphertext: await AesGcm.encrypt(JSON.stringify(content), apiv3Key, iv, type),
      associated_data: type,
      nonce: iv,
    },
  };
}

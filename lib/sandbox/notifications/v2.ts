import * as AesEcb from '../../crypto/aes-ecb';
import * as AesGcm from '../../crypto/aes-gcm';
import { fieldText } from '../../format/fields';
import { toXml } from '../../format/transformer';
import { nonce } from '../../signature/formatter';
import * as Hash from '../../signature/hash';
import type { Identity } from '../identity';
import { beijing } from '../products/members';
import { writeXml } from '../wire/xml';
import type { Draft, MessageMaker } from './message';

type Fields = Readonly<Record<string, unknown>>;

/** Makes the fields of a notification, with the APIv2 key or, for one that is wrong, another. */
type Writer = (draft: Draft, identity: Identity, secret: string) => Promise<Fields>;

/** Not known here: the example of WeChat Pay's documentation. */
const APPID = 'wx8888888888888888';

/** Required members, for content that lacks them. */
const ESSENTIAL: Readonly<Record<string, (created: Draft['created']) => Fields>> = {
  'v2/transaction-success': () => ({ return_code: 'SUCCESS', result_code: 'SUCCESS' }),
  'v2/combined-transactions-success': () => ({ return_code: 'SUCCESS', result_code: 'SUCCESS' }),
  'v2/transactions-risk-occurred': () => ({ return_code: 'SUCCESS' }),
  'v2/pap-contract-state-changed': () => ({ change_type: 'ADD' }),
  'v2/vehicle-state-changed-for-parking': (created) => ({
    vehicle_event_createtime: beijing(created).replace(/\+.*|\D/g, ''),
  }),
};

/** How a notification is authenticated. */
const VOUCHING = ['sign', 'req_info'];

/**
 * A v2 notification: XML, signed in a field or, for refunds, encrypted with the APIv2 key.
 * @see https://pay.weixin.qq.com/wiki/doc/api/jsapi.php?chapter=9_7
 */
export const v2Message: MessageMaker = async (draft, { identity }, { signature }) => {
  const fields = await writerOf(draft.name)(draft, identity, signature ? nonce() : identity.secret);
  const kept = Object.entries(fields)
    .filter(([name, value]) => value !== undefined && (signature !== 'none' || !VOUCHING.includes(name)))
    .map(([name, value]) => [name, fieldText(name, value)]);
  return { headers: [['Content-Type', 'text/xml']], body: Buffer.from(writeXml(Object.fromEntries(kept))) };
};

function writerOf(name: string): Writer {
  if (name === 'v2/refund-processed') return refund;
  return name.includes('.') ? event : plain;
}

const plain: Writer = async ({ name, content, created }, { id: mchid }, secret) => {
  const { sign_type, ...given }: Fields = { ...content };
  const merchantField = name === 'v2/combined-transactions-success' ? 'combine_mch_id' : 'mch_id';
  const nonce_str = name === 'v2/pap-contract-state-changed' ? undefined : nonce();
  // A payment is signed with the algorithm of the order, without saying which.
  const kept = name === 'v2/transaction-success' ? {} : { sign_type };
  const fields = { ...ESSENTIAL[name]?.(created), [merchantField]: mchid, nonce_str, ...given, ...kept };
  return { ...fields, sign: Hash.sign(sign_type === 'HMAC-SHA256' ? 'HMAC-SHA256' : 'MD5', fields, secret) };
};

/** @see https://pay.weixin.qq.com/wiki/doc/api/jsapi.php?chapter=9_16 */
const refund: Writer = async ({ content }, { id: mchid }, secret) => {
  // These are not encrypted.
  const { appid = APPID, sub_appid, sub_mch_id, ...resource }: Fields = { ...content };
  return {
    ...{ return_code: 'SUCCESS', appid, mch_id: mchid, sub_appid, sub_mch_id, nonce_str: nonce() },
    req_info: await AesEcb.encrypt(toXml(resource, 'root'), Hash.md5(secret)),
  };
};

/** @see https://pay.weixin.qq.com/wiki/doc/apiv3/payscore.php?chapter=18_7&index=7 */
const event: Writer = async ({ name, content, id, created }, { id: mchid, apiKey }, secret) => {
  const [iv, aad] = [nonce(12), 'payscore'];
  const fields = {
    mch_id: mchid,
    appid: APPID,
    algorithm: 'HMAC-SHA256',
    nonce_str: nonce(),
    event_id: id,
    event_create_time: beijing(created),
    event_type: name.slice('v2/'.length),
    event_algorithm: 'AEAD_AES_256_GCM',
    event_nonce: iv,
    event_associated_data: aad,
    event_ciphertext: await AesGcm.encrypt(toXml({ ...content }), apiKey, iv, aad),
  };
  return { ...fields, sign: Hash.sign('HMAC-SHA256', fields, secret) };
};

/** The helpers below the client, named as in wechatpay-php. Slow ones return promises. */
import { generateKeyPairSync } from 'node:crypto';
import { AesEcb, AesGcm, Formatter, Hash, Rsa, Transformer } from 'wechatpay-undici';

async function main(): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

  // A string to sign and its signature; a sensitive field.
  const message = Formatter.request('GET', '/v3/certificates', Formatter.timestamp(), Formatter.nonce());
  const signature = await Rsa.sign(message, privateKey);
  console.log('Rsa.verify:', await Rsa.verify(message, signature, publicKey));
  console.log('Rsa.decrypt:', await Rsa.decrypt(await Rsa.encrypt('张三', publicKey), privateKey));

  // A PKCS#1 public key, as returned by getpublickey of v2.
  const pkcs1 = publicKey.export({ format: 'der', type: 'pkcs1' }).toString('base64');
  console.log('Rsa.pkcs1ToSpki:', Rsa.fromSpki(Rsa.pkcs1ToSpki(pkcs1)).equals(Rsa.fromPkcs1(pkcs1, 'public')));

  // The resource of an APIv3 notification, and the req_info of a v2 refund notification.
  const [apiv3Key, apiv2Key, nonce] = [Formatter.nonce(32), Formatter.nonce(32), Formatter.nonce(12)];
  const resource = await AesGcm.encrypt('{"trade_state":"SUCCESS"}', apiv3Key, nonce, 'transaction');
  console.log('AesGcm.decrypt:', await AesGcm.decrypt(resource, apiv3Key, nonce, 'transaction'));
  const req_info = await AesEcb.encrypt('<root><refund_status>SUCCESS</refund_status></root>', Hash.md5(apiv2Key));
  console.log(
    'AesEcb.decrypt:',
    Transformer.toObject(await AesEcb.decrypt(req_info, Hash.md5(apiv2Key))).refund_status,
  );

  // The v2 signature, over fields or over the string made from them.
  const fields = { mch_id: '1900000109', body: 'QQ公仔', attach: '', sign: 'left out' };
  const text = Formatter.queryStringLike(Formatter.ksort(fields));
  const sign = Hash.sign('HMAC-SHA256', fields, apiv2Key);
  console.log('Formatter.queryStringLike:', text);
  console.log('Hash.equals:', Hash.equals(sign, Hash.sign('HMAC-SHA256', text, apiv2Key)));
  console.log('Transformer.toXml:', Transformer.toXml({ return_code: 'SUCCESS', return_msg: 'a < b' }));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

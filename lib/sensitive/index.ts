import { credentialsOf } from '../signature/credentials';
import { type SensitiveFields, sensitiveFields } from './keys';

export type { SensitiveFields };

/**
 * Encrypts and decrypts sensitive fields with the keys that an instance was built with. The keys are loaded once, here:
 * keep what this returns. Where platform certificates are downloaded, have them by `Certificates.of(instance).refresh()`
 * before, and do not keep it for longer than a day.
 * @param instance what `Builder.factory` returned
 * @param serial which of the keys in `certs` is to encrypt; by default the one that the client announces
 * @throws {@link InvalidArgumentError} where `Builder.factory` did not build the instance, or where it has no such key;
 * {@link ConfigurationError} where the instance is one for v2 alone, or holds no platform certificate yet
 * @example
 * const sensitive = Sensitive.of(instance);
 * const json = { appid, type: 'PERSONAL_OPENID', account, relation_type: 'USER', name: await sensitive.encrypt('张三') };
 * const receivers = instance.chain('v3/profitsharing/receivers/add');
 * const { name } = await receivers.post({ json, headers: sensitive.headers, encrypted: true }).json<{ name: string }>();
 * console.log(await sensitive.decrypt(name));
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4013053257
 */
export function of(instance: object, serial?: string): SensitiveFields {
  return sensitiveFields(credentialsOf(instance), serial);
}

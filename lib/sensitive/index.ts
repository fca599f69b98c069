import { credentialsOf } from '../signature/credentials';
import { type SensitiveFields, sensitiveFields } from './keys';

export type { SensitiveFields };

/**
 * Encrypts and decrypts sensitive fields with the keys of an instance. Keep the returned object: the keys are loaded once,
 * here. If the instance downloads platform certificates, await `Certificates.of(instance).refresh()` first, and do not
 * keep the object for longer than a day.
 * @param instance what `Builder.factory` returned
 * @param serial the key in `certs` to encrypt with; by default the one that the client announces
 * @throws {@link InvalidArgumentError} if the instance was not created by `Builder.factory`, or has no such key;
 * {@link ConfigurationError} if the instance is configured for v2 only, or has no platform certificate yet
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

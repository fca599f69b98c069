import { type EncryptedField, type Trait, traitOf } from '../../lib/openapi/trait-of';
import type { Operation } from './operations';

const KEYS = {
  platform: '微信支付公钥（或平台证书）',
  'pay-bank': '付款到银行卡的 RSA 公钥',
  merchant: '商户 API 私钥',
};

/** What the client does automatically for an operation, as lines of Markdown in Chinese. */
export function traitNotes({ verb, path, upload, result }: Operation): string[] {
  const trait: Trait = traitOf(verb, path) ?? {};
  const { base, redirect, encrypt, decrypt, outcome } = trait;
  return [
    path.startsWith('brand/') && '以**品牌**身份签名：须用以 `brandId` 创建的客户端。',
    trait.security &&
      '需要**商户 API 证书**（双向 TLS）：客户端自动出示配置项 `merchant` 中的证书，可用选项 `security` 改变。',
    trait.nonceless && '请求**不带** `nonce_str`：客户端自动省去，可用选项 `nonceless` 改变。',
    base && `请求发往 \`${base}\`，而非默认主机：客户端自动选择，可用选项 \`baseUrl\` 改变。`,
    redirect !== undefined && '这是供**用户浏览器**打开的页面：客户端不发送请求，应答的文本即签好名的页面地址。',
    trait.download ? '**下载**：应答是文件流，不驻留内存，也没有签名。' : trait.unsigned && unsignedNote(path),
    upload && '**上传**：`body` 用 `Media.from()` 生成（`multipart/form-data`）。',
    result !== 'download' && Object.hasOwn(trait, 'json') && '应答是 JSON，用 `.json()` 读取。',
    encrypt &&
      `**敏感字段**（请求），传明文即可，客户端自动用${keysOf(encrypt)}加密；已自行加密时给出选项 \`encrypted: true\`：${pathsOf(encrypt)}。`,
    outcome &&
      `结果不明（如超时）时，用 \`${outcome.verb.toUpperCase()} ${outcome.path}\` 查询，参数取自本次请求；不要换单号重试。`,
    decrypt && `**敏感字段**（应答），读取时客户端自动用${keysOf(decrypt)}解密：${pathsOf(decrypt)}。`,
  ].filter((note): note is string => typeof note === 'string');
}

function unsignedNote(path: string): string {
  return path.startsWith('v2/') ? '应答**没有签名**（`sign`），客户端不验签。' : '应答**没有签名**，客户端不验签。';
}

function keysOf(fields: readonly EncryptedField<keyof typeof KEYS>[]): string {
  return [...new Set(fields.map(({ key }) => KEYS[key]))].join('、');
}

function pathsOf(fields: readonly EncryptedField<keyof typeof KEYS>[]): string {
  return fields.map(({ path }) => `\`${path}\``).join('、');
}

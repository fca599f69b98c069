import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { Builder, signer, verifier, WechatPayError } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

const require = createRequire(import.meta.url);
const required = { ...require('wechatpay-undici'), ...require('wechatpay-undici/sandbox') };
for (const [name, value] of Object.entries({ Builder, Sandbox, WechatPayError, signer, verifier })) {
  assert.ok(value, `${name} is imported by name`);
  assert.equal(required[name], value, `${name} is the same by import and by require`);
}

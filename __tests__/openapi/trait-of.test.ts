import { execFileSync } from 'node:child_process';
import { TRAITS } from '../../lib/openapi/generated/traits';
import { type Trait, traitOf } from '../../lib/openapi/trait-of';

test.each<[string, string, Trait | undefined]>([
  ['post', 'v2/secapi/pay/refund', { security: true }],
  ['post', 'V2/secapi/pay/refund', { security: true }],
  ['get', 'v3/billdownload/file', { download: true, unsigned: true }],
  ['get', 'https://api.mch.weixin.qq.com/v3/billdownload/file?token=A/b', { download: true, unsigned: true }],
  ['get', '/v3/billdownload/file', { download: true, unsigned: true }],
  ['post', 'v3/billdownload/file', undefined],
  ['get', 'v3/merchant-service/images/ABC%2F1', { download: true, unsigned: true }],
  ['get', 'v3/statements', { base: 'https://api.mch.weixin.qq.com/hk/', download: true, unsigned: true }],
  ['get', 'v3/refunds/id/1', { base: 'https://api.mch.weixin.qq.com/hk/' }],
  ['get', 'v3/global/refunds/id/1', { base: 'https://apihk.mch.weixin.qq.com/' }],
  ['get', 'v2/appauth/authindex', { base: 'https://payapp.weixin.qq.com/', redirect: '#wechat_redirect' }],
  ['get', 'v2/papay/partner/entrustweb', { base: 'https://api.weixin.qq.com/', redirect: '' }],
  ['get', 'v3/pay/transactions/id/4200', undefined],
  ['post', 'brand/card-member/media/image-upload', { upload: true }],
  ['get', 'v3/not/known', undefined],
  ['get', 'v3', undefined],
  ['get', '', undefined],
])('%s %s', (verb, path, expected) => {
  const found = traitOf(verb, path);
  // That has a test of its own.
  const { outcome: _, ...traits } = found ?? {};
  expect(found && traits).toEqual(expected);
});

test('a literal segment goes before a variable; a variable in the template is a segment too', () => {
  const encrypted = [{ key: 'platform', path: 'json.name' }];
  expect(traitOf('patch', 'v3/smartguide/guides/4711')?.encrypt).toEqual(expect.arrayContaining(encrypted));
  expect(traitOf('patch', 'v3/smartguide/guides/{guide_id}')).toEqual(traitOf('patch', 'v3/smartguide/guides/4711'));
});

test('trailing slashes and capitals, as the path or as the chain writes them', () => {
  const applyment = traitOf('post', 'v3/applyment4sub/applyment/');
  expect(applyment?.encrypt?.length).toBeGreaterThan(5);
  expect(traitOf('post', 'v3/applyment4sub/applyment/{empty}')).toEqual(applyment);
  expect(traitOf('post', 'v2/secapi/mch/addInstitutionsub')).toMatchObject({ nonceless: true });
});

test('every operation of the table is found by its own path, with what stands there', () => {
  const counts = { encrypt: 0, decrypt: 0, security: 0, nonceless: 0, download: 0, outcome: 0 };
  for (const [area, operations] of Object.entries(TRAITS)) {
    for (const [operation, expected] of Object.entries(operations())) {
      const [verb = '', path = ''] = operation.split(' ');
      expect(`${path}/`.startsWith(`${area}/`)).toBe(true);
      for (const spelling of [path, path.replace(/\{\w+\}/g, 'x-1')]) expect(traitOf(verb, spelling)).toEqual(expected);
      counts.encrypt += expected.encrypt?.length ?? 0;
      counts.decrypt += expected.decrypt?.length ?? 0;
      for (const name of ['security', 'nonceless', 'download', 'outcome'] as const)
        counts[name] += expected[name] ? 1 : 0;
    }
  }
  // 412 fields are encrypted with RSA.
  expect(counts).toEqual({ encrypt: 305, decrypt: 107, security: 57, nonceless: 19, download: 10, outcome: 265 });
});

test('a product that nobody calls is not read', () => {
  const program = `
    require('esbuild-register');
    const { TRAITS } = require('./lib/openapi/generated/traits');
    const read = [];
    for (const [area, operations] of Object.entries(TRAITS)) {
      Object.defineProperty(TRAITS, area, { value: () => (read.push(area), operations()) });
    }
    const { traitOf } = require('./lib/openapi/trait-of');
    for (let call = 0; call < 3; call += 1) traitOf('post', 'v3/refund/domestic/refunds');
    traitOf('get', 'v3/not/known');
    console.log(JSON.stringify(read));`;
  const read = execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  expect(JSON.parse(read)).toEqual(['v3/refund']);
});

test('the table and what a lookup reads of it take under 1 MB', () => {
  const program = `
    require('esbuild-register');
    require('./lib/openapi/trait');
    gc();
    const before = process.memoryUsage().heapUsed;
    const { traitOf } = require('./lib/openapi/trait-of');
    traitOf('post', 'v3/applyment4sub/applyment/');
    gc();
    console.log(process.memoryUsage().heapUsed - before);`;
  const bytes = execFileSync(process.execPath, ['--expose-gc', '-e', program], { encoding: 'utf8' });
  expect(Number(bytes)).toBeLessThan(1024 * 1024);
});

test('a variable takes no empty segment, and an alias stands for its own path only', () => {
  expect(traitOf('post', 'v3/ecommerce/applyments/12')).toBeUndefined();
  expect(traitOf('get', 'v3/merchant-service/images/')).toBeUndefined();
  expect(traitOf('post', 'v2/secapi/mch/{addinstitutionsub}')).toEqual({ security: true, nonceless: true });
  expect(traitOf('post', 'v2/secapi/mch/addinstitutionsub')).toBeUndefined();
});

test.each([
  ['post', 'v3/merchant-service/images/upload', { upload: true }],
  ['get', 'v2/appauth/getaccesstoken', { json: true, unsigned: true }],
  ['get', 'v3/new-tax-control-fapiao/download', { url: 'https://pay.wechatpay.cn/invoicing/fapiao/fapiao-file' }],
])('%s %s has more to it', (verb, path, expected) => {
  expect(traitOf(verb, path)).toMatchObject(expected);
});

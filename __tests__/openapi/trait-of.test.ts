import { execFileSync } from 'node:child_process';
import { type Trait, traitOf } from '../../lib/openapi/trait-of';
import { TRAITS } from '../../lib/openapi/traits';

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
  ['get', 'v3/not/known', undefined],
  ['get', 'v3', undefined],
  ['get', '', undefined],
])('%s %s', (verb, path, expected) => {
  expect(traitOf(verb, path)).toEqual(expected);
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
  const operations = TRAITS.trim().split(/\n(?! )/);
  const counts = { encrypt: 0, decrypt: 0, security: 0, nonceless: 0, download: 0 };
  for (const operation of operations) {
    const [head = '', ...lines] = operation.split('\n  ');
    const [path = '', verb = ''] = head.split(' ');
    for (const spelling of [path, path.replace(/\{\w+\}/g, 'x-1')]) {
      const trait = traitOf(verb, spelling);
      for (const name of ['encrypt', 'decrypt'] as const) {
        const fields = lines.filter((line) => line.startsWith(name)).map((line) => line.split(' '));
        expect(trait?.[name] ?? []).toEqual(fields.map(([, key, field]) => ({ key, path: field })));
      }
    }
    const trait = traitOf(verb, path);
    counts.encrypt += trait?.encrypt?.length ?? 0;
    counts.decrypt += trait?.decrypt?.length ?? 0;
    for (const name of ['security', 'nonceless', 'download'] as const) counts[name] += trait?.[name] ? 1 : 0;
  }
  // 362 fields are encrypted with RSA: 291 of requests, 71 of answers.
  expect(counts).toEqual({ encrypt: 291, decrypt: 71, security: 57, nonceless: 19, download: 10 });
});

test('loading the table costs under 5 ms and 1 MB', () => {
  const program = `
    require('esbuild-register');
    require('./lib/openapi/traits');
    gc();
    const before = process.memoryUsage().heapUsed;
    const { traitOf } = require('./lib/openapi/trait-of');
    const start = performance.now();
    traitOf('post', 'v3/applyment4sub/applyment/');
    const milliseconds = performance.now() - start;
    gc();
    console.log(JSON.stringify({ milliseconds, bytes: process.memoryUsage().heapUsed - before }));`;
  const runs = [1, 2, 3].map(() =>
    JSON.parse(execFileSync(process.execPath, ['--expose-gc', '-e', program], { encoding: 'utf8' })),
  );
  // The best of three: the machine may be busy with other things.
  expect(Math.min(...runs.map(({ milliseconds }) => milliseconds))).toBeLessThan(5);
  expect(Math.min(...runs.map(({ bytes }) => bytes))).toBeLessThan(1024 * 1024);
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

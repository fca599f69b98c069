import { compile } from './compile';

const json = `{ coupon_code: '1', stock_id: '2', appid: 'wx', use_time: 't', use_request_no: 'n', openid: 'o' }`;
const styles = [
  'instance.v3.marketing.busifavor.coupons.use',
  `instance.chain('v3/marketing/busifavor/coupons/use')`,
  `instance['v3/marketing/busifavor/coupons/use']`,
];

/** One program for all that must compile, so that the compiler runs once. */
test('what must compile', () => {
  const known = styles.flatMap((style) => [
    `await ${style}.post({ json: ${json} });`,
    `await ${style}.postAsync({ json: ${json}, timeout: 5, headers: { a: 'b' } });`,
    `{ const { wechatpay_use_time } = await ${style}.post({ json: ${json} }).json(); wechatpay_use_time.at(0); }`,
    `{ const response = await ${style}.post({ json: ${json} }); (await response.json()).stock_id.at(0); response.requestId?.at(0); }`,
    `${style}.postAsync({ json: ${json} }).then((r) => r.json()).then(({ openid }) => openid.at(0));`,
  ]);
  const loose = [
    `await instance.v3.not.yet.known.get();`,
    `await instance.v3.marketing.busifavor.notYet._id_.post({ json: [1], id: 1, query: 'a=b' });`,
    `await instance.chain('v3/not/yet').patch({ json: { any: 'thing' } });`,
    `await instance['v3/not/yet'].deleteAsync({ id: 1 });`,
    `await instance.v3.chain('a/b').c.put({ body: 'x' });`,
    `await instance.v3.not.delete.post();`,
    `{ const { a } = await instance.chain('v3/x').get().json<{ a: string }>(); a.at(0); }`,
    `{ const awaited = await instance.v3; await awaited.x.get(); }`,
  ];
  expect(compile([...known, ...loose].join('\n'))).toEqual([]);
});

test('what must not compile, and why', () => {
  const required = ['coupon_code', 'appid', 'use_time', 'use_request_no'];
  for (const style of styles) {
    const without = required.map(
      (name) => `await ${style}.post({ json: ${json.replace(new RegExp(`${name}: '\\w+', `), '')} });`,
    );
    const others = [
      `await ${style}.post({ json: ${json.replace(`'1'`, '1')} });`,
      `await ${style}.post({ json: ${json}, jsonn: 1 });`,
      `await ${style}.post({});`,
      `await ${style}.post();`,
      `await ${style}.get();`,
      `(await ${style}.post({ json: ${json} }).json()).no_such_member;`,
    ];
    const expected = [
      ...required.map((name) => `'${name}'`),
      'not assignable',
      'jsonn',
      `'json'`,
      'Expected 1 arguments',
      'not callable',
      'no_such_member',
    ];
    const found = compile([...without, ...others].join('\n'));
    expect(found).toEqual(expected.map((part) => expect.stringContaining(part)));
  }
});

test('with noUncheckedIndexedAccess, unknown paths go through chain()', () => {
  const settings = { noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true };
  expect(compile(`await instance.v3.marketing.busifavor.coupons.use.post({ json: ${json} });`, settings)).toEqual([]);
  expect(compile(`await instance.chain('v3/not/yet').get();`, settings)).toEqual([]);
});

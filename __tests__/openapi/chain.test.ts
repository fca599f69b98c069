import { compile, compileEach } from './compile';

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
    `await instance.chain('v3/not/yet').patch({ json: { any: 'thing' } });`,
    `await instance.chain('v3/not').yet.known.get();`,
    `await instance.v3.marketing.busifavor.chain('not-yet')._id_.post({ json: [1], id: 1, query: 'a=b' });`,
    `await instance['v3/not/yet'].deleteAsync({ id: 1 });`,
    `await instance.v3.chain('a/b').c.put({ body: 'x' });`,
    `await instance.v3.pay.transactions.id['{transaction_id}'].get({ transaction_id: '1', query: { mchid: '1' } });`,
    `await instance.v3.pay.transactions.id['4200AbC'].get();`,
    `await instance.v3.pay.transactions.id['4200'].get();`,
    `await instance.v3['merchant-service'].not.yet.get();`,
    `await instance.v3.pay.transactions.id.chain('4200AbC').get({ query: { mchid: '1' } });`,
    `await instance.v3.chain('not').delete.post();`,
    `{ const { a } = await instance.chain('v3/x').get().json<{ a: string }>(); a.at(0); }`,
    `{ const awaited = await instance.v3; await awaited.chain('x').get(); }`,
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
      `Property 'get' does not exist on type 'MarketingBusifavorCouponsUse'`,
      'no_such_member',
    ];
    const found = compile([...without, ...others].join('\n'));
    expect(found).toEqual(expected.map((part) => expect.stringContaining(part)));
  }
});

test('a typo below a known path does not compile, and the compiler says what was meant', () => {
  const calls = {
    [`instance.v3.pay.transactions.natve.post({ json: {} as never });`]: [`'natve'`, `'PayTransactions'`, `'native'`],
    [`instance.v3.pay.transacions.native.post({ json: {} as never });`]: [`'transacions'`, `'Pay'`, `'transactions'`],
    [`instance.v3.pya.transactions;`]: [`'pya'`, `'V3'`],
    [`instance.v3.pay.transactions.native.posts({ json: {} as never });`]: [
      `'posts'`,
      `'PayTransactionsNative'`,
      `'post'`,
    ],
    [`instance['v3/pay/transactions/native'].posts({ json: {} as never });`]: [`'posts'`, `'post'`],
    [`instance.chain('v3/pay/transactions/native').postAsnyc({ json: {} as never });`]: [`'postAsnyc'`, `'postAsync'`],
    [`instance.v2.pay.unifiedOrder.post({ xml: {} as never });`]: [`'unifiedOrder'`, `'unifiedorder'`],
    [`instance.v4;`]: [`'v4'`],
  };
  const found = compileEach(Object.keys(calls));
  for (const [index, parts] of Object.values(calls).entries()) {
    expect(parts.filter((part) => !found[index]?.includes(part))).toEqual([]);
  }
});

test('a client has the paths of one identity', () => {
  const right = [
    `await brand.brand.store.brandstores.post({ json: {} as never });`,
    `await brand.chain('brand/store/brandstores').get({ query: {} as never });`,
    `(await brand['brand/store/brandstores'].post({ json: {} as never }).json()).store_id;`,
    `await brand.chain('brand/not/yet').get();`,
    `await brand.brand.chain('not/yet').get();`,
    `await Builder.factory({ brandId: '1', serial: '2', privateKey: '3', certs: {} }).brand.store.brandstores.get();`,
    `await Builder.factory(brandConfig).brand.store.brandstores.get();`,
    `await Builder.factory({ ...merchantConfig, timeout: 5 }).v3.certificates.get();`,
    `{ const built: BrandChain = Builder.factory(brandConfig); const other: Chain = Builder.factory(merchantConfig); [built, other]; }`,
    `Notifications.of(brand, { brandApiKey: '1' }); Notifications.of(instance); Notifications.of({ certs: {}, brandApiKey: '1' });`,
  ];
  const wrong = [
    [`brand.v3.pay.transactions.native.post({ json: {} as never });`, `'v3'`],
    [`brand.v2.pay.unifiedorder.post({ xml: {} as never });`, `'v2'`],
    [`brand.chain('v3/pay/transactions/native').post({ json: {} as never });`, `'NeedsClientOfMerchant'`],
    [`brand.chain('v2/pay/unifiedorder').post({ xml: {} as never });`, `'NeedsClientOfMerchant'`],
    [`instance.brand.store.brandstores.post({ json: {} as never });`, `'brand'`],
    [`instance.chain('brand/store/brandstores').post({ json: {} as never });`, `'NeedsClientOfBrand'`],
    [`Builder.factory({ mchid: '1', brandId: '1', serial: '2', privateKey: '3', certs: {} });`, `'brandId'`],
    [`Builder.factory({ brandId: '1', serial: '2', privateKey: '3', certs: {}, secret: '4' });`, `'secret'`],
    [`Builder.factory({ brandId: '1', serial: '2', privateKey: '3' });`, `'certs'`],
    [`Builder.factory(brandConfig).v3;`, `'v3'`],
    [`Builder.factory(merchantConfig).brand;`, `'brand'`],
    [`{ const built: Chain = Builder.factory(brandConfig); built; }`, `'MerchantRoot'`],
  ];
  expect(compile(right.join('\n'))).toEqual([]);
  const found = compile(wrong.map(([call]) => call).join('\n'));
  expect(found).toEqual(wrong.map(([, part]) => expect.stringContaining(part ?? '')));
});

test('the compiler names a member that is missing, and one that has a wrong value', () => {
  const order = `appid: '', mchid: '', description: '', out_trade_no: '', notify_url: ''`;
  const native = (json: string) => `instance.v3.pay.transactions.native.post({ json: { ${json} } });`;
  const cases: [statement: string, ...parts: string[]][] = [
    [native(order), `'amount'`, `'PayTransactionsNativePostJson'`],
    [native(`${order}, amount: {}`), `'total'`],
    [native(`${order}, amount: { total: '1' }`), `'string' is not assignable to type 'number'`, '\nat total'],
    [native(`${order}, amount: { total: 1 }, scene_info: { store_info: { name: '' } }`), `'id'`],
    [native(`${order}, amount: { total: 1 }, scene_info: {}`), `'payer_client_ip'`],
    [native(`${order}, amount: { total: 1, totl: 1 }`), `'totl'`],
    [
      `instance.v3.profitsharing.receivers.delete.post({ json: { appid: '', type: 'MERCHANT', account: '' } });`,
      `"MERCHANT"`,
      `"MERCHANT_ID"`,
      '\nat type',
    ],
    [`instance.v3.transfer.batches.post({ json: { appid: '' } });`, 'out_batch_no'],
    [`instance.v3.merchantService.complaintsV2._complaint_id_.response.post({ json: {} as never });`, `'complaint_id'`],
  ];
  const found = compileEach(cases.map(([statement]) => statement));
  for (const [index, [, ...parts]] of cases.entries()) {
    expect({ found: found[index], lacks: parts.filter((part) => !found[index]?.includes(part)) }).toMatchObject({
      lacks: [],
    });
  }
});

test('with noUncheckedIndexedAccess, unknown paths go through chain()', () => {
  const settings = { noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true };
  expect(compile(`await instance.v3.marketing.busifavor.coupons.use.post({ json: ${json} });`, settings)).toEqual([]);
  expect(compile(`await instance.chain('v3/not/yet').get();`, settings)).toEqual([]);
});

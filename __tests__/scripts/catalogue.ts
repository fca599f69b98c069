import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Field, type Operation, PROTOCOLS, type Webhook } from '../../scripts/generate/catalogue';

type About = Partial<Omit<Field, 'name'>>;

/** A field that is always there; `name?` for one that may be missing. */
function field(name: string, type: Field['type'] = 'string', about: About = {}): Field {
  return { name: name.replace('?', ''), type, required: !name.endsWith('?'), ...about };
}

/** An object's field. */
function object(name: string, fields: Field[], about: About = {}): Field {
  return field(name, 'object', { fields, ...about });
}

const amount = object('amount', [field('total', 'integer', { label: '总金额' }), field('currency?')], {
  label: '金额',
});
const address = object('address?', [field('city'), field('street?')]);
const post = (path: string, request: Field[], response: Field[] = []): Operation => ({
  path,
  verb: 'post',
  protocol: PROTOCOLS.find((protocol) => path.startsWith(`${protocol}/`)) ?? 'v3',
  title: 'A title',
  request,
  response,
});

/** A made-up catalogue that has each feature once. */
const OPERATIONS: Operation[] = [
  // Enums, arrays, labels, notes, a shape that two operations share, marks and links.
  {
    ...post(
      'v3/shop/goods',
      [
        object('json', [
          field('kind', 'string', { enum: ['SMALL', 'BIG'], label: '种类', closed: true }),
          field('level?', 'integer', { enum: ['1', '2'] }),
          field('tags', 'string[]'),
          field('states', 'string[]', { enum: ['ON', 'OFF'] }),
          field('holder', 'string', { encrypted: 'rsa', key: 'platform', maxLength: 8, label: '持有人' }),
          field('parts?', 'object[]', { fields: [field('id'), object('owner?', [field('name'), field('phone')])] }),
          field('extra?', 'object'),
          field('rate', 'number'),
          field('fresh?', 'boolean'),
          amount,
          address,
        ]),
      ],
      [
        field('kind', 'string', { enum: ['SMALL', 'BIG'] }),
        field('level', 'integer', { enum: ['1', '2'] }),
        field('states?', 'string[]', { enum: ['ON', 'OFF'] }),
        field('holder', 'string', { encrypted: 'rsa', key: 'merchant' }),
        field('extra?', 'object'),
        amount,
      ],
    ),
    title: '新建商品',
    marks: ['discarded', 'privated'],
    links: ['https://example.com/1', 'https://example.com/2'],
    base_uri: 'https://apihk.mch.weixin.qq.com/',
  },
  // Alternative shapes: a name that stands twice; one that stands twice with the same shape is no union.
  post('v3/shop/scenes', [
    object('json', [
      field('scene', 'string', { enum: ['BUS', 'PARKING'] }),
      object('scene_info', [field('line'), field('start?')], { when: 'BUS' }),
      object('scene_info', [field('plate'), field('color?')], { when: 'PARKING' }),
      field('codes?', 'string[]'),
      field('codes', 'object[]', { fields: [field('code'), field('memo?')] }),
      field('same'),
      field('same'),
      address,
    ]),
  ]),
  // Text that holds JSON or a form, in a query and in an answer.
  {
    ...post(
      'v3/shop/search',
      [
        object('query', [
          object('filter', [field('city?'), field('size', 'integer')], { encoded: 'json', type: 'string' }),
          object('form?', [field('a'), field('b', 'integer')], { encoded: 'urlencode', type: 'string' }),
          field('page?', 'integer'),
        ]),
      ],
      [field('total', 'integer'), field('rows?', 'object[]', { fields: [amount] })],
    ),
    verb: 'get',
  },
  // URI variables, headers, an answer that is empty, a call that needs nothing.
  {
    ...post('v3/shop/goods/{goods_id}', [
      field('goods_id', 'string', { label: '商品ID' }),
      object('headers', [field('Wechatpay-Serial'), field('X-Trace')]),
    ]),
    verb: 'delete',
    status: 204,
  },
  post('v3/shop/goods/{goods_id}/copies/{number}', [
    field('goods_id'),
    field('number', 'string', { enum: ['ONE', 'TWO'] }),
    object('json?', [field('memo'), field('names?', 'string[]')]),
  ]),
  { ...post('v3/shop/status', []), verb: 'get' },
  { ...post('v3/shop/goods/{goods_id}', [field('goods_id'), object('headers', [field('Wechatpay-Serial')])]) },
  // Segments of the property chain: a hyphen, a capital, a verb, a slash at the end, the variable with a capital.
  post('v3/shop/card-holders/pre-entry/delete', [object('json', [field('card'), field('pin')])]),
  { ...post('v3/shop/card-holders/pre-entry', []), verb: 'delete' },
  { ...post('v3/shop/{goodsId}', [field('goodsId')]), verb: 'get', base_uri: 'https://apihk.mch.weixin.qq.com/' },
  {
    ...post('v3/shop/cards/', [object('json', [field('card'), field('pin')])], [field('id'), field('state')]),
    chain: 'v3/shop/cards/{empty}',
    chain_values: { empty: '' },
  },
  // Products of a family; a brand's; a number of the merchant's and the query that takes it.
  post(
    'v3/marketing/gifts/gifts',
    [object('json', [field('out_request_no'), field('sub_mchid?'), field('gift', 'string')])],
    [field('gift_id'), field('state')],
  ),
  {
    ...post(
      'v3/marketing/gifts/gifts/{out_request_no}',
      [field('out_request_no'), object('query', [field('sub_mchid')])],
      [field('gift_id'), field('state')],
    ),
    verb: 'get',
  },
  post('v3/marketing/stamps', [object('json', [field('out_request_no')])]),
  {
    ...post('brand/shop/goods', [object('json', [field('name'), field('code')])], [field('goods_id'), field('state')]),
    auth: 'brand',
  },
  // Files.
  { ...post('v3/shop/bill', [object('query', [field('date'), field('hash?')])]), verb: 'get', download: true },
  {
    ...post(
      'v3/shop/image',
      [object('body', [field('file', 'object'), field('meta')], { required: true })],
      [field('media_id')],
    ),
    upload: true,
  },
  // v2.
  {
    ...post(
      'v2/risk/addCard',
      [
        field('card', 'string', { enum: ['addCard'] }),
        field('security', 'boolean'),
        field('nonceless', 'boolean'),
        object('xml', [
          field('mch_id'),
          field('nonce_str'),
          field('sign'),
          field('fee', 'integer'),
          field('coupon_id_$n?'),
          field('state', 'string', { enum: ['A', 'B'] }),
        ]),
      ],
      [
        field('return_code', 'string', { enum: ['SUCCESS', 'FAIL'] }),
        field('fee', 'integer'),
        field('open', 'boolean'),
        field('level?', 'integer', { enum: ['1', '2'] }),
        field('coupon_fee_$n?', 'integer'),
        object('detail?', [field('goods', 'string'), field('count', 'integer')], { encoded: 'json', type: 'string' }),
      ],
    ),
    chain: 'v2/risk/{card}',
    chain_values: { card: 'addCard' },
    mtls: true,
    nonceless: true,
  },
  {
    ...post('v2/risk/page', [
      object('query', [field('appid'), field('next')]),
      field('fragment', 'string', { enum: ['#there'] }),
    ]),
    verb: 'get',
    redirect: true,
    base_uri: 'https://payapp.weixin.qq.com/',
  },
  {
    ...post(
      'v2/risk/token',
      [object('query', [field('appid'), field('code')])],
      [field('token'), field('ttl', 'integer')],
    ),
    verb: 'get',
    response_format: 'json',
  },
];

const WEBHOOKS: Webhook[] = [
  {
    name: 'GOODS.SOLD',
    event_type: 'GOODS.SOLD',
    protocol: 'v3',
    title: '已售出',
    links: ['https://example.com/sold'],
    encrypted_in: 'resource.ciphertext',
    resource_format: 'json',
    envelope: [field('id')],
    resource: [field('goods_id'), field('state', 'string', { enum: ['SOLD'] }), amount],
  },
  {
    name: 'GOODS.MOVED',
    event_type: 'GOODS.MOVED',
    protocol: 'v3',
    title: '已移动',
    resource_format: 'json',
    envelope: [field('id')],
    resource: [field('from?'), field('to?'), field('by?')],
    alternatives: [
      [field('from'), field('by'), object('place', [field('road'), field('city?')])],
      [field('to'), field('by?'), object('place?', [field('road?'), field('country')])],
    ],
    alternative_names: ['AWAY', 'BACK'],
  },
  {
    name: 'GOODS.SHARED',
    event_type: 'GOODS.SHARED',
    protocol: 'v3',
    title: '多产品',
    resource_format: 'json',
    variants: ['one', 'other'],
    envelope: [field('id')],
    resource: [field('one_id'), field('other_id', 'integer'), object('part', [field('id'), field('by?')])],
  },
  {
    name: 'refund-done',
    protocol: 'v2',
    title: '退款结果',
    encrypted_in: 'req_info',
    resource_format: 'xml',
    envelope: [field('return_code'), field('req_info?')],
    resource: [field('fee', 'integer'), field('memo?')],
  },
];

/** Writes the made-up catalogue, and with it what a test adds to it or puts in its place. */
export function writeCatalogue(folder: string, operations = OPERATIONS, webhooks = WEBHOOKS): void {
  const lines = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'operations.jsonl'), lines(operations));
  writeFileSync(join(folder, 'webhooks.jsonl'), lines(webhooks));
}

import { runInNewContext } from 'node:vm';
import { type LooseOptions, type OutcomeQuery, Transformer, WechatPayError } from 'wechatpay-undici';
import { findOperation, segmentsOf } from '../../lib/openapi/trait-of';
import { rejection } from '../support/rejection';
import { MCHID, wechatPay } from '../support/wechatpay';
import { type Operation, operationsOf } from './calls';

/*
 * Every operation whose outcome can be queried: its call, made of what its types have, goes to a server that resets the
 * connection; so does the query that the error then has.
 */

const { operations } = operationsOf();
const traitOf = ({ verb, path }: Operation) => findOperation(verb, segmentsOf(path))?.trait;
const queried = operations.filter((operation) => traitOf(operation)?.outcome);
const { running, build } = wechatPay();

/** Fields of v2 that the client checks. */
const FIELDS: ReadonlyMap<string, string> = new Map([
  ['sign_type', 'MD5'],
  ...['mch_id', 'mchid', 'combine_mch_id'].map((name) => [name, MCHID] as const),
]);

/** The options of a call: with all members that there are, or only those required. */
function optionsOf({ full, minimal }: Operation, all: boolean): LooseOptions {
  const { xml, ...options } = runInNewContext(`(${(all ? full : minimal).text})`) as { xml?: object };
  const fields = Object.entries(xml ?? {}).map(([name, value]) => [
    name,
    FIELDS.get(name) ?? (value === false ? 'N' : value),
  ]);
  // Nothing is encrypted for a server that reads nothing.
  return { ...options, ...(xml && { xml: Object.fromEntries(fields) }), encrypted: true, security: false };
}

async function queryAfter(operation: Operation, all: boolean): Promise<OutcomeQuery | undefined> {
  const { verb, path } = operation;
  const client = build();
  const node = client.chain(path);
  const error = await rejection(node[verb as 'post'](optionsOf(operation, all)));
  expect([path, error.message]).toEqual([path, expect.stringMatching(/query the outcome/)]);
  return (error as WechatPayError).query;
}

test('there are some', () => {
  expect(queried.length).toBeGreaterThan(260);
});

/** The operation that a path is of: its literal segments go before variables. */
function operationAt(verb: string, path: string): Operation | undefined {
  const matching = operations.filter(
    (one) => one.verb === verb && new RegExp(`^${one.path.replace(/\{\w+\}/g, '[^/{}]+')}$`).test(path),
  );
  return matching.find((one) => one.path === path) ?? matching[0];
}

/** Numbers of v2 of which one is enough, which the types do not say. */
const ONE_OF = new Set(['transaction_id', 'out_trade_no', 'refund_id', 'return_query_id']);

/** The names that an operation requires, in its query or in the XML of v2. */
function requiredBy({ minimal }: Operation): string[] {
  const { query = {}, xml = {} } = runInNewContext(`(${minimal.text})`) as { query?: object; xml?: object };
  return [...Object.keys(query), ...Object.keys(xml).filter((name) => !ONE_OF.has(name))];
}

/**
 * What is lacking where a call is made with its required members alone: the number that the query goes by, so that there is
 * no query; or whose it is, which the types leave open since it depends on who calls.
 */
const OPTIONAL = `
post v3/brand/applyments/cancel-applyment
post v3/ecommerce/account/apply-cancel-withdraw/confirm
post v3/global/papay/contracts/app-pre-entrust-sign
post v3/global/papay/contracts/h5-pre-entrust-sign
post v3/global/papay/contracts/jsapi-pre-entrust-sign
post v3/global/papay/contracts/miniprogram-pre-entrust-sign
post v3/global/papay/contracts/web-pre-entrust-sign
post v3/global/papay/transactions: sub_mchid
post v3/global/transactions/out-trade-no/{out_trade_no}/close: sub_mchid,sp_mchid
post v3/hire-power-bank/insurance-orders
post v3/payscore/acquiringbank/serviceorder/{out_order_no}/complete
post v3/payscore/acquiringbank/serviceorder/{out_order_no}/modify
post v3/payscore/acquiringbank/serviceorder/{out_order_no}/sync
post v3/payscore/partner/serviceorder/direct-complete: sub_mchid
post v3/payscore/serviceorder/{out_order_no}/cancel: service_id
post v3/payscore/serviceorder/{out_order_no}/pay: service_id,appid
post v3/profitsharing/return-orders
post v3/transactions/out-trade-no/{out_trade_no}/close: sub_mchid,sp_mchid
`.trim();

test.each([
  ['all members', true, ''],
  ['the required members', false, OPTIONAL],
])(
  'with %s: the query is one that there is, and is sent as it says, with all that it requires',
  async (_what, all, lacking) => {
    let target: string | undefined;
    let given: string[] = [];
    running.respond = (response, request, body) => {
      const [path = '', query = ''] = (request.url ?? '').split('?');
      target = `${request.method} ${path}`;
      const xml = body.startsWith('<') ? Transformer.toObject(body) : {};
      given = [...new URLSearchParams(query).keys(), ...Object.keys(xml)];
      response.socket?.resetAndDestroy();
    };
    const without: string[] = [];
    for (const operation of queried) {
      const call = `${operation.verb} ${operation.path}`;
      const query = await queryAfter(operation, all);
      if (query === undefined) {
        without.push(call);
        continue;
      }
      const { verb, path } = query;
      expect([call, path]).toEqual([call, expect.stringMatching(/^[^{}]+$/)]);
      const asked = operationAt(verb, path);
      if (asked === undefined) throw new Error(`${call} has a query that there is not: ${path}.`);
      target = undefined;
      const error = await rejection(query.ask());
      expect([call, error]).toEqual([call, expect.any(WechatPayError)]);
      expect([call, target]).toEqual([call, `${verb.toUpperCase()} /${path.replace(/^v2\//, '')}`]);
      const missing = requiredBy(asked).filter((name) => !given.includes(name));
      if (missing.length > 0) without.push(`${call}: ${missing}`);
    }
    expect(without.join('\n')).toBe(lacking);
  },
  120_000,
);

import type { Field, Operation } from './catalogue';
import { moduleOf } from './modules';
import { BY_HAND, type Choice } from './outcomes-by-hand';

/** The query for the outcome of a call whose response was lost. */
export interface Outcome {
  verb: 'get' | 'post';
  path: string;
  /** What the query is given, by its place in the options, `query.mchid`, and the place where the call has it. */
  take: Record<string, string>;
  /** Further required values. */
  fixed?: Record<string, string | number | boolean>;
  /** The owner, likewise, copied if the call has it. */
  also?: Record<string, string>;
  /** The location for the client's own merchant id. */
  own?: string;
}

/**
 * Numbers by which a merchant knows what it has asked for, those of the smallest thing first: who refunds an order has a
 * number for the refund and that of the order, and only the first leads to the refund.
 */
const NUMBERS = [
  'out_return_no',
  'out_subsidy_return_no',
  'out_refund_no',
  'out_transfer_no',
  'out_detail_no',
  'merchant_customs_no',
  'mch_customs_no',
  'sub_order_no',
  'partner_trade_no',
  'mch_billno',
  'out_bill_no',
  'out_batch_no',
  'out_recharge_no',
  'out_subsidy_no',
  'out_authorization_no',
  'out_apply_no',
  'out_applyment_id',
  'out_budget_no',
  'out_insurance_no',
  'out_reservation_no',
  'out_request_no',
  'business_code',
  'out_order_no',
  'out_order_id',
  'combine_out_trade_no',
  'out_trade_no',
  'out_contract_code',
  'merchant_sign_plan_no',
  'merchant_plan_no',
  'out_parking_no',
  'out_card_code',
] as const;

/** Members that identify the owner: a query copies them if the call has them. */
const IDENTITY = /^(sub_|sp_|sponsor_|combine_)?(mchid|mch_id|appid)$|^service_id$/;

/** Set by the client in each v2 request. */
const SIGNED = new Set(['nonce_str', 'sign', 'sign_type']);

/** What an operation may be given: the place in its options, `query.mchid`, its last name, whether it is needed. */
interface Input {
  place: string;
  name: string;
  required: boolean;
}

/** The outcome query of each operation that has one. */
export function outcomesOf(operations: readonly Operation[]): Map<Operation, Outcome> {
  const queries = operations.filter(isQuery);
  const outcomes = new Map<Operation, Outcome>();
  for (const operation of operations) {
    if (isQuery(operation) || operation.verb === 'get' || operation.upload) continue;
    const outcome = outcomeOf(operation, queries);
    if (outcome) outcomes.set(operation, outcome);
  }
  return outcomes;
}

function outcomeOf(operation: Operation, queries: readonly Operation[]): Outcome | undefined {
  const key = `${operation.verb} ${operation.path}`;
  const hand = BY_HAND[key];
  if (hand === null) return undefined;
  if (hand !== undefined) {
    const query = queries.find(({ path }) => path === hand.path);
    const outcome = query && pair(operation, query, hand);
    if (!outcome) throw new Error(`${key}: "${hand.path}" is not a query for which this call has all values.`);
    return outcome;
  }
  const own = inputsOf(operation);
  const by = NUMBERS.find((name) => own.some((input) => input.name === name));
  if (by === undefined) return undefined;
  const near = queries.filter((query) => leadsTo(query, operation, by));
  const closest = near
    .map((query) => ({ outcome: pair(operation, query, { by }), distance: distanceOf(operation, query) }))
    .filter(({ outcome }) => outcome !== undefined)
    .sort((a, b) => b.distance - a.distance);
  const [best, second] = closest;
  // If two are equally close, it is unknown which one is right.
  return second?.distance === best?.distance ? undefined : best?.outcome;
}

function isQuery({ verb, path, title, protocol, download, redirect }: Operation): boolean {
  if (download || redirect) return false;
  if (verb === 'get') return true;
  return protocol === 'v2' && (/query|get\w*info|getstate/i.test(path.split('/').at(-1) ?? '') || /^查询/.test(title));
}

const RECEIPT = /receipts?(\/|$)|elecsign|sandbox/;

/** Whether a query stands beside an operation and is by this number. A receipt tells nothing of what it is a receipt of. */
function leadsTo(query: Operation, operation: Operation, number: string): boolean {
  if (query.protocol !== operation.protocol || moduleOf(query.path) !== moduleOf(operation.path)) return false;
  if (RECEIPT.test(query.path) !== RECEIPT.test(operation.path)) return false;
  const input = inputsOf(query).find(({ name }) => name === number);
  if (input === undefined) return false;
  // A number that may be left out belongs to a list, unless the list is where the operation itself stands.
  const needed = input.required || operation.path === query.path || operation.path.startsWith(`${query.path}/`);
  return needed && Math.floor(distanceOf(operation, query)) >= (query.protocol === 'v2' ? 3 : 2);
}

/** How many segments two paths begin with in common; a query that goes on from the operation's own path is closer. */
function distanceOf({ path }: Operation, query: Operation): number {
  const [ours, theirs] = [path.split('/'), query.path.split('/')];
  const differs = ours.findIndex((segment, index) => segment !== theirs[index]);
  const common = differs < 0 ? ours.length : differs;
  return common + 1 / (2 + theirs.length - common);
}

/** What a query is given of a call; `undefined` where the call lacks what the query needs. */
function pair(operation: Operation, query: Operation, choice: Omit<Choice, 'path'>): Outcome | undefined {
  const { by, fixed = {}, optional = [], renamed = {} } = choice;
  const own = inputsOf(operation);
  const outcome: Outcome = { verb: query.verb === 'get' ? 'get' : 'post', path: query.path, take: {} };
  for (const { place, name, required } of inputsOf(query)) {
    if (Object.hasOwn(fixed, place)) continue;
    const source = own.find((input) => input.name === (renamed[name] ?? name));
    // Without a URI variable there is no path to ask.
    const identity = place.includes('.') && (IDENTITY.test(name) || choice.also?.includes(name));
    const needed = name === by || (required && !optional.includes(name) && !identity);
    if (needed && source === undefined) return undefined;
    if (needed && source) outcome.take[place] = source.place;
    else if (identity && source) outcome.also = { ...outcome.also, [place]: source.place };
    else if (identity && required && name === choice.own) outcome.own = place;
    // Whose it is, nobody could tell: WeChat Pay would refuse the query.
    else if (identity && required) return undefined;
  }
  if (Object.keys(fixed).length > 0) outcome.fixed = fixed;
  return outcome;
}

function inputsOf({ path, request }: Operation): Input[] {
  return request.flatMap((field): Input[] => {
    if (path.includes(`{${field.name}}`)) return [{ place: field.name, name: field.name, required: true }];
    if (!['json', 'query', 'xml'].includes(field.name)) return [];
    return membersOf(field);
  });
}

function membersOf({ name: option, required, fields = [] }: Field): Input[] {
  return fields
    .filter(({ name }) => !SIGNED.has(name))
    .map((field) => ({ place: `${option}.${field.name}`, name: field.name, required: required && field.required }));
}

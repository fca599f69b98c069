import { InvalidArgumentError } from '../../errors';
import type { Delivery } from '../notifications/notify';
import type { Protocol } from '../protocol/protocol';
import { fault } from '../wire/response';
import type { Combined, CombinedPayments } from './combine';
import { beijing } from './members';
import type { Order, Orders, TradeState } from './orders';
import type { Product, ProductContext } from './product';
import { isPartnerOrder, partnerTransactionOf, transactionOf } from './transaction';

/** Which of several orders with the same number is meant. */
export interface WhichOrder {
  /** Who placed it; of a partner `sp_mchid`, of a combined order `combine_mchid`. */
  mchid?: string | undefined;
  protocol?: Protocol | undefined;
}

/** Options of `sandbox.pay`: how the user pays. */
export interface PayOptions extends WhichOrder {
  /** The user; by default the one that the order is for, or anyone. */
  openid?: string | undefined;
  /** `OTHERS` by default: no bank card. */
  bank_type?: string | undefined;
  /** Without it the user pays; otherwise the order remains unpaid. */
  outcome?: 'cancel' | 'fail' | undefined;
}

/** An order as the sandbox shows it: the members of the query, and its links. */
export interface ShownOrder {
  readonly product: 'native' | 'jsapi' | 'app' | 'h5' | 'codepay';
  readonly protocol: Protocol;
  readonly trade_state: TradeState;
  /** `combine_out_trade_no` of a combined order, which has `sub_orders` as well. */
  readonly out_trade_no: string;
  readonly combine_out_trade_no?: string;
  readonly create_time: string;
  /** When it is closed if nobody has paid. */
  readonly time_expire: string;
  readonly prepay_id?: string;
  readonly code_url?: string;
  readonly h5_url?: string;
  readonly [member: string]: unknown;
}

const PRODUCTS = { NATIVE: 'native', JSAPI: 'jsapi', APP: 'app', MWEB: 'h5', MICROPAY: 'codepay' } as const;

const OPTIONS: ReadonlySet<string> = new Set(['openid', 'bank_type', 'outcome', 'mchid', 'protocol', 'wait']);

/** A single order or a combined one. */
type Payable = { readonly order: Order } | { readonly combined: Combined };

/** Orders for tests and the console: lists them, and plays the user who pays. */
export function createPayer({ store, notifier }: ProductContext, orders: Orders, combined: CombinedPayments) {
  function find(number: string, which: WhichOrder): Payable {
    const isMeant = meaning(which);
    const wholes = combined.table.by('number', number).filter(isMeant);
    const singles = orders.table.by('out_trade_no', number).filter((order) => isMeant(order) && isThere(order));
    const found = [
      ...wholes.map((whole) => ({ combined: whole })),
      ...singles
        .filter(({ combine_out_trade_no }) => combine_out_trade_no === undefined || wholes.length === 0)
        .map((order) => ({ order })),
    ];
    const [first] = found;
    if (!first) throw fault(404, 'ORDER_NOT_EXIST', `The order ${number} does not exist.`);
    if (found.length === 1) return first;
    const places = found.map((each) =>
      'order' in each ? `${each.order.mchid} ${each.order.protocol}` : `${each.combined.mchid} v3`,
    );
    throw fault(
      409,
      'NOT_UNIQUE',
      `Several orders have the number ${number} (${places.join(', ')}): pass mchid or protocol.`,
    );
  }

  function shown(payable: Payable): ShownOrder {
    return 'order' in payable ? shownOrder(payable.order) : shownCombined(payable.combined);
  }

  function shownCombined(whole: Combined): ShownOrder {
    const trade_state = combined.stateOf(whole);
    return { ...combined.shown(whole), out_trade_no: whole.combine_out_trade_no, trade_state, ...more(whole) };
  }

  /** Whether the combined order of a part still exists; it may have been reset. */
  function isThere({ combine_mchid, combine_out_trade_no: whole }: Order): boolean {
    return combine_mchid === undefined || combined.find(combine_mchid, whole) !== undefined;
  }

  /** The orders of all merchants, in the order in which they were placed; combined ones as one. */
  function list(which: WhichOrder = {}): ShownOrder[] {
    const isMeant = meaning(which);
    const singles = [...orders.table.values()].filter((order) => isMeant(order) && order.combine_mchid === undefined);
    const wholes = [...combined.table.values()].filter(isMeant);
    return [
      ...singles.map((order) => [order.created, shownOrder(order)] as const),
      ...wholes.map((whole) => [whole.created, shownCombined(whole)] as const),
    ]
      .sort(([one], [other]) => one - other)
      .map(([, order]) => order);
  }

  function play(payable: Payable, { openid, bank_type, outcome }: PayOptions): string | undefined {
    if (outcome !== undefined) {
      if ('order' in payable) orders.decline(payable.order, outcome);
      else combined.decline(payable.combined, outcome);
      return undefined;
    }
    const how = { openid, bank_type };
    return 'order' in payable ? orders.pay(payable.order, how).notified : combined.pay(payable.combined, how);
  }

  /**
   * Plays the user.
   * @returns the order, and the first attempt of its notification if it has one
   * @throws a response of status 400, 404 or 409 where the order cannot be paid
   */
  function pay(
    number: string,
    options: PayOptions = {},
  ): { order: ShownOrder; notification: Promise<Delivery> | undefined } {
    checkOptions(options);
    const payable = find(number, options);
    let key: string | undefined;
    try {
      key = play(payable, options);
    } catch (error) {
      if (!(error instanceof InvalidArgumentError)) throw error;
      throw fault(409, 'INVALID_REQUEST', error.message);
    }
    // Before the response leaves.
    store.commit();
    const order = shown(find(number, options));
    return { order, notification: key === undefined ? undefined : notifier.firstAttempt(key) };
  }

  const product: Product = {
    routes: [],
    control: [
      ['get', 'sandbox/orders', ({ query }) => list(whichOf(query))],
      [
        'get',
        'sandbox/orders/{out_trade_no}',
        ({ variables: { out_trade_no = '' }, query }) => shown(find(out_trade_no, whichOf(query))),
      ],
      [
        'post',
        'sandbox/orders/{out_trade_no}/pay',
        async ({ variables: { out_trade_no = '' }, query, json = {} }) => {
          const { wait = true, ...options } = bodyOf(json);
          const { order, notification } = pay(out_trade_no, { ...options, ...whichOf(query) });
          if (!wait || !notification) return { order };
          const { id, name, url, mchid, attempts, delivered } = await notification;
          return { order, notification: { id, name, url, mchid, attempts, delivered } };
        },
      ],
    ],
  };

  return { product, list, pay, show: (number: string, options: WhichOrder = {}) => shown(find(number, options)) };
}

function shownOrder(order: Order): ShownOrder {
  const { description, combine_out_trade_no } = order;
  const members = isPartnerOrder(order) ? partnerTransactionOf(order) : transactionOf(order);
  return {
    ...members,
    description,
    ...(combine_out_trade_no !== undefined && { combine_out_trade_no }),
    ...more(order),
  };
}

/** Whether an order matches; combined ones belong to APIv3. */
function meaning({ mchid, protocol }: WhichOrder) {
  return (order: { readonly mchid: string; readonly protocol?: Protocol }): boolean =>
    (mchid === undefined || order.mchid === mchid) && (protocol === undefined || (order.protocol ?? 'v3') === protocol);
}

/** Members that queries do not show. */
function more(order: Order | Combined) {
  const { trade_type, created, expires, prepay_id, code_url, h5_url } = order;
  return {
    product: PRODUCTS[trade_type],
    protocol: 'protocol' in order ? order.protocol : ('v3' as const),
    ...{ create_time: beijing(created), time_expire: beijing(expires) },
    ...(trade_type !== 'MICROPAY' && { prepay_id }),
    ...(code_url !== undefined && { code_url }),
    ...(h5_url !== undefined && { h5_url }),
  };
}

function whichOf(query: URLSearchParams): WhichOrder {
  const [mchid, protocol] = [query.get('mchid') ?? undefined, query.get('protocol') ?? undefined];
  if (protocol !== undefined && protocol !== 'v2' && protocol !== 'v3') throw wrong('protocol', 'v2 or v3', protocol);
  return { ...(mchid !== undefined && { mchid }), ...(protocol !== undefined && { protocol }) };
}

function bodyOf(json: unknown): PayOptions & { wait?: boolean } {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrong('The body', 'a JSON object', json);
  const { wait, ...options }: { wait?: unknown } = json;
  if (wait !== undefined && typeof wait !== 'boolean') throw wrong('wait', 'true or false', wait);
  return { ...options, ...(wait !== undefined && { wait }) };
}

function checkOptions(options: PayOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!OPTIONS.has(name)) {
      throw fault(400, 'PARAM_ERROR', `Unknown option "${name}"; valid options: ${[...OPTIONS].join(', ')}.`);
    }
    if (value !== undefined && (typeof value !== 'string' || value === '')) throw wrong(name, 'a string', value);
  }
  const { outcome, protocol } = options;
  if (outcome !== undefined && outcome !== 'cancel' && outcome !== 'fail') {
    throw wrong('outcome', 'cancel or fail; without it the user pays', outcome);
  }
  if (protocol !== undefined && protocol !== 'v2' && protocol !== 'v3') throw wrong('protocol', 'v2 or v3', protocol);
}

function wrong(name: string, what: string, value: unknown) {
  return fault(400, 'PARAM_ERROR', `${name} must be ${what}; found ${JSON.stringify(value)}.`);
}

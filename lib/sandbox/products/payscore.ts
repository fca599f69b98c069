import { isDeepStrictEqual } from 'node:util';
import type { RequestOf, ResponseOf } from '../../openapi/operation';
import { nonce } from '../../signature/formatter';
import * as Hash from '../../signature/hash';
import { operation } from '../catalogue/operation';
import { keyOf, type Table } from '../store';
import { paramError } from '../wire/param-error';
import { fault } from '../wire/response';
import { beijing, digits, notifyUrl } from './members';
import { createOnce, type Given, given } from './once';
import type { Permissions } from './payscore-permissions';
import type { Product, ProductContext } from './product';

/** The paths of its operations. */
const ORDERS = 'v3/payscore/serviceorder';
const CANCEL = 'v3/payscore/serviceorder/{out_order_no}/cancel';
const COMPLETE = 'v3/payscore/serviceorder/{out_order_no}/complete';
const MODIFY = 'v3/payscore/serviceorder/{out_order_no}/modify';
const PAY = 'v3/payscore/serviceorder/{out_order_no}/pay';
const SYNC = 'v3/payscore/serviceorder/{out_order_no}/sync';

/** What the user does: confirms the order, or pays what the merchant collects. */
export type ServiceOrderOutcome = 'confirm' | 'pay';

/** A service order. */
interface ServiceOrder {
  readonly mchid: string;
  readonly out_order_no: string;
  readonly asked: Given<RequestOf<typeof ORDERS, 'post'>['json']>;
  readonly order_id: string;
  readonly package: string;
  readonly openid: string | undefined;
  readonly state: 'CREATED' | 'DOING' | 'DONE' | 'REVOKED' | 'EXPIRED';
  readonly state_description?: 'USER_CONFIRM' | 'MCH_COMPLETE' | undefined;
  /** Its completion, with later changes. */
  readonly completed?: Given<RequestOf<typeof COMPLETE, 'post'>['json']>;
  readonly paid?: { readonly by: 'NEWTON' | 'MCH'; readonly time: string; readonly transaction_id?: string };
}

/** What the sandbox does for service orders besides its routes. */
export interface ServiceOrders extends Product {
  /**
   * Plays the user.
   * @returns the order, and the key of the notification
   * @throws a response of status 404 or 409 where there is no such order, or its state does not allow it
   */
  play(
    mchid: string,
    out_order_no: string,
    outcome: ServiceOrderOutcome,
    openid?: string,
  ): { order: ResponseOf<typeof ORDERS, 'get'>; notified: string };
}

/** The tasks that end an unconfirmed order, and that collect the amount of a completed one. */
const EXPIRE = 'payscore.expire';
const COLLECT = 'payscore.collect';

/** How long the user has to confirm an order: 30 days, in milliseconds. */
const CONFIRMED_WITHIN = 30 * 86_400_000;

/** The user who confirms by default. */
const SOMEONE = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o';

/** Service orders of WeChat Pay Score (支付分). @see https://pay.weixin.qq.com/doc/v3/merchant/4012587900 */
export function serviceOrders(
  { store, clock, schedule, notifier, identities }: ProductContext,
  permissions: Permissions,
): ServiceOrders {
  const table: Table<ServiceOrder> = store.table('service-orders', {
    indexes: { order_id: ({ order_id }: ServiceOrder) => order_id },
  });
  const modifications = createOnce<ResponseOf<typeof MODIFY, 'post'>>(store, 'service-order-modifications');

  function put(order: ServiceOrder): ServiceOrder {
    table.put(keyOf(order.mchid, order.out_order_no), order);
    return order;
  }

  /** The order that a request means, by its number and service. */
  function find(mchid: string, out_order_no: string | undefined, service_id?: string): ServiceOrder {
    const order = out_order_no === undefined ? undefined : table.get(keyOf(mchid, out_order_no));
    if (!order || (service_id ?? order.asked.service_id) !== order.asked.service_id) {
      throw fault(404, 'ORDER_NOT_EXIST', '订单不存在');
    }
    return order;
  }

  schedule.on(EXPIRE, (key) => {
    const order = table.get(key);
    if (order?.state === 'CREATED') put({ ...order, state: 'EXPIRED' });
  });

  schedule.on(COLLECT, (key) => {
    const order = table.get(key);
    if (order && isCollecting(order)) collect(order);
  });

  function collect(order: ServiceOrder): { order: ServiceOrder; notified: string } {
    const time = clock.now();
    const transaction_id = `4200${digits(6)}${beijing(time).slice(0, 10).replaceAll('-', '')}${digits(10)}`;
    const paid: ServiceOrder['paid'] = { by: 'NEWTON', time: compact(time), transaction_id };
    return tell(put({ ...order, state: 'DONE', state_description: undefined, paid }), 'PAYSCORE.USER_PAID');
  }

  function confirm(order: ServiceOrder, openid: string): { order: ServiceOrder; notified: string } {
    const confirmed = { ...order, openid, state: 'DOING' as const, state_description: 'USER_CONFIRM' as const };
    return tell(put(confirmed), 'PAYSCORE.USER_CONFIRM');
  }

  function tell(order: ServiceOrder, name: 'PAYSCORE.USER_CONFIRM' | 'PAYSCORE.USER_PAID') {
    const { mchid, asked } = order;
    const notified = notifier.notify({ kind: 'merchant', id: mchid }, name, contentOf(order), asked.notify_url);
    return { order, notified };
  }

  /** The parameters of `openBusinessView`, as a query. */
  function packageOf(mchid: string, service_id: string, out_order_no: string): string {
    const members = {
      ...{ mch_id: mchid, service_id, out_order_no, timestamp: String(Math.floor(Date.now() / 1000)) },
      ...{ nonce_str: nonce(32), sign_type: 'HMAC-SHA256' },
    };
    const secret = identities.find('merchant', mchid)?.secret ?? '';
    const signature = Hash.sign('HMAC-SHA256', members, secret);
    return new URLSearchParams({ ...members, signature }).toString();
  }

  function create(mchid: string, asked: ServiceOrder['asked']): ServiceOrder {
    const { out_order_no, service_id, openid, need_user_confirm = true, time_range } = asked;
    notifyUrl(asked.notify_url);
    const { start_time, end_time } = time_range;
    if (end_time !== undefined && instantOf(end_time) < instantOf(start_time)) {
      throw fault(400, 'INVALID_REQUEST', '真实结束时间小于预计开始时间');
    }
    // A user has authorised the service unless the permission has been withdrawn: the order begins at once.
    if (!need_user_confirm && openid === undefined) {
      throw paramError('body', '/openid', 'is missing: an order without need_user_confirm begins at once');
    }
    if (!need_user_confirm && permissions.isWithdrawn(mchid, service_id, openid ?? '')) {
      throw fault(403, 'NO_AUTH', '商户暂无权限使用此服务');
    }
    const begun = { state: 'DOING' as const, state_description: 'USER_CONFIRM' as const };
    schedule.at(clock.now() + CONFIRMED_WITHIN, EXPIRE, keyOf(mchid, out_order_no));
    return put({
      ...{ mchid, out_order_no, asked, order_id: digits(30), package: packageOf(mchid, service_id, out_order_no) },
      ...{ openid, ...(need_user_confirm ? { state: 'CREATED' } : begun) },
    });
  }

  const product: Product = {
    routes: [
      operation('post', ORDERS, ({ mchid, json }) => {
        const before = table.get(keyOf(mchid, json.out_order_no));
        if (before && !isDeepStrictEqual(before.asked, json)) throw repeated();
        if (before) refuseEnded(before);
        const order = before ?? create(mchid, given(json));
        const { openid: _, need_collection: __, collection: ___, ...shown } = show(order);
        return { ...shown, order_id: order.order_id, package: order.package };
      }),
      operation('get', ORDERS, ({ mchid, query }) => {
        // The sandbox's query_id is the order_id.
        const [byId] = table.by('order_id', query.get('query_id') ?? '').filter((order) => order.mchid === mchid);
        const number = query.get('out_order_no') ?? byId?.out_order_no;
        return show(find(mchid, number, query.get('service_id') ?? undefined));
      }),
      operation('post', CANCEL, ({ mchid, variables: { out_order_no }, json }) => {
        const order = find(mchid, out_order_no, json.service_id);
        const { state, state_description } = order;
        if (state !== 'REVOKED') {
          if (state !== 'CREATED' && !(state === 'DOING' && state_description === 'USER_CONFIRM')) {
            throw fault(400, 'INVALID_ORDER_STATE', '当前订单状态不满足撤销条件');
          }
          put({ ...order, state: 'REVOKED', state_description: undefined });
        }
        return identity(order);
      }),
      operation('post', COMPLETE, ({ mchid, variables: { out_order_no }, json }) => {
        const order = find(mchid, out_order_no, json.service_id);
        const { state, state_description, completed } = order;
        if (completed && isDeepStrictEqual(completed, json)) return completion(order, completed);
        if (state === 'DOING' && state_description === 'MCH_COMPLETE') throw repeated();
        if (state !== 'DOING') throw fault(400, 'INVALID_REQUEST', '当前订单状态不合法');
        const asked = given(json);
        checkAmounts(order, asked);
        checkTimes(order, asked.time_range, clock.now());
        const isFree = asked.total_amount === 0;
        const description = isFree ? undefined : ('MCH_COMPLETE' as const);
        const after = put({
          ...{ ...order, completed: asked, state: isFree ? 'DONE' : 'DOING', state_description: description },
        });
        if (!isFree) schedule.at(clock.now() + 1000, COLLECT, keyOf(mchid, order.out_order_no));
        return completion(after, asked);
      }),
      operation('post', MODIFY, ({ mchid, variables: { out_order_no }, json }) => {
        const order = find(mchid, out_order_no, json.service_id);
        const { post_payments, post_discounts, total_amount, reason: _, ...rest } = given(json);
        return modifications(mchid, `${order.out_order_no}/${JSON.stringify(json)}`, json, () => {
          const { completed } = collecting(order);
          const { post_discounts: __, ...before } = completed;
          if (total_amount >= completed.total_amount) {
            throw fault(400, 'INVALID_REQUEST', `The amount can only be lowered; it is ${completed.total_amount}.`);
          }
          checkAmounts(order, { post_payments, total_amount, ...(post_discounts && { post_discounts }) });
          const discounts = post_discounts?.map(({ name = '', ...discount }) => ({ name, ...discount }));
          const after = put({
            ...order,
            completed: {
              ...{ ...before, appid: rest.appid, post_payments, total_amount },
              ...(discounts && { post_discounts: discounts }),
            },
          });
          return { ...show(after), post_payments };
        });
      }),
      operation('post', PAY, ({ mchid, variables: { out_order_no }, json }) => {
        const order = find(mchid, out_order_no, json.service_id);
        collecting(order);
        schedule.at(clock.now(), COLLECT, keyOf(mchid, order.out_order_no));
        return identity(order);
      }),
      operation('post', SYNC, ({ mchid, variables: { out_order_no }, json }) => {
        const order = find(mchid, out_order_no, json.service_id);
        if (json.type !== 'Order_Paid') throw paramError('body', '/type', 'must be Order_Paid', json.type);
        const { paid_time: time } = json.detail;
        const isRepeat = order.paid?.by === 'MCH' && order.paid.time === time;
        if (!isRepeat) collecting(order);
        const done = isRepeat
          ? order
          : put({ ...order, state: 'DONE', state_description: undefined, paid: { by: 'MCH', time } });
        const { collection, ...shown } = show(done);
        return { ...shown, openid: order.openid ?? '', order_id: order.order_id, ...(collection && { collection }) };
      }),
    ],
    control: [
      [
        'post',
        'sandbox/payscore/{out_order_no}',
        ({ mchid, variables: { out_order_no = '' }, json }) => {
          const { outcome, openid } = Object(json);
          return play(mchid, out_order_no, outcome, openid).order;
        },
      ],
    ],
  };

  const play: ServiceOrders['play'] = (mchid, out_order_no, outcome, openid) => {
    const order = table.get(keyOf(mchid, out_order_no));
    if (!order) throw fault(404, 'ORDER_NOT_EXIST', `The service order ${out_order_no} does not exist.`);
    if (outcome !== 'confirm' && outcome !== 'pay') {
      throw fault(400, 'PARAM_ERROR', `outcome must be confirm or pay; found ${JSON.stringify(outcome)}.`);
    }
    const isAllowed = outcome === 'confirm' ? order.state === 'CREATED' : isCollecting(order);
    if (!isAllowed) {
      const state = [order.state, order.state_description].filter(Boolean).join(', ');
      throw fault(
        409,
        'INVALID_ORDER_STATE',
        `The service order ${out_order_no} is ${state}; ${outcome} is not possible.`,
      );
    }
    const done = outcome === 'pay' ? collect(order) : confirm(order, openid ?? order.openid ?? SOMEONE);
    return { order: show(done.order), notified: done.notified };
  };

  return { ...product, play };
}

/** An order as queries show it. */
function show(order: ServiceOrder) {
  const { mchid, out_order_no, asked, order_id, openid, state, state_description, completed, paid } = order;
  const { appid, service_id, service_introduction, risk_fund, attach, notify_url } = asked;
  const { post_payments, post_discounts } = completed ?? asked;
  const location = { ...asked.location, ...completed?.location };
  const total_amount = completed?.total_amount;
  return {
    ...{ mchid, appid, service_id, out_order_no, service_introduction, state, risk_fund, notify_url, order_id },
    ...(state_description !== undefined && { state_description }),
    ...(post_payments && { post_payments }),
    ...(post_discounts && { post_discounts }),
    time_range: { ...asked.time_range, ...completed?.time_range },
    ...(Object.keys(location).length > 0 && { location }),
    ...(attach !== undefined && { attach }),
    ...(openid !== undefined && { openid }),
    ...(total_amount !== undefined && { total_amount, need_collection: total_amount > 0 }),
    ...(total_amount && state !== 'REVOKED' && { collection: collectionOf(total_amount, paid) }),
  };
}

function collectionOf(total_amount: number, paid: ServiceOrder['paid']) {
  if (!paid) return { state: 'USER_PAYING' as const, total_amount, paying_amount: total_amount, paid_amount: 0 };
  const { by: paid_type, time: paid_time, transaction_id } = paid;
  const detail = { seq: 1, amount: total_amount, paid_type, paid_time, ...(transaction_id && { transaction_id }) };
  return {
    ...{ state: 'USER_PAID' as const, total_amount, paying_amount: 0, paid_amount: total_amount },
    details: [detail],
  };
}

/** The content of the notifications of an order. */
function contentOf(order: ServiceOrder) {
  const { openid = '', out_order_no, asked } = order;
  const { collection, post_payments = [], ...shown } = show(order);
  return {
    ...{ state_description: '', ...shown, openid, post_payments, sub_mchid: '', out_trade_no: out_order_no },
    time_range: { ...asked.time_range, ...order.completed?.time_range },
    ...(collection && { collection }),
  };
}

function completion(order: ServiceOrder, { total_amount }: NonNullable<ServiceOrder['completed']>) {
  const { openid: _, attach: __, notify_url: ___, collection: ____, ...shown } = show(order);
  return { ...shown, total_amount };
}

function identity({ mchid, out_order_no, asked: { appid, service_id }, order_id }: ServiceOrder) {
  return { appid, mchid, out_order_no, service_id, order_id };
}

function isCollecting({ state, state_description }: ServiceOrder): boolean {
  return state === 'DOING' && state_description === 'MCH_COMPLETE';
}

/** @throws if the order does not wait for its payment */
function collecting(order: ServiceOrder): { completed: NonNullable<ServiceOrder['completed']> } {
  refuseEnded(order);
  const { completed } = order;
  if (isCollecting(order) && completed) return { completed };
  throw fault(400, 'INVALID_ORDER_STATE', '仅服务订单支付状态为待支付时，才可使用此能力');
}

function refuseEnded({ state }: ServiceOrder): void {
  if (state === 'REVOKED') throw fault(400, 'ORDER_CANCELED', '当前订单状态不合法(已取消)');
  if (state === 'DONE') throw fault(400, 'ORDER_DONE', '当前订单状态不合法');
}

interface Amounts {
  readonly total_amount: number;
  readonly post_payments: readonly { readonly amount?: number }[];
  readonly post_discounts?: readonly { readonly amount?: number }[];
}

function checkAmounts(
  { asked: { risk_fund } }: ServiceOrder,
  { total_amount, post_payments, post_discounts = [] }: Amounts,
): void {
  const sum = (items: Amounts['post_payments']) => items.reduce((all, { amount = 0 }) => all + amount, 0);
  if (total_amount !== sum(post_payments) - sum(post_discounts)) {
    throw fault(400, 'PARAM_ERROR', '最终总金额计算非法');
  }
  const isDeposit = risk_fund.name !== 'ESTIMATE_ORDER_COST';
  if (isDeposit && total_amount > risk_fund.amount) {
    throw fault(400, 'INVALID_REQUEST', '总金额超过此服务的服务风险金额');
  }
}

function checkTimes({ asked }: ServiceOrder, range: { end_time?: string } | undefined, now: number): void {
  if (range?.end_time === undefined) return;
  const end = instantOf(range.end_time);
  if (end < instantOf(asked.time_range.start_time)) throw fault(400, 'INVALID_REQUEST', '真实结束时间小于预计开始时间');
  if (end > now) throw fault(400, 'INVALID_REQUEST', `The end_time ${range.end_time} is in the future.`);
}

/** The time of `20091225091010` or `20091225` in Beijing; `OnAccept` is not a time. */
function instantOf(text: string): number {
  const [, year, month, day, hour = '00', minute = '00', second = '00'] =
    /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d))?$/.exec(text) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}+08:00`);
}

/** A time as service orders write it: `20091225091010`. */
function compact(time: number): string {
  return beijing(time).slice(0, 19).replace(/\D/g, '');
}

function repeated() {
  return fault(400, 'INVALID_REQUEST', '订单重入参数校验失败');
}

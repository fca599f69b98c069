import { isDeepStrictEqual } from 'node:util';
import { InvalidArgumentError } from '../../errors';
import type { RequestOf, ResponseOf } from '../../openapi/operation';
import { operation } from '../catalogue/operation';
import { keyOf } from '../store';
import { paramError, rule } from '../wire/param-error';
import { fault } from '../wire/response';
import { chosen, controlled } from './controlled';
import { beijing, digits, notifyUrl, optional } from './members';
import { day } from './numbers';
import type { Orders } from './orders';
import type { Product, ProductContext } from './product';
import { sharingReceivers } from './profit-sharing-receivers';
import { sharingReturns } from './profit-sharing-returns';
import { createSharings, invalid, isSharer, type Refunded, type Share, type Sharing } from './profit-sharing-state';
import { sameBody } from './sensitive';

/** The paths of its operations. */
const ORDERS = 'v3/profitsharing/orders';
const ORDER = 'v3/profitsharing/orders/{out_order_no}';
const UNFREEZE = 'v3/profitsharing/orders/unfreeze';
const AMOUNTS = 'v3/profitsharing/transactions/{transaction_id}/amounts';
const CONFIG = 'v3/profitsharing/merchant-configs/{sub_mchid}';

/** A profit sharing order, as queries show it. */
export type ProfitSharing = ResponseOf<typeof ORDER, 'get'>;

/** A failure of a profit sharing order. */
export interface ProfitSharingOutcome {
  /** `close`: receivers get nothing, as long as it is `PROCESSING`. `refuse-return`: their returns fail from now on. */
  readonly outcome: (typeof OUTCOMES)[number];
  /** The receiver; all of them by default. */
  readonly account?: string | undefined;
  /** Such as `ACCOUNT_ABNORMAL`, the default, or for a return `BALANCE_NOT_ENOUGH`, the default there. */
  readonly fail_reason?: string | undefined;
}

const OUTCOMES = ['close', 'refuse-return'] as const;

/** The task that ends a profit sharing order. */
const FINISH = 'profit-sharing.finish';

/** How long after a payment sharing is possible, in milliseconds. */
const SETTLING = 60_000;

/** How many requests an order has at most, and how many receivers a request. */
const MAX = 50;

type Asked = RequestOf<typeof ORDERS, 'post'>['json'];

/**
 * Profit sharing, of merchants and of partners.
 * @param refunded how much of a payment has been refunded
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012524936
 */
export function profitSharing(context: ProductContext, orders: Orders, refunded: Refunded = () => 0) {
  const { clock, schedule, identities, notifier } = context;
  const sharings = createSharings(context, orders, refunded);
  const receivers = sharingReceivers(context);

  schedule.on(FINISH, (key) => {
    const sharing = sharings.table.get(key);
    if (sharing?.state !== 'PROCESSING') return;
    const finished = clock.now();
    const shares = sharing.receivers.map((share): Share => {
      const reason = share.closing ?? (isRelated(sharing, share) ? undefined : 'NO_RELATION');
      return { ...share, finished, ...(reason ? { result: 'CLOSED', fail_reason: reason } : { result: 'SUCCESS' }) };
    });
    const done: Sharing = { ...sharing, state: 'FINISHED', receivers: shares };
    sharings.put(done);
    for (const share of shares) if (share.result === 'SUCCESS') notify(done, share);
  });

  /** Receivers must have been added; the sharer itself cannot be one. */
  function isRelated(sharer: Pick<Sharing, 'mchid' | 'sub_mchid'>, share: Pick<Share, 'type' | 'account'>): boolean {
    return isSharer(share, sharer.sub_mchid ?? sharer.mchid) || receivers.has(sharer, share);
  }

  /** Receiving merchants of this sandbox are notified at the `notify_url` of the request; the sharer is not. */
  function notify(sharing: Sharing, share: Share): void {
    const { mchid, sub_mchid, transaction_id, order_id, out_order_no, notify_url } = sharing;
    const { type, account, amount, description, finished = 0 } = share;
    if (notify_url === undefined || type !== 'MERCHANT_ID' || isSharer(share, sub_mchid ?? mchid)) return;
    if (!identities.find('merchant', account)) return;
    const content = {
      ...(sub_mchid === undefined ? { mchid } : { sp_mchid: mchid, sub_mchid }),
      ...{ transaction_id, order_id, out_order_no, receiver: { type, account, amount, description } },
      success_time: beijing(finished),
    };
    notifier.notify({ kind: 'merchant', id: account }, 'PROFITSHARING.SUCCESS', content, notify_url);
  }

  /** The order that a number stands for already. @throws the refusal of a request that is another one */
  async function repeated(before: Sharing, kind: Sharing['kind'], json: Partial<Asked>): Promise<ProfitSharing> {
    if (before.kind === kind && (await sameBody(identities, before.asked, json, ['name']))) {
      return shown(sharings.find(before.mchid, before.out_order_no) ?? before);
    }
    const others = { ...before.asked, receivers: undefined };
    const isReceivers = isDeepStrictEqual(others, { ...json, receivers: undefined });
    throw invalid(isReceivers ? '分账接收方与原请求不一致' : '请求重入时，参数与首次请求时不一致');
  }

  type Started = Pick<Sharing, 'mchid' | 'kind' | 'asked' | 'transaction_id' | 'out_order_no' | 'ends'> & {
    readonly sub_mchid: string | undefined;
    readonly notify_url: string | undefined;
    readonly shares: readonly Pick<Share, 'type' | 'account' | 'amount' | 'description'>[];
  };

  function start({ sub_mchid, notify_url, shares, ...rest }: Started): ProfitSharing {
    const created = clock.now();
    const sharing: Sharing = {
      ...rest,
      ...(sub_mchid !== undefined && { sub_mchid }),
      ...(notify_url !== undefined && { notify_url: notifyUrl(notify_url) }),
      ...{ order_id: `3008${digits(6)}${day(created)}${digits(10)}`, state: 'PROCESSING', created },
      receivers: shares.map(({ type, account, amount, description }) => ({
        ...{ type, account, amount, description, detail_id: `3601${digits(19)}`, result: 'PENDING' },
      })),
    };
    sharings.put(sharing);
    schedule.at(created + 1000, FINISH, keyOf(sharing.mchid, sharing.out_order_no));
    return shown(sharing);
  }

  function share(mchid: string, json: Asked): ProfitSharing {
    const { sub_mchid, transaction_id, out_order_no, notify_url, unfreeze_unsplit: ends } = json;
    const shares = json.receivers ?? [];
    checkNumbers(transaction_id, out_order_no);
    if (shares.length === 0 && !ends) throw rule.required('/receivers', '分账接收方列表');
    if (shares.length > MAX) throw paramError('body', '/receivers', `must have ${MAX} entries at most`);
    for (const [index, { amount }] of shares.entries()) {
      if (!(amount >= 1)) throw paramError('body', `/receivers/${index}/amount`, 'must be 1 or more', amount);
    }
    const order = sharings.order(mchid, transaction_id, sub_mchid, '非分账订单不支持分账');
    if (clock.now() < order.payment.time + SETTLING) throw invalid('订单处理中，请稍后重试');
    if (sharings.isEnded(order)) throw invalid('订单已完结分账，不支持分账');
    if (sharings.of(order).length >= MAX) throw invalid(`An order has ${MAX} requests to share it at most.`);
    if (!shares.every((one) => isRelated({ mchid, ...(sub_mchid && { sub_mchid }) }, one))) {
      throw invalid('分账接收方关系不存在');
    }
    const sharer = sub_mchid ?? mchid;
    const sum = (some: typeof shares): number => some.reduce((total, { amount }) => total + amount, 0);
    if (sum(shares) > sharings.unsplit(order)) throw fault(403, 'NOT_ENOUGH', '分账金额不足');
    if (sum(shares.filter((one) => !isSharer(one, sharer))) > sharings.allowance(order)) {
      throw invalid('分账金额超出最大分账比例');
    }
    return start({
      ...{ mchid, sub_mchid, kind: 'share', asked: json, transaction_id, out_order_no, ends, notify_url, shares },
    });
  }

  function unfreeze(mchid: string, json: RequestOf<typeof UNFREEZE, 'post'>['json']): ProfitSharing {
    const { sub_mchid, transaction_id, out_order_no, description, notify_url } = json;
    checkNumbers(transaction_id, out_order_no);
    const order = sharings.order(mchid, transaction_id, sub_mchid, '非分账订单不支持解冻剩余资金');
    const amount = sharings.unsplit(order);
    if (amount === 0) throw fault(403, 'NOT_ENOUGH', '分账金额为0');
    const shares = [{ type: 'MERCHANT_ID' as const, account: sub_mchid ?? mchid, amount, description }];
    const common = { mchid, sub_mchid, transaction_id, out_order_no, notify_url, shares };
    return start({ ...common, kind: 'unfreeze', asked: json, ends: true });
  }

  /**
   * Makes a profit sharing order fail.
   * @throws InvalidArgumentError if there is no such order or receiver, or its state does not allow it
   */
  function play(mchid: string, out_order_no: string, how: ProfitSharingOutcome): ProfitSharing {
    const { outcome, account, fail_reason } = how;
    if (!OUTCOMES.includes(outcome)) {
      throw new InvalidArgumentError(`Unknown outcome "${outcome}"; valid outcomes: ${OUTCOMES.join(', ')}.`);
    }
    const sharing = sharings.find(mchid, out_order_no);
    if (!sharing) throw new InvalidArgumentError(`The profit sharing order ${out_order_no} does not exist.`);
    const isMeant = (one: Share): boolean => account === undefined || one.account === account;
    if (!sharing.receivers.some(isMeant)) {
      throw new InvalidArgumentError(`The profit sharing order ${out_order_no} has no receiver ${account}.`);
    }
    if (outcome === 'close' && sharing.state === 'FINISHED') {
      throw new InvalidArgumentError(`The profit sharing order ${out_order_no} is FINISHED.`);
    }
    const changes =
      outcome === 'close'
        ? { closing: fail_reason ?? 'ACCOUNT_ABNORMAL' }
        : { returns: fail_reason ?? 'BALANCE_NOT_ENOUGH' };
    const changed = sharing.receivers.map((one) => (isMeant(one) ? { ...one, ...changes } : one));
    sharings.put({ ...sharing, receivers: changed });
    return shown(sharing);
  }

  /**
   * Sets how much of an order may be shared.
   * @throws InvalidArgumentError unless it is an integer from 1 to 10,000
   */
  function limit(mchid: string, max_ratio: unknown): { max_ratio: number } {
    if (!(typeof max_ratio === 'number' && Number.isInteger(max_ratio) && max_ratio >= 1 && max_ratio <= 10_000)) {
      throw new InvalidArgumentError(`"max_ratio" must be a whole number from 1 to 10000; found ${String(max_ratio)}.`);
    }
    sharings.setRatio(mchid, max_ratio);
    return { max_ratio };
  }

  const list = (mchid: string): ProfitSharing[] => sharings.table.by('mchid', mchid).map(shown);

  const product: Product = {
    routes: [
      ...receivers.routes,
      ...sharingReturns(context, sharings),
      operation('post', ORDERS, ({ mchid, json }) => {
        const before = sharings.find(mchid, json.out_order_no);
        return before ? repeated(before, 'share', json) : share(mchid, json);
      }),
      operation('get', ORDER, ({ mchid, variables: { out_order_no = '' }, query }) => {
        const sharing = sharings.find(mchid, out_order_no);
        const isMeant =
          sharing?.transaction_id === query.get('transaction_id') &&
          (sharing?.sub_mchid ?? null) === query.get('sub_mchid');
        if (!sharing || !isMeant) throw fault(404, 'RESOURCE_NOT_EXISTS', '记录不存在');
        return shown(sharing);
      }),
      operation('post', UNFREEZE, ({ mchid, json }) => {
        const before = sharings.find(mchid, json.out_order_no);
        return before ? repeated(before, 'unfreeze', json) : unfreeze(mchid, json);
      }),
      operation('get', AMOUNTS, ({ mchid, variables: { transaction_id = '' } }) => {
        return { transaction_id, unsplit_amount: sharings.unsplit(sharings.queried(mchid, transaction_id)) };
      }),
      operation('get', CONFIG, ({ mchid, variables: { sub_mchid = '' } }) => {
        // Any other number is a sub-merchant: a partner may act for anyone.
        if (sub_mchid === mchid) throw fault(403, 'NO_AUTH', '非服务商下的签约子商户');
        return { sub_mchid, max_ratio: sharings.ratio(mchid) };
      }),
    ],
    control: [
      ['get', 'sandbox/profit-sharing', ({ mchid }) => list(mchid)],
      [
        'post',
        'sandbox/profit-sharing',
        ({ mchid, json }) => controlled(() => limit(mchid, Object(json).max_ratio), 400),
      ],
      [
        'post',
        'sandbox/profit-sharing/{out_order_no}',
        ({ mchid, variables: { out_order_no = '' }, json }) => {
          const outcome = chosen(json, 'outcome', OUTCOMES);
          const given = optional(json, 'account', 'fail_reason');
          if (!sharings.find(mchid, out_order_no)) {
            throw fault(404, 'NOT_FOUND', `The profit sharing order ${out_order_no} does not exist.`);
          }
          return controlled(() => play(mchid, out_order_no, { outcome, ...given }));
        },
      ],
    ],
  };
  return { ...product, list, play, limit };
}

function shown({
  sub_mchid,
  transaction_id,
  out_order_no,
  order_id,
  state,
  receivers,
  created,
}: Sharing): ProfitSharing {
  return {
    ...(sub_mchid !== undefined && { sub_mchid }),
    ...{ transaction_id, out_order_no, order_id, state },
    receivers: receivers.map(({ type, account, amount, description, detail_id, result, fail_reason, finished }) => ({
      ...{ amount, description, type, account, result },
      ...(fail_reason !== undefined && { fail_reason }),
      // Unverified: the documentation requires `finish_time` of what has not finished, too.
      ...{ detail_id, create_time: beijing(created), finish_time: beijing(finished ?? 0) },
    })),
  };
}

/** Refuses impossible numbers. */
function checkNumbers(transaction_id: string, out_order_no: string): void {
  if (!/^\d{28}$/.test(transaction_id)) {
    throw paramError('body', '/transaction_id', 'must have 28 digits', transaction_id, '订单号格式不正确');
  }
  if (Buffer.byteLength(out_order_no) > 64) throw rule.tooLong('/out_order_no', '商户分账单号', out_order_no, 64);
  const pattern = '^[0-9A-Za-z_\\-|*@]+$';
  if (!new RegExp(pattern).test(out_order_no)) {
    throw rule.pattern('/out_order_no', '商户分账单号', pattern, out_order_no);
  }
}

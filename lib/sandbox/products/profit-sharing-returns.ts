import { isDeepStrictEqual } from 'node:util';
import type { RequestOf, ResponseOf } from '../../openapi/operation';
import { operation } from '../catalogue/operation';
import { keyOf } from '../store';
import { paramError, rule } from '../wire/param-error';
import { fault } from '../wire/response';
import { beijing, digits } from './members';
import { day } from './numbers';
import type { ProductContext, ProductRoute } from './product';
import { invalid, type Sharings } from './profit-sharing-state';

/** The paths of its operations. */
const RETURNS = 'v3/profitsharing/return-orders';
const RETURN = 'v3/profitsharing/return-orders/{out_return_no}';

/** A return, which ends at once. */
interface Return {
  readonly mchid: string;
  readonly asked: RequestOf<typeof RETURNS, 'post'>['json'];
  /** As queries show it. */
  readonly shown: ResponseOf<typeof RETURN, 'get'>;
}

/** How long after the sharing money can be returned. */
const RETURNABLE_FOR = 180 * 86_400_000;

/** How many returns an order can have. */
const MAX_RETURNS = 50;

/** Money that merchants return. Every merchant allows it. @see https://pay.weixin.qq.com/doc/v3/merchant/4012525287 */
export function sharingReturns({ store, clock }: ProductContext, sharings: Sharings): ProductRoute[] {
  const table = store.table<Return>('profit-sharing-returns', {
    indexes: { order_id: ({ mchid, shown }) => keyOf(mchid, shown.order_id) },
  });

  return [
    operation('post', RETURNS, ({ mchid, json }) => {
      const { sub_mchid, out_return_no, return_mchid, amount, description } = json;
      const before = table.get(keyOf(mchid, out_return_no));
      if (before) {
        if (isDeepStrictEqual(before.asked, json)) return before.shown;
        throw invalid('请求重入时，参数与首次请求时不一致');
      }
      const number = json.order_id ?? json.out_order_no;
      if (number === undefined) throw rule.required('/order_id', '微信分账单号');
      const sharing =
        json.order_id === undefined ? sharings.find(mchid, number) : sharings.findById(mchid, json.order_id);
      if (!sharing) throw invalid(`There is no profit sharing order ${number}.`);
      if (json.out_order_no !== undefined && json.out_order_no !== sharing.out_order_no) {
        throw invalid(`${json.order_id} is not the profit sharing order ${json.out_order_no}.`);
      }
      if (sharing.sub_mchid !== sub_mchid) throw invalid('服务商和分账方无受理关系');
      const share = sharing.receivers.find(
        ({ type, account, result }) => type === 'MERCHANT_ID' && account === return_mchid && result === 'SUCCESS',
      );
      if (!share || sharing.kind === 'unfreeze') throw invalid('回退方不存在');
      const now = clock.now();
      if (now >= sharing.created + RETURNABLE_FOR)
        throw invalid('A return is possible for 180 days after the sharing.');
      const earlier = table.by('order_id', keyOf(mchid, sharing.order_id)).map(({ shown }) => shown);
      if (earlier.length >= MAX_RETURNS) throw invalid(`A profit sharing order has ${MAX_RETURNS} returns at most.`);
      const returned = earlier
        .filter((one) => one.return_mchid === return_mchid && one.result !== 'FAILED')
        .reduce((sum, one) => sum + one.amount, 0);
      if (!(amount >= 1)) throw paramError('body', '/amount', 'must be 1 or more', amount);
      const left = share.amount - returned;
      if (amount > left) throw fault(403, 'NOT_ENOUGH', `${return_mchid} can return ${left} fen, not ${amount}.`);

      const { order_id, out_order_no } = sharing;
      const shown = {
        ...(sub_mchid !== undefined && { sub_mchid }),
        ...{ order_id, out_order_no, out_return_no, return_id: `3008${digits(6)}${day(now)}${digits(10)}` },
        ...{ return_mchid, amount, description, result: share.returns === undefined ? 'SUCCESS' : 'FAILED' },
        ...(share.returns !== undefined && { fail_reason: share.returns }),
        ...{ create_time: beijing(now), finish_time: beijing(now) },
      };
      table.put(keyOf(mchid, out_return_no), { mchid, asked: json, shown });
      return shown;
    }),
    operation('get', RETURN, ({ mchid, variables: { out_return_no = '' }, query }) => {
      const shown = table.get(keyOf(mchid, out_return_no))?.shown;
      const isMeant =
        shown?.out_order_no === query.get('out_order_no') && (shown?.sub_mchid ?? null) === query.get('sub_mchid');
      if (!shown || !isMeant) throw fault(404, 'RESOURCE_NOT_EXISTS', '记录不存在');
      return shown;
    }),
  ];
}

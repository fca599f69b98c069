import { type HandlerOf, operation } from '../catalogue/operation';
import { rule } from '../wire/param-error';
import { fault } from '../wire/response';
import { beijing } from './members';
import type { Product, ProductContext } from './product';
import { type Refund, successTime } from './refund';
import type { RefundBook, ShownRefund } from './refund-control';
import { checkSubMerchant, invalid, type Refunds } from './refund-state';

/** The paths of its operations. */
const REFUNDS = 'v3/refund/domestic/refunds';
const REFUND = 'v3/refund/domestic/refunds/{out_refund_no}';
const ABNORMAL = 'v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund';
const PLATFORM_REFUNDS = 'v3/ecommerce/refunds/apply';
const PLATFORM_BY_ID = 'v3/ecommerce/refunds/id/{refund_id}';
const PLATFORM_BY_NUMBER = 'v3/ecommerce/refunds/out-refund-no/{out_refund_no}';
const PLATFORM_ABNORMAL = 'v3/ecommerce/refunds/{refund_id}/apply-abnormal-refund';

/**
 * APIv3 refunds: of merchants, partners and e-commerce platforms.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012791883
 */
export function refunds({ identities }: ProductContext, state: Refunds): Product {
  /** The refund that a query asks for. */
  function known(refund: Refund | undefined, sub_mchid: string | null | undefined): Refund {
    if (!refund) throw fault(404, 'RESOURCE_NOT_EXISTS', '退款单不存在');
    checkSubMerchant(refund.sub_mchid, sub_mchid ?? undefined);
    return refund;
  }

  /** Pays an abnormal refund to a card. */
  const payToCard: HandlerOf<typeof ABNORMAL, 'post'> = async ({ mchid, variables, json }) => {
    const { refund_id = '' } = variables;
    const { out_refund_no, type, bank_type, bank_account, real_name, sub_mchid } = json;
    const isUser = type === 'USER_BANK_CARD';
    if (isUser && !bank_type) throw rule.required('/bank_type', '开户银行');
    if (isUser && !bank_account) throw rule.required('/bank_account', '收款银行卡号');
    if (isUser && !real_name) throw rule.required('/real_name', '收款用户姓名');
    const number = isUser ? await identities.platform.decrypt(bank_account ?? '').catch(() => '') : '';
    const refund = known(state.findById(mchid, refund_id), sub_mchid);
    if (refund.out_refund_no !== out_refund_no) throw invalid(`The refund ${refund_id} is not ${out_refund_no}.`);
    if (refund.status !== 'ABNORMAL') throw invalid(`The refund ${refund_id} is ${refund.status}, not ABNORMAL.`);
    return shownOf(state.payToCard(refund, isUser ? `银行卡${number.slice(-4)}` : '商户银行卡'));
  };

  return {
    routes: [
      operation('post', REFUNDS, ({ mchid, json }) => shownOf(state.accept(mchid, json))),
      operation('get', REFUND, ({ mchid, variables: { out_refund_no = '' }, query }) =>
        shownOf(known(state.find(mchid, out_refund_no), query.get('sub_mchid'))),
      ),
      operation('post', ABNORMAL, payToCard),
      operation('post', PLATFORM_REFUNDS, ({ mchid, json }) => {
        const { individual_auth_id, sub_mchid } = json;
        if (!sub_mchid && !individual_auth_id) throw rule.required('/sub_mchid', '二级商户号');
        const refund_account = json.refund_account ?? 'REFUND_SOURCE_SUB_MERCHANT';
        const refund = state.accept(mchid, { ...json, refund_account });
        const { refund_id, out_refund_no, create_time, amount } = platformShownOf(refund);
        return { refund_id, out_refund_no, create_time, amount, promotion_detail: [], refund_account };
      }),
      operation('get', PLATFORM_BY_ID, ({ mchid, variables: { refund_id = '' }, query }) =>
        platformShownOf(known(state.findById(mchid, refund_id), query.get('sub_mchid'))),
      ),
      operation('get', PLATFORM_BY_NUMBER, ({ mchid, variables: { out_refund_no = '' }, query }) =>
        platformShownOf(known(state.find(mchid, out_refund_no), query.get('sub_mchid'))),
      ),
      operation('post', PLATFORM_ABNORMAL, payToCard),
    ],
  };
}

/** A refund as queries show it. */
function shownOf(refund: Refund) {
  const { refund_id, out_refund_no, transaction_id, out_trade_no, channel, user_received_account } = refund;
  const { status, funds_account, refund_account, created } = refund;
  const { total, refund: back, payer_total, payer_refund, from } = refund.amount;
  return {
    ...{ refund_id, out_refund_no, transaction_id, out_trade_no, channel, user_received_account },
    ...successTime(refund),
    ...{ create_time: beijing(created), status, funds_account },
    amount: {
      ...{ total, refund: back, ...(from && { from }), payer_total, payer_refund },
      ...{ settlement_refund: back, settlement_total: total, discount_refund: back - payer_refund, currency: 'CNY' },
    },
    promotion_detail: [],
    ...(refund_account !== undefined && { refund_account }),
  };
}

/** A refund of an e-commerce platform as queries show it. */
function platformShownOf(refund: Refund) {
  const { amount, ...shown } = shownOf(refund);
  const { refund: back, from, payer_refund, discount_refund, currency } = amount;
  return { ...shown, amount: { refund: back, ...(from && { from }), payer_refund, discount_refund, currency } };
}

/** What the control API sees of the APIv3 refunds. */
export function refundBook(state: Refunds): RefundBook {
  return {
    protocol: 'v3',
    all: () => [...state.table.values()].map(seen),
    numbered: (out_refund_no) => state.numbered(out_refund_no).map(seen),
    finish(mchid, out_refund_no, status) {
      const refund = state.find(mchid, out_refund_no);
      return refund && state.finish(refund, status).notified;
    },
  };
}

function seen(refund: Refund): ShownRefund {
  const { mchid, sub_mchid, notify_url, reason } = refund;
  return { mchid, protocol: 'v3', ...(sub_mchid && { sub_mchid }), ...shownOf(refund), reason, notify_url };
}

/** A query chosen by hand. */
export interface Choice {
  path: string;
  /** The number to query by. */
  by?: string;
  /** Further values, by the location of the option. */
  fixed?: Record<string, string | number | boolean>;
  /** Members documented as required, although either they or the number suffice. */
  optional?: string[];
  /** Members that the call has under another name. */
  renamed?: Record<string, string>;
  /** Members copied if the call has them. */
  also?: string[];
  /** The member for the client's own merchant id. */
  own?: string;
}

/** The same choice for several operations. */
function each(choice: Choice | null, ...operations: string[]): Record<string, Choice | null> {
  return Object.fromEntries(operations.map((operation) => [operation, choice]));
}

/** Batch transfers: their query asks whether to list the details; the first page is enough. */
function batches(path: string): Choice {
  return {
    path: `${path}/out-batch-no/{out_batch_no}`,
    by: 'out_batch_no',
    fixed: { 'query.need_query_detail': false },
  };
}

/** v2: orders are queried by either number, although both are documented as required. */
function order(path: string): Choice {
  return { path, by: 'out_trade_no', optional: ['transaction_id'] };
}

function refund(path: string): Choice {
  return { path, by: 'out_refund_no', optional: ['transaction_id', 'out_trade_no', 'refund_id'] };
}

const RED_PACKET: Choice = {
  path: 'v2/mmpaymkttransfers/gethbinfo',
  by: 'mch_billno',
  fixed: { 'xml.bill_type': 'MCHT' },
  renamed: { appid: 'wxappid' },
};

/** Outcome queries that the paths do not reveal, and operations without one although their paths suggest it: `null`. */
export const BY_HAND: Readonly<Record<string, Choice | null>> = {
  // Orders of v2.
  ...each(
    order('v2/pay/orderquery'),
    'post v2/pay/unifiedorder',
    'post v2/pay/contractorder',
    'post v2/pay/micropay',
    'post v2/pay/closeorder',
    'post v2/secapi/pay/reverse',
  ),
  ...each(order('v2/pay/facepayquery'), 'post v2/pay/facepay', 'post v2/secapi/pay/facepayreverse'),
  ...each(order('v2/pay/paporderquery'), 'post v2/pay/pappayapply'),
  ...each(order('v2/pay/partner/paporderquery'), 'post v2/pay/partner/pappayapply'),
  ...each(
    { path: 'v2/pay/querycombinedorder', by: 'combine_out_trade_no' },
    'post v2/pay/combinedorder',
    'post v2/pay/closecombinedorder',
  ),
  ...each(
    order('v2/deposit/orderquery'),
    'post v2/deposit/unifiedorder',
    'post v2/deposit/micropay',
    'post v2/deposit/facepay',
    'post v2/deposit/consume',
    'post v2/deposit/reverse',
  ),
  // Refunds of v2.
  'post v2/secapi/pay/refund': refund('v2/pay/refundquery'),
  'post v2/secapi/pay/refundv2': refund('v2/pay/refundqueryv2'),
  'post v2/deposit/refund': refund('v2/deposit/refundquery'),
  // Shares of v2.
  ...each(
    { path: 'v2/pay/profitsharingquery', by: 'out_order_no' },
    'post v2/secapi/pay/profitsharing',
    'post v2/secapi/pay/multiprofitsharing',
    'post v2/secapi/pay/profitsharingfinish',
  ),
  'post v2/secapi/pay/profitsharingreturn': {
    path: 'v2/pay/profitsharingreturnquery',
    by: 'out_return_no',
    also: ['order_id', 'out_order_no'],
  },
  // Payments to users, of v2.
  'post v2/mmpaymkttransfers/promotion/transfers': {
    path: 'v2/mmpaymkttransfers/gettransferinfo',
    by: 'partner_trade_no',
    renamed: { mch_id: 'mchid', appid: 'mch_appid' },
  },
  'post v2/mmpaymkttransfers/promotion/paywwsptrans2pocket': {
    path: 'v2/mmpaymkttransfers/promotion/querywwsptrans2pocket',
    by: 'partner_trade_no',
  },
  'post v2/mmpaysptrans/pay_bank': { path: 'v2/mmpaysptrans/query_bank', by: 'partner_trade_no' },
  ...each(
    RED_PACKET,
    'post v2/mmpaymkttransfers/sendredpack',
    'post v2/mmpaymkttransfers/sendgroupredpack',
    'post v2/mmpaymkttransfers/sendminiprogramhb',
  ),
  'post v2/mmpaymkttransfers/sendworkwxredpack': {
    path: 'v2/mmpaymkttransfers/queryworkwxredpack',
    by: 'mch_billno',
    renamed: { appid: 'wxappid' },
  },
  // Rents and hotels, of v2.
  ...each(
    { path: 'v2/wxv/queryrentbill', by: 'out_order_no', optional: ['return_query_id'] },
    'post v2/wxv/createrentbill',
    'post v2/wxv/finishrentbill',
    'post v2/wxv/changerentmoney',
    'post v2/wxv/cancelbill',
  ),
  ...each(
    { path: 'v2/wxv/queryhotelbill', by: 'out_order_no', optional: ['return_query_id'] },
    'post v2/wxv/createhotelbill',
    'post v2/wxv/finishhotelbill',
  ),
  // No money moves in the v2 sandbox.
  'post v2/xdc/apiv2sandbox/pay/micropay': null,

  // Transfers in batches.
  'post v3/transfer/batches': batches('v3/transfer/batches'),
  'post v3/partner-transfer/batches': batches('v3/partner-transfer/batches'),
  'post v3/bank-transfer/batches': batches('v3/bank-transfer/batches'),
  'post v3/platsolution/mch-transfer/batches/apply': batches('v3/platsolution/mch-transfer/batches'),
  'post v3/platsolution/insurance/mch-transfer/batches/apply': batches(
    'v3/platsolution/insurance/mch-transfer/batches',
  ),
  // Deductions are orders.
  'post v3/papay/pay/transactions/apply': {
    path: 'v3/pay/transactions/out-trade-no/{out_trade_no}',
    by: 'out_trade_no',
    own: 'mchid',
  },
  'post v3/papay/pay/partner/transactions/apply': {
    path: 'v3/pay/partner/transactions/out-trade-no/{out_trade_no}',
    by: 'out_trade_no',
    own: 'sp_mchid',
  },
  // Payments abroad by code are orders.
  ...each(
    { path: 'v3/global/transactions/out-trade-no/{out_trade_no}', by: 'out_trade_no' },
    'post v3/global/micropay/transactions/pay',
    'post v3/global/micropay/transactions/out-trade-no/{out_trade_no}/reverse',
  ),
  // Contracts.
  'post v3/papay/sign/contracts/pre-entrust-sign': {
    path: 'v3/papay/sign/contracts/plan-id/{plan_id}/out-contract-code/{out_contract_code}',
    by: 'out_contract_code',
  },
  'post v3/abnormal-fund-processing/receipts/{receipt_id}/transfer-instructions': {
    path: 'v3/abnormal-fund-processing/receipts/{receipt_id}/transfer-instructions/{out_instruction_no}',
    by: 'out_instruction_no',
  },
  'post v3/transfer-detail/electronic-receipts': {
    path: 'v3/transfer-detail/electronic-receipts',
    by: 'out_detail_no',
    also: ['out_batch_no'],
  },

  // Called before there is an order.
  ...each(null, 'post v3/pay/transactions/exposure', 'post v3/pay/partner/transactions/exposure'),
  // With its variable filled in, the path is that of the same operation by WeChat Pay's number.
  'post v3/apply4subject/applyment/{business_code}/cancel': null,
  // The similar queries by this number return something else.
  ...each(
    null,
    'post v3/aggracct-bc/wb-channel/bank-channel-account/rename',
    'post v3/aggracct-bc/wb-channel/control-orders/punish',
    'post v3/aggracct-bc/wb-channel/control-orders/recover',
    'post v3/brand/card/card-configs',
    'post v3/brand/card/card-configs/cancel-applyment',
    'post v3/brand/card/card-configs/publish',
    'post v3/merchant-risk-manage/ec-trade-risk/recv-dispose-result',
    'post v3/merchant-risk-manage/trade-risk-result',
  ),
};

/**
 * Members of v2 that WeChat Pay or a merchant's program writes: none of their values holds a `&`. Of those that are
 * numbered (`coupon_id_0`) the name without its numbers.
 *
 * They are the members of notifications, and of the responses that repeat what a stranger may have typed.
 */
export const WRITTEN = names(`
  algorithm appid bank_type business_type cancel_fee cash_fee cash_fee_type cash_refund_fee change_type channel_id
  checked_in combine_appid combine_mch_id combine_openid combine_out_trade_no compensation_fee consume_fee
  contract_code contract_expired_time contract_id contract_result_code contract_signed_time contract_state
  contract_terminated_time contract_termination_mode coupon_count coupon_fee coupon_id coupon_refund_fee
  coupon_refund_id coupon_type deduct_mode deposit_amount end_time err_code event_code event_create_time event_id
  event_type fee_type finish_transaction_id is_subscribe mch_id mchid nonce_str openid operate_time order_id other_fee
  out_order_no out_refund_no out_trade_no overdue_fine partner_trade_no pay_type payment_no plan_id plate_number
  prepay_id real_end_time refund_account refund_count refund_fee refund_id refund_status rent_fee rent_unit
  rent_unit_fee request_serial result_code return_code returned risk_level room_rate service_id settlement_refund_fee
  settlement_total_fee sign_type spbill_create_ip start_time state sub_appid sub_is_subscribe sub_mch_id sub_openid
  success_time time_end time_expire time_start total_amount total_fee trade_state trade_type transaction_id user_repaid
  user_state vehicle_event_createtime vehicle_event_des vehicle_event_type`);

/** Members that are texts or addresses, which may hold anything. */
export const TEXTS = names(`
  app_download application_reject_detail application_status attach body business_category business_website
  cancel_fee_desc code_url compensation_fee_desc contact_email contact_name contact_phone contract_display_account
  contract_err_code contract_err_code_des contract_termination_remark detail device_info director_id_number
  director_name err_code_des event_algorithm event_associated_data event_ciphertext event_nonce finish_ticket
  goods_name goods_tag h5_audit_reject_detail h5_authorization_state mcc merchant_country_code merchant_name
  merchant_remark merchant_shortname merchant_type mini_program mweb_url notify_url office_account office_phone
  other_fee_desc overdue_fine_desc principal_id_number principal_name product_id promotion_detail
  registration_certificate_date registration_certificate_number rent_fee_desc req_info result_msg return_msg
  risk_level_desc room room_rate_desc scene_info service_end_location service_location settlement_bank_number
  store_address sub_mch_status sub_order_list trade_state_desc transaction_id_list`);

/** Those that WeChat Pay repeats as a stranger may have typed them. */
export const ECHOED: ReadonlySet<string> = new Set(['attach', 'contract_display_account']);

/** Those that say whose message it is, and nothing of what it is about. */
export const IDENTITY = names(
  'appid combine_appid combine_mch_id device_info mch_appid mch_id mchid nonce_str sign_type version',
);

/** Those of which one names the merchant of a request. */
export const MERCHANT_FIELDS: readonly string[] = ['mch_id', 'mchid', 'combine_mch_id'];

/**
 * What messages of WeChat Pay are known by, always there in each: responses and most notifications, combined payments,
 * contracts, events of payment score, vehicles, and the call of a merchant for a code of native payments. Each list is in
 * the order of the names.
 *
 * Nothing that a merchant signs and hands out (redirect URLs, codes) has the members of one of these.
 */
export const KINDS: readonly (readonly string[])[] = [
  ['mch_id', 'return_code'],
  ['combine_mch_id', 'return_code'],
  ['change_type', 'mch_id'],
  ['event_type', 'mch_id'],
  ['mch_id', 'vehicle_event_createtime'],
  ['is_subscribe', 'mch_id', 'openid', 'product_id'],
];

/** The name of a member without its numbers: `refund_status_0` is a `refund_status`. */
export function unnumbered(name: string): string {
  return name.replace(/(?:_\d{1,4})+$/, '');
}

function names(list: string): ReadonlySet<string> {
  return new Set(list.trim().split(/\s+/));
}

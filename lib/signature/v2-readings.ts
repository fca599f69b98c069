import { InvalidArgumentError, SignatureError } from '../errors';
import { type Fields, fieldText, sortedEntries } from '../format/fields';

/**
 * Members of v2 messages that WeChat Pay or a merchant's program writes: their values never contain `&`. Numbered ones
 * (`coupon_id_0`) are listed without their number.
 *
 * These are the members of notifications, and of responses that repeat user input.
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

/** Members that are text or URLs, which may contain anything. */
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

/** Members in which WeChat Pay repeats user input. */
export const ECHOED: ReadonlySet<string> = new Set(['attach', 'contract_display_account']);

/** Members that identify the sender, but say nothing about the content. */
export const IDENTITY = names(
  'appid combine_appid combine_mch_id device_info mch_appid mch_id mchid nonce_str sign_type version',
);

/** Members that identify the merchant of a request. */
export const MERCHANT_FIELDS: readonly string[] = ['mch_id', 'mchid', 'combine_mch_id'];

/**
 * Members that are present in every message of a kind: responses and most notifications, combined payments, contracts,
 * payment score events, vehicles, and WeChat Pay's request to a merchant for the code of a native payment. Each list is
 * sorted by name.
 *
 * Data that a merchant signs and hands out (redirect URLs, codes) never has all members of one of these.
 */
export const KINDS: readonly (readonly string[])[] = [
  ['mch_id', 'return_code'],
  ['combine_mch_id', 'return_code'],
  ['change_type', 'mch_id'],
  ['event_type', 'mch_id'],
  ['mch_id', 'vehicle_event_createtime'],
  ['is_subscribe', 'mch_id', 'openid', 'product_id'],
];

/** The name of a member without its numbers: `refund_status_0` becomes `refund_status`. */
export function unnumbered(name: string): string {
  return name.replace(/(?:_\d{1,4})+$/, '');
}

function names(list: string): ReadonlySet<string> {
  return new Set(list.trim().split(/\s+/));
}

/**
 * The text that v2 signs, `a=1&b=2`, does not show where a value ends: `b=2` may be a field, or the end of `a`. So a
 * signature is valid for every message whose fields, sorted by name, produce the same text. Each one is a reading.
 *
 * A reading counts if it has all members of a kind of message (see `KINDS`), members written by programs contain no
 * `&`, and something differs from the message received: a field starts within one of its values.
 */
interface Start {
  name: string;
  /** Where the name starts in the text, where the value starts, and where the next `&` or the end of the text is. */
  at: number;
  value: number;
  stop: number;
  /** Whether a field of the received message starts here. */
  own: boolean;
  /** Whether the value contains no `&`, and therefore ends at `stop`. */
  plain: boolean;
  /** Whether the name is a required one, and how many required ones precede it. */
  required: boolean;
  level: number;
}

/**
 * Refuses a received message that could be turned into a different one without the key, or that was made that way.
 * @param fields fields as received; `sign` has been verified
 * @param message the kind of message, for the error
 * @throws {@link SignatureError} `ERR_SIGNATURE_AMBIGUOUS` that names the field in question
 */
export function refuseSecondReading(fields: Fields, message: 'notification' | 'response'): void {
  const own = signed(fields);
  const field = cutOff(own) ?? KINDS.map((kind) => secondReading(own, kind, isKnown)).find(Boolean)?.within;
  if (field === undefined) return;
  throw new SignatureError(
    'ERR_SIGNATURE_AMBIGUOUS',
    `The ${message} is signed, but the signed text can also be split at a "&" in or before the field "${field}" ` +
      'into a different message: it may have been forged from one that WeChat Pay sent. Do not trust it; query the order, ' +
      'refund or contract. APIv3 does not have this weakness.',
  );
}

/**
 * Refuses a request whose signature would also be valid for a different message: another request, or a message from
 * WeChat Pay.
 * @param fields the fields to sign
 * @throws {@link InvalidArgumentError} that names the field which contains the beginning of the other message
 */
export function refuseAmbiguousRequest(fields: Fields): void {
  const own = signed(fields);
  const names = own.map(([name]) => name);
  const request = names.filter((name) => name === 'nonce_str' || MERCHANT_FIELDS.includes(name));
  const isRequest = request.some((name) => name !== 'nonce_str');
  const found =
    (isRequest
      ? secondReading(own, request, (name) => (names.includes(name) || isKnown(name)) && !IDENTITY.has(name))
      : undefined) ?? KINDS.map((kind) => secondReading(own, kind, isKnown)).find(Boolean);
  if (!found) return;
  throw new InvalidArgumentError(
    `The field "${found.within}" contains "&${found.name}=", so the signature of the request would also be valid for another ` +
      'message, which v2 cannot tell apart. Remove the "&" from the field, or encode the value, e.g. with ' +
      'encodeURIComponent. Nothing was sent.',
  );
}

/** Whether the fields include all members of a kind of message that WeChat Pay sends. */
export function isKind(fields: Fields): boolean {
  return KINDS.some((kind) => kind.every((name) => typeof fields[name] === 'string' && fields[name] !== ''));
}

/** Names and values as they are signed. */
function signed(fields: Fields): [name: string, text: string][] {
  return sortedEntries(fields)
    .filter(([name]) => name !== 'sign')
    .map(([name, value]): [string, string] => [name, fieldText(name, value)])
    .filter(([, text]) => text !== '');
}

function isKnown(name: string): boolean {
  return isWritten(name) || TEXTS.has(unnumbered(name));
}

function isWritten(name: string): boolean {
  return WRITTEN.has(unnumbered(name));
}

/** Whether WeChat Pay would not send this: a text split where no member starts, or a `&` in a member written by programs. */
function cutOff(own: readonly (readonly [string, string])[]): string | undefined {
  const found = own.find(([name, value], at) => {
    const isCut = !isKnown(name) && ECHOED.has(own[at - 1]?.[0] ?? '');
    return isCut || (isWritten(name) && value.includes('&'));
  });
  return found?.[0];
}

/** A second reading: the name of one of its fields, and the field of the message within which that field starts. */
interface Second {
  name: string;
  within: string;
}

/**
 * Searches for a second reading with all required names, in linear time. A reading is a path from start to start, with
 * ascending names, that skips no required one; a start belongs to a reading if it can be reached from the beginning, and
 * the end can be reached from it.
 * @param own the fields of the message as they are signed
 * @param required required names, ascending
 * @param counts whether a field with this name makes it a different message
 */
function secondReading(
  own: readonly (readonly [string, string])[],
  required: readonly string[],
  counts: (name: string) => boolean,
): Second | undefined {
  const text = own.map(([name, value]) => `${name}=${value}`).join('&');
  const begins: number[] = [];
  let length = 0;
  for (const [name, value] of own) {
    begins.push(length);
    length += name.length + value.length + 2;
  }
  const starts = startsOf(text, new Set(begins), required);
  // Most messages have no second reading.
  if (starts.every((start) => start.own)) return undefined;
  const values = new Map(own);
  const forward = reachable(starts);
  const backward = ending(starts, text.length, required.length);
  const says = ({ name, plain, value, stop }: Start) =>
    counts(name) && !(plain && values.get(name) === text.slice(value, stop));
  const found = starts.find((start, at) => !start.own && forward[at] && backward[at] && says(start));
  return found && { name: found.name, within: own[begins.findLastIndex((begin) => begin < found.at)]?.[0] ?? '' };
}

/** Where a field may start: at the beginning of the text and after each `&`, if a name and `=` follow. */
function startsOf(text: string, own: ReadonlySet<number>, required: readonly string[]): Start[] {
  return Array.from(text.matchAll(/(?<![^&])([^&=<>\s]+)=/g), ({ 0: whole, 1: name = '', index: at }) => {
    const value = at + whole.length;
    const end = text.indexOf('&', value);
    return {
      name,
      at,
      value,
      stop: end < 0 ? text.length : end,
      own: own.has(at),
      plain: isWritten(name),
      required: required.includes(name),
      level: required.filter((one) => one < name).length,
    };
  });
}

/** The level on which a path continues after a start. */
function levelAfter({ level, required }: Start): number {
  return level + Number(required);
}

/** Whether the next start follows the shortest value of this one, and whether that value is empty. */
function borders({ value, stop }: Start, next: Start | undefined): { touches: boolean; empty: boolean } {
  return { touches: next?.at === stop + 1, empty: value === stop };
}

/** The starts that can be reached from the beginning. */
function reachable(starts: readonly Start[]): boolean[] {
  const reached: boolean[] = [];
  /** The smallest name reached so far, by level: any greater name on the level can follow. */
  const least: (string | undefined)[] = [];
  const open = (start: Start) => {
    const level = levelAfter(start);
    const other = least[level];
    if (other === undefined || start.name < other) least[level] = start.name;
  };
  for (const [at, start] of starts.entries()) {
    const before = starts[at - 1];
    if (!before) {
      reached.push(start.level === 0);
      continue;
    }
    const { touches, empty } = borders(before, start);
    const leads = reached[at - 1] === true;
    const late = touches && empty;
    if (leads && !before.plain && !late) open(before);
    const name = least[start.level];
    const fromPlain = leads && before.plain && touches && !empty && levelAfter(before) === start.level;
    reached.push((name !== undefined && name < start.name) || (fromPlain && before.name < start.name));
    if (leads && !before.plain && late) open(before);
  }
  return reached;
}

/** The starts from which the end can be reached. */
function ending(starts: readonly Start[], length: number, levels: number): boolean[] {
  const ended: boolean[] = new Array(starts.length).fill(false);
  /** The greatest name from which the end can be reached, by level: any smaller name on the level can precede it. */
  const greatest: (string | undefined)[] = [];
  const open = ({ name, level }: Start) => {
    const other = greatest[level];
    if (other === undefined || name > other) greatest[level] = name;
  };
  for (const [at, start] of [...starts.entries()].reverse()) {
    const next = starts[at + 1];
    const { touches, empty } = borders(start, next);
    const leads = next !== undefined && ended[at + 1] === true;
    const late = touches && empty;
    if (leads && !late) open(next);
    const level = levelAfter(start);
    const name = greatest[level];
    const last = level === levels && start.value < length && (!start.plain || start.stop === length);
    const goesOn = start.plain
      ? leads && touches && !empty && next.level === level && start.name < next.name
      : name !== undefined && start.name < name;
    ended[at] = last || goesOn;
    if (leads && late) open(next);
  }
  return ended;
}

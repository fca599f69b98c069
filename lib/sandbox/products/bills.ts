import { createHash, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Response } from 'undici';
import { operation } from '../catalogue/operation';
import { keyOf } from '../store';
import { isWechatPay } from '../tls/hosts';
import { paramError } from '../wire/param-error';
import type { SandboxRequest } from '../wire/request';
import { fault, v2Fault } from '../wire/response';
import { fundFlowBill, TRADE_BILL_TYPES, type TradeBillType, type TradeLine, tradeBill } from './bill-text';
import type { Ledger } from './ledger';
import { beijing } from './members';
import type { Order, Orders } from './orders';
import type { Product, ProductContext } from './product';
import type { BilledRefund } from './refund';
import { invalid } from './refund-state';

/** The paths of its operations. */
const TRADE = 'v3/bill/tradebill';
const FUND_FLOW = 'v3/bill/fundflowbill';
const FILE = 'v3/billdownload/file';
const V2_TRADE = 'v2/pay/downloadbill';
const V2_FUND_FLOW = 'v2/pay/downloadfundflow';

/** A source of refunds: those accepted on a day in Beijing, such as `2026-11-24`. */
export interface RefundSource {
  acceptedOn(mchid: string, day: string): readonly BilledRefund[];
}

/** Which bill it is. */
interface BillName {
  readonly mchid: string;
  readonly kind: 'trade' | 'fundflow';
  /** A day of Beijing, such as `2026-11-24`. */
  readonly day: string;
  /** `bill_type`, or `account_type`. */
  readonly type: string;
  readonly sub_mchid?: string | undefined;
}

/** A bill that can be downloaded. */
interface BillFile extends BillName {
  readonly token: string;
  readonly isZipped: boolean;
}

/** Why a bill does not exist. */
type Lack = 'future' | 'early' | 'old' | 'empty';

/** How long a download URL is valid, in milliseconds. @see https://pay.weixin.qq.com/doc/v3/merchant/4012791866 */
const GOOD_FOR = 5 * 60_000;
/** The task that ends a download URL. */
const EXPIRE = 'bill.expire';
/** The bill of a day is available from 10:00 of the next: milliseconds after midnight in Beijing. */
const MADE_AT = 34 * 3_600_000;

const zip = promisify(gzip);

/**
 * Bills: made from what really happened in the sandbox on a day, with APIv3 and with v2.
 * @param sources where refunds come from
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012791866
 */
export function bills(
  { store, clock, schedule, baseUrl }: ProductContext,
  orders: Orders,
  ledger: Ledger,
  sources: readonly RefundSource[],
): Product {
  const files = store.table<BillFile>('bill-files', { indexes: { token: ({ token }) => token } });
  schedule.on(EXPIRE, (key) => files.delete(key));

  /** The text of a bill, or why it does not exist. It never changes. */
  function textOf(name: BillName): string | { readonly lack: Lack } {
    const made = midnight(name.day) + MADE_AT;
    const today = beijing(clock.now()).slice(0, 10);
    if (name.day > today) return { lack: 'future' };
    if (name.day < threeMonthsBefore(today)) return { lack: 'old' };
    if (clock.now() < made) return { lack: 'early' };
    const text = name.kind === 'trade' ? tradeText(name, made) : flowText(name);
    return text ?? { lack: 'empty' };
  }

  function tradeText({ mchid, day, type, sub_mchid }: BillName, made: number): string | undefined {
    if (!isTradeBill(type)) return undefined;
    const payments = type === 'REFUND' ? [] : orders.table.by('paid_on', keyOf(mchid, day));
    const refunds = type === 'SUCCESS' ? [] : sources.flatMap((source) => source.acceptedOn(mchid, day));
    const lines = [
      ...payments.flatMap((order) => lineOf(order)),
      ...refunds.flatMap((refund) => lineOf(orders.findPaid(mchid, refund.transaction_id), refund)),
    ].sort((a, b) => timeOf(a) - timeOf(b));
    const own = sub_mchid ? lines.filter(({ order }) => order.partner?.sub_mchid === sub_mchid) : lines;
    return own.length === 0 ? undefined : tradeBill(type, own, made);
  }

  function flowText({ mchid, day, type, sub_mchid }: BillName): string | undefined {
    // All money of the sandbox is in the basic account.
    const entries = type === 'BASIC' ? ledger.on({ mchid, sub_mchid }, day) : [];
    return entries.length === 0 ? undefined : fundFlowBill(entries);
  }

  /** The APIv3 response to an application for a bill. */
  function apply(kind: BillName['kind'], { mchid, query, headers }: SandboxRequest, type: string) {
    const day = readDay(query.get('bill_date') ?? '');
    if (day === undefined) {
      throw paramError('query', 'bill_date', 'must be a date such as 2019-06-11', query.get('bill_date') ?? '');
    }
    const sub_mchid = query.get('sub_mchid') ?? undefined;
    if (sub_mchid === mchid) throw invalid('子商户mchid不能与自身mchid相同');
    const name = { mchid, kind, day, type, sub_mchid };
    const text = textOf(name);
    if (typeof text !== 'string') throw v3Lack(text.lack);
    const isZipped = query.get('tar_type')?.toUpperCase() === 'GZIP';
    const token = randomBytes(48).toString('base64url');
    files.put(keyOf(mchid, token), { ...name, token, isZipped });
    schedule.at(clock.now() + GOOD_FOR, EXPIRE, keyOf(mchid, token));
    const download_url = `${originOf(headers.host, baseUrl.startsWith('https:'))}/${FILE}?token=${token}${isZipped ? '&tartype=gzip' : ''}`;
    return { download_url, hash_type: 'SHA1', hash_value: sha1(text) };
  }

  /** The v2 response. */
  async function v2File(name: BillName, tar_type: string | undefined, refuse: (lack: Lack) => unknown) {
    const text = textOf(name);
    if (typeof text !== 'string') return refuse(text.lack);
    return file(
      text,
      tar_type?.toUpperCase() === 'GZIP',
      name.kind === 'fundflow' ? { Digest: `SHA=${sha1(text)}` } : {},
    );
  }

  return {
    routes: [
      operation('get', TRADE, (request) => apply('trade', request, request.query.get('bill_type') ?? 'ALL')),
      operation('get', FUND_FLOW, (request) =>
        apply('fundflow', request, request.query.get('account_type') ?? 'BASIC'),
      ),
      [
        'get',
        FILE,
        ({ mchid, query }) => {
          const [found] = files.by('token', query.get('token') ?? '');
          if (!found) throw invalid('The download URL has expired; apply for the bill again.');
          if (found.mchid !== mchid) throw fault(403, 'NO_AUTH', 'The bill was applied for by another merchant.');
          const text = textOf(found);
          if (typeof text !== 'string') throw v3Lack(text.lack);
          return file(text, found.isZipped);
        },
      ],
      [
        'post',
        V2_TRADE,
        ({ mchid, xml: { bill_date = '', bill_type = 'ALL', tar_type, sub_mch_id } }) => {
          const day = readDay(bill_date.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3'));
          if (day === undefined || bill_date.includes('-')) return v2Failure('data format error', '20001');
          if (!V2_BILL_TYPES.has(bill_type)) return v2Failure('invalid bill_type', '20001');
          const name = { mchid, kind: 'trade', day, type: bill_type, sub_mchid: sub_mch_id || undefined } as const;
          return v2File(name, tar_type, (lack) =>
            v2Failure(lack === 'early' ? 'Bill Creating' : 'No Bill Exist', '20002'),
          );
        },
      ],
      [
        'post',
        V2_FUND_FLOW,
        ({ mchid, xml: { bill_date = '', account_type = '', sign_type, tar_type } }) => {
          const day = readDay(bill_date.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3'));
          const isKnown = ['Basic', 'Operation', 'Fees'].includes(account_type);
          if (day === undefined || !isKnown || sign_type !== 'HMAC-SHA256') return v2Fault('PARAM_ERROR', '参数错误');
          const name = { mchid, kind: 'fundflow', day, type: account_type.toUpperCase() } as const;
          return v2File(name, tar_type, (lack) =>
            lack === 'early' ? v2Fault('BILL_CREATING', '账单生成中') : v2Fault('NO_BILL_EXIST', '账单不存在'),
          );
        },
      ],
    ],
  };
}

const V2_BILL_TYPES: ReadonlySet<string> = new Set([...TRADE_BILL_TYPES, 'RECHARGE_REFUND']);

/** What a bill says of an order that was paid, or of a refund of it. */
function lineOf(order: Order | undefined, refund?: BilledRefund): TradeLine[] {
  return order?.payment ? [{ order: { ...order, payment: order.payment }, refund }] : [];
}

function timeOf({ order, refund }: TradeLine): number {
  return refund?.created ?? order.payment.time;
}

function isTradeBill(type: string): type is TradeBillType {
  return TRADE_BILL_TYPES.includes(type);
}

/** @see https://pay.weixin.qq.com/doc/v3/merchant/4012791866 */
function v3Lack(lack: Lack): Response {
  switch (lack) {
    case 'future':
      return invalid('bill_date is in the future.');
    case 'old':
      return invalid('请求的账单日期已过期');
    case 'early':
      return fault(400, 'STATEMENT_CREATING', '账单生成中');
    case 'empty':
      return fault(400, 'NO_STATEMENT_EXIST', '请求的账单文件不存在');
  }
}

/** A failure of `downloadbill`, which has its own field, and no signature. */
function v2Failure(return_msg: string, error_code: string): object {
  return { return_code: 'FAIL', return_msg, error_code };
}

async function file(text: string, isZipped: boolean, headers: Record<string, string> = {}): Promise<Response> {
  const body = isZipped ? await zip(text) : text;
  const type = isZipped ? 'application/gzip' : 'text/plain; charset=utf-8';
  return new Response(body, { headers: { 'Content-Type': type, ...headers } });
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}

/** WeChat Pay's own hosts are reached by TLS alone; any other name is that of the sandbox. */
function originOf(host = 'api.mch.weixin.qq.com', tls: boolean): string {
  return `${tls || isWechatPay(host) ? 'https' : 'http'}://${host}`;
}

/** A day such as `2019-06-11`, if it exists. */
function readDay(text: string): string | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const time = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(time) || !new Date(time).toISOString().startsWith(text) ? undefined : text;
}

/** When a day begins in Beijing, in milliseconds since 1970. */
function midnight(day: string): number {
  return Date.parse(`${day}T00:00:00+08:00`);
}

function threeMonthsBefore(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCMonth(date.getUTCMonth() - 3);
  return date.toISOString().slice(0, 10);
}

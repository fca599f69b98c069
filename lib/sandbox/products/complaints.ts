import { publicEncrypt } from 'node:crypto';
import type { ResponseOf } from '../../openapi/operation';
import { operation } from '../catalogue/operation';
import { keyOf, type Table } from '../store';
import { paramError } from '../wire/param-error';
import { fault } from '../wire/response';
import { beijing, digits } from './members';
import { pageOf } from './once';
import type { Orders } from './orders';
import type { Product, ProductContext } from './product';

/** The paths of its operations. */
const LIST = 'v3/merchant-service/complaints-v2';
const ONE = 'v3/merchant-service/complaints-v2/{complaint_id}';
const HISTORY = 'v3/merchant-service/complaints-v2/{complaint_id}/negotiation-historys';
const RESPOND = 'v3/merchant-service/complaints-v2/{complaint_id}/response';
const COMPLETE = 'v3/merchant-service/complaints-v2/{complaint_id}/complete';
const REFUND = 'v3/merchant-service/complaints-v2/{complaint_id}/update-refund-progress';
const CALLBACK = 'v3/merchant-service/complaint-notifications';

/** The content of a complaint. */
export interface ComplaintOptions {
  /** The paid order (APIv3) that it is about. */
  out_trade_no?: string | undefined;
  complaint_detail?: string | undefined;
  problem_description?: string | undefined;
  problem_type?: 'REFUND' | 'SERVICE_NOT_WORK' | 'OTHERS' | undefined;
  /** What the user wants back, in fen. */
  apply_refund_amount?: number | undefined;
  payer_phone?: string | undefined;
  payer_openid?: string | undefined;
}

/** A complaint. */
interface Complaint {
  readonly mchid: string;
  /** As queries show it, without the phone number, which is encrypted for each. */
  readonly shown: Omit<ResponseOf<typeof ONE, 'get'>, 'payer_phone' | 'payer_openid'>;
  readonly payer_phone: string;
  readonly payer_openid: string;
}

type Log = NonNullable<ResponseOf<typeof HISTORY, 'get'>['data']>[number];

/** What the sandbox does for complaints besides its routes. */
export interface Complaints extends Product {
  /**
   * Plays the user who complains.
   * @returns the id of the complaint, and the key of the notification if the merchant has set a callback
   * @throws a response of status 400 or 404 where the complaint cannot be made
   */
  complain(mchid: string, options: ComplaintOptions): { complaint_id: string; notified: string | undefined };
}

const OPTIONS: Readonly<Record<keyof ComplaintOptions, 'string' | 'number'>> = {
  ...{ out_trade_no: 'string', complaint_detail: 'string', problem_description: 'string', problem_type: 'string' },
  ...{ apply_refund_amount: 'number', payer_phone: 'string', payer_openid: 'string' },
};

/** Complaints of consumers. @see https://pay.weixin.qq.com/doc/v3/merchant/4012467218 */
export function complaints({ store, clock, notifier, identities }: ProductContext, orders: Orders): Complaints {
  const table: Table<Complaint> = store.table('complaints', { indexes: { mchid: ({ mchid }: Complaint) => mchid } });
  const logs = store.table<{ readonly of: string; readonly log: Log }>('complaint-logs', {
    indexes: { of: ({ of }) => of },
  });
  const callbacks = store.table<{ readonly url: string }>('complaint-callbacks');

  function find(mchid: string, complaint_id = ''): Complaint {
    const complaint = table.get(keyOf(mchid, complaint_id));
    // The documentation has no specific code for this.
    if (!complaint) throw fault(404, 'RESOURCE_NOT_EXISTS', `There is no complaint ${complaint_id}.`);
    return complaint;
  }

  /** A complaint that is about the merchant which the request names. */
  function findOwn(mchid: string, complaint_id: string | undefined, complainted_mchid: string): Complaint {
    const complaint = find(mchid, complaint_id);
    if (complainted_mchid === mchid) return complaint;
    throw fault(403, 'NO_AUTH', `The complaint ${complaint_id} is about ${mchid}, not about ${complainted_mchid}.`);
  }

  function write({ mchid, shown }: Complaint, operate_type: Log['operate_type'], more: Partial<Log> = {}): void {
    const operator = operate_type.startsWith('USER_') ? '投诉人' : '商户';
    const log = { log_id: digits(32), operator, operate_time: beijing(clock.now()), operate_type, ...more };
    logs.put(keyOf(mchid, log.log_id), { of: keyOf(mchid, shown.complaint_id), log });
  }

  function move(complaint: Complaint, complaint_state: Complaint['shown']['complaint_state']): void {
    const shown = { ...complaint.shown, complaint_state };
    table.put(keyOf(complaint.mchid, shown.complaint_id), { ...complaint, shown });
  }

  type Event = 'COMPLAINT.CREATE' | 'COMPLAINT.STATE_CHANGE';

  function tell({ mchid, shown: { complaint_id } }: Complaint, name: Event, action_type: string): string | undefined {
    const url = callbacks.get(keyOf(mchid, 'callback'))?.url;
    if (url === undefined) return undefined;
    return notifier.notify({ kind: 'merchant', id: mchid }, name, { complaint_id, action_type }, url);
  }

  function show({ mchid, shown, payer_phone }: Complaint) {
    const key = identities.find('merchant', mchid)?.publicKey;
    return {
      ...shown,
      ...(key && { payer_phone: publicEncrypt(key, Buffer.from(payer_phone)).toString('base64') }),
    };
  }

  /** @throws if the merchant has set no callback */
  function callbackOf(mchid: string): { mchid: string; url: string } {
    const callback = callbacks.get(keyOf(mchid, 'callback'));
    if (!callback) throw fault(400, 'RESOURCE_NOT_EXISTS', `The merchant ${mchid} has set no callback.`);
    return { mchid, ...callback };
  }

  function setCallback(mchid: string, url: string): { mchid: string; url: string } {
    if (!(URL.canParse(url) && /^https?:/i.test(url))) {
      throw paramError('body', '/url', 'must be an absolute http(s) URL', url);
    }
    callbacks.put(keyOf(mchid, 'callback'), { url });
    return { mchid, url };
  }

  function complain(mchid: string, options: ComplaintOptions): { complaint_id: string; notified: string | undefined } {
    checkOptions(options);
    const { out_trade_no, payer_phone = '13800138000', problem_type, apply_refund_amount } = options;
    const { complaint_detail = '商品没有收到', problem_description = '不满意商家服务' } = options;
    const order = out_trade_no === undefined ? undefined : orders.find(mchid, 'v3', out_trade_no);
    if (out_trade_no !== undefined && !order?.payment) {
      throw fault(404, 'ORDER_NOT_EXIST', `There is no paid order ${out_trade_no}.`);
    }
    const complaint_id = digits(30);
    const complaint: Complaint = {
      ...{ mchid, payer_phone, payer_openid: options.payer_openid ?? order?.openid ?? 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o' },
      shown: {
        ...{ complaint_id, complaint_time: beijing(clock.now()), complaint_detail, complaint_state: 'PENDING' },
        ...{ complainted_mchid: mchid, complaint_full_refunded: false, incoming_user_response: false },
        ...{ problem_description, user_complaint_times: 1 },
        ...(problem_type && { problem_type }),
        ...(apply_refund_amount !== undefined && { apply_refund_amount }),
        ...(order?.payment && {
          complaint_order_info: [
            { transaction_id: order.payment.transaction_id, out_trade_no: order.out_trade_no, amount: order.total },
          ],
        }),
      },
    };
    table.put(keyOf(mchid, complaint_id), complaint);
    write(complaint, 'USER_CREATE_COMPLAINT', { operate_details: complaint_detail });
    return { complaint_id, notified: tell(complaint, 'COMPLAINT.CREATE', 'CREATE_COMPLAINT') };
  }

  return {
    complain,
    routes: [
      operation('get', LIST, ({ mchid, query }) => {
        const begin = dayOf('begin_date', query.get('begin_date') ?? '');
        const end = dayOf('end_date', query.get('end_date') ?? '');
        if (begin > end) throw paramError('query', 'begin_date', 'is later than end_date', query.get('begin_date'));
        if (Number(query.get('limit') ?? 0) > 50)
          throw paramError('query', 'limit', 'must be 50 or less', query.get('limit'));
        const about = query.get('complainted_mchid') ?? mchid;
        const found = table.by('mchid', mchid).filter(({ shown: { complaint_time } }) => {
          const day = complaint_time.slice(0, 10);
          return about === mchid && day >= begin && day <= end;
        });
        const { data, ...page } = pageOf(found, query, 10);
        return { ...page, data: data.map(show) };
      }),
      operation('get', ONE, ({ mchid, variables: { complaint_id } }) => {
        const complaint = find(mchid, complaint_id);
        return { ...show(complaint), payer_openid: complaint.payer_openid };
      }),
      operation('get', HISTORY, ({ mchid, variables: { complaint_id }, query }) => {
        const all = logs.by('of', keyOf(mchid, find(mchid, complaint_id).shown.complaint_id));
        const { data, ...page } = pageOf(all, query, 100);
        return { ...page, data: data.map(({ log }) => log) };
      }),
      operation('post', RESPOND, ({ mchid, variables: { complaint_id }, json }): undefined => {
        const complaint = findOwn(mchid, complaint_id, json.complainted_mchid);
        const { response_content: operate_details, response_images: image_list = [] } = json;
        write(complaint, 'MERCHANT_RESPONSE', { operate_details, image_list: [...image_list] });
        if (complaint.shown.complaint_state === 'PENDING') move(complaint, 'PROCESSING');
        tell(complaint, 'COMPLAINT.STATE_CHANGE', 'MERCHANT_RESPONSE');
      }),
      operation('post', COMPLETE, ({ mchid, variables: { complaint_id }, json }): undefined => {
        const complaint = findOwn(mchid, complaint_id, json.complainted_mchid);
        if (complaint.shown.complaint_state === 'PROCESSED') return;
        write(complaint, 'MERCHANT_CONFIRM_COMPLETE');
        move(complaint, 'PROCESSED');
        tell(complaint, 'COMPLAINT.STATE_CHANGE', 'MERCHANT_CONFIRM_COMPLETE');
      }),
      operation('post', REFUND, ({ mchid, variables: { complaint_id }, json }): undefined => {
        const complaint = find(mchid, complaint_id);
        if (complaint.shown.problem_type !== 'REFUND') {
          throw fault(
            400,
            'INVALID_REQUEST',
            `The complaint ${complaint_id} asks for no refund (problem_type REFUND).`,
          );
        }
        const { action, reject_reason, remark = reject_reason, reject_media_list = [] } = json;
        const isApproved = action === 'APPROVE';
        write(complaint, isApproved ? 'MERCHANT_APPROVE_REFUND' : 'MERCHANT_REFUSE_RERUND', {
          ...(remark !== undefined && { operate_details: remark }),
          image_list: [...reject_media_list],
        });
        if (complaint.shown.complaint_state === 'PENDING') move(complaint, 'PROCESSING');
        const told = isApproved ? 'MERCHANT_APPROVE_REFUND' : 'MERCHANT_REJECT_REFUND';
        tell(complaint, 'COMPLAINT.STATE_CHANGE', told);
      }),
      operation('post', CALLBACK, ({ mchid, json }) => {
        if (callbacks.get(keyOf(mchid, 'callback'))) {
          throw fault(
            400,
            'RESOURCE_ALREADY_EXISTS',
            `The merchant ${mchid} has set a callback already; change it by PUT.`,
          );
        }
        return setCallback(mchid, json.url);
      }),
      operation('put', CALLBACK, ({ mchid, json }) => setCallback(callbackOf(mchid).mchid, json.url)),
      operation('get', CALLBACK, ({ mchid }) => callbackOf(mchid)),
      operation('delete', CALLBACK, ({ mchid }): undefined => {
        callbacks.delete(keyOf(callbackOf(mchid).mchid, 'callback'));
      }),
    ],
    control: [
      [
        'post',
        'sandbox/complaints',
        ({ mchid, json }) => show(find(mchid, complain(mchid, Object(json)).complaint_id)),
      ],
    ],
  };
}

function checkOptions(options: ComplaintOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(OPTIONS, name)) {
      const known = Object.keys(OPTIONS).join(', ');
      throw fault(400, 'PARAM_ERROR', `Unknown option "${name}"; valid options: ${known}.`);
    }
    const type = OPTIONS[name as keyof ComplaintOptions];
    if (value !== undefined && typeof value !== type) throw fault(400, 'PARAM_ERROR', `${name} must be a ${type}.`);
  }
}

function dayOf(name: string, text: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw paramError('query', name, 'must be a date such as 2019-01-01', text);
}

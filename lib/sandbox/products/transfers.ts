import { randomBytes } from 'node:crypto';
import { InvalidArgumentError } from '../../errors';
import type { RequestOf, ResponseOf } from '../../openapi/operation';
import { operation } from '../catalogue/operation';
import { keyOf } from '../store';
import { paramError } from '../wire/param-error';
import { fault } from '../wire/response';
import { chosen, controlled } from './controlled';
import { beijing, digits, notifyUrl, optional } from './members';
import { day } from './numbers';
import type { Product, ProductContext } from './product';
import { forMerchant, sameBody } from './sensitive';
import { checkName, checkNumber, checkRemark } from './transfer-rules';

/** The paths of its operations. */
const BILLS = 'v3/fund-app/mch-transfer/transfer-bills';
const BY_NUMBER = 'v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}';
const BY_ID = 'v3/fund-app/mch-transfer/transfer-bills/transfer-bill-no/{transfer_bill_no}';
const CANCEL = 'v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}/cancel';

/** The states of a transfer; `TRANSFERING` is WeChat Pay's word. */
export type TransferState =
  | 'PROCESSING'
  | 'WAIT_USER_CONFIRM'
  | 'TRANSFERING'
  | 'SUCCESS'
  | 'FAIL'
  | 'CANCELING'
  | 'CANCELLED';

/** A transfer that its receiver confirms, as queries show it. */
export interface Transfer {
  readonly mch_id: string;
  readonly out_bill_no: string;
  readonly transfer_bill_no: string;
  readonly appid: string;
  readonly state: TransferState;
  /** In fen. */
  readonly transfer_amount: number;
  readonly transfer_remark: string;
  readonly openid: string;
  readonly fail_reason?: string;
  /** What opens the receiver's page, while the transfer waits for it. */
  readonly package_info?: string;
  readonly create_time: string;
  readonly update_time: string;
}

/** An outcome of a transfer. */
export interface TransferOutcome {
  /**
   * - `confirm`: the receiver confirms; a second later the money has arrived
   * - `fail`: it fails, for `fail_reason`
   * - `shortage`: the merchant's balance is too low: it stays `PROCESSING`, without `package_info`
   * - `fund`: the balance is sufficient again: it waits for the receiver
   */
  readonly outcome: (typeof OUTCOMES)[number];
  /** Such as `NAME_NOT_CORRECT`; by default `OTHER_FAIL_REASON_TYPE`. */
  readonly fail_reason?: string | undefined;
}

type Asked = RequestOf<typeof BILLS, 'post'>['json'];

/** A transfer as the store keeps it. */
interface Bill {
  readonly mchid: string;
  /** The request; the name in it is encrypted. */
  readonly asked: Asked;
  readonly transfer_bill_no: string;
  readonly package_info: string;
  readonly state: TransferState;
  readonly fail_reason?: string;
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly created: number;
  readonly updated: number;
}

const OUTCOMES = ['confirm', 'fail', 'shortage', 'fund'] as const;

/** The states in which each outcome is possible, and the resulting state. */
const TRANSITIONS: Readonly<Record<(typeof OUTCOMES)[number], readonly [to: TransferState, ...from: TransferState[]]>> =
  {
    confirm: ['TRANSFERING', 'WAIT_USER_CONFIRM'],
    fail: ['FAIL', 'PROCESSING', 'WAIT_USER_CONFIRM', 'TRANSFERING'],
    shortage: ['PROCESSING', 'WAIT_USER_CONFIRM'],
    fund: ['WAIT_USER_CONFIRM', 'PROCESSING'],
  };

/** The tasks that end a transfer. */
const ARRIVE = 'transfer.arrive';
const CANCELLED = 'transfer.cancelled';
const EXPIRE = 'transfer.expire';

/** How long the receiver has, in milliseconds. */
const VALID_FOR = 24 * 3_600_000;

/** The required reports of a scene, and what its receiver may be shown; nothing certain is known of other scenes. */
const SCENES: Readonly<
  Record<string, { readonly reports: readonly string[]; readonly perceptions: readonly string[] }>
> = {
  1000: { reports: ['活动名称', '奖励说明'], perceptions: ['活动奖励', '现金奖励'] },
  1005: { reports: ['岗位类型', '报酬说明'], perceptions: ['劳务报酬', '报销款', '企业补贴', '开工利是'] },
};

/** Transfers that their receivers confirm. @see https://pay.weixin.qq.com/doc/v3/merchant/4012716434 */
export function transfers({ store, clock, schedule, identities, notifier }: ProductContext) {
  const table = store.table<Bill>('transfers', {
    indexes: {
      mchid: ({ mchid }) => mchid,
      transfer_bill_no: ({ mchid, transfer_bill_no }) => keyOf(mchid, transfer_bill_no),
    },
  });

  function change(bill: Bill, state: TransferState, fail_reason?: string): Bill {
    const changed = { ...bill, state, ...(fail_reason !== undefined && { fail_reason }), updated: clock.now() };
    const key = keyOf(bill.mchid, bill.asked.out_bill_no);
    table.put(key, changed);
    if (state === 'TRANSFERING') schedule.at(clock.now() + 1000, ARRIVE, key);
    if (state === 'CANCELING') schedule.at(clock.now() + 1000, CANCELLED, key);
    if (state === 'WAIT_USER_CONFIRM') schedule.at(clock.now() + VALID_FOR, EXPIRE, key);
    if (isFinal(state)) notify(changed);
    return changed;
  }

  function notify(bill: Bill): void {
    const { mchid, asked } = bill;
    if (asked.notify_url === undefined) return;
    const { appid: _appid, transfer_remark: _remark, ...content } = shown(bill);
    // Samples differ in the name of the merchant id: both are sent.
    notifier.notify(
      { kind: 'merchant', id: mchid },
      'MCHTRANSFER.BILL.FINISHED',
      { ...content, mchid },
      asked.notify_url,
    );
  }

  schedule.on(ARRIVE, (key) => {
    const bill = table.get(key);
    if (bill?.state === 'TRANSFERING') change(bill, 'SUCCESS');
  });
  schedule.on(CANCELLED, (key) => {
    const bill = table.get(key);
    if (bill?.state === 'CANCELING') change(bill, 'CANCELLED', 'MCH_CANCEL');
  });
  schedule.on(EXPIRE, (key) => {
    const bill = table.get(key);
    if (bill?.state !== 'WAIT_USER_CONFIRM' || clock.now() < bill.updated + VALID_FOR) return;
    // Unverified: no official page has the reason. WeChat Pay closes it after some time, the sandbox at once.
    change(bill, 'FAIL', 'OVERDUE_CLOSE');
  });

  function known(bill: Bill | undefined): Bill {
    if (!bill) throw fault(404, 'NOT_FOUND', '记录不存在');
    return bill;
  }

  /** As a query shows it: with the receiver's name, encrypted for the merchant. */
  async function queried(bill: Bill): Promise<ResponseOf<typeof BY_NUMBER, 'get'>> {
    const { mchid, asked } = bill;
    const { user_name } = asked;
    return { ...shown(bill), ...(user_name && { user_name: await forMerchant(identities, mchid, user_name) }) };
  }

  /**
   * Plays an outcome of a transfer.
   * @throws InvalidArgumentError if the transfer does not exist, or its state does not allow it
   */
  function play(mchid: string, out_bill_no: string, { outcome, fail_reason }: TransferOutcome): Transfer {
    const bill = table.get(keyOf(mchid, out_bill_no));
    if (!bill) throw new InvalidArgumentError(`The transfer ${out_bill_no} does not exist.`);
    if (!OUTCOMES.includes(outcome)) {
      throw new InvalidArgumentError(`Unknown outcome "${outcome}"; valid outcomes: ${OUTCOMES.join(', ')}.`);
    }
    const [to, ...from] = TRANSITIONS[outcome];
    if (!from.includes(bill.state)) {
      throw new InvalidArgumentError(
        `"${outcome}" is not possible for the transfer ${out_bill_no}: it is ${bill.state}.`,
      );
    }
    return listed(change(bill, to, to === 'FAIL' ? (fail_reason ?? 'OTHER_FAIL_REASON_TYPE') : undefined));
  }

  const list = (mchid: string): Transfer[] => table.by('mchid', mchid).map(listed);

  const product: Product = {
    routes: [
      operation('post', BILLS, async ({ mchid, json }) => {
        const before = table.get(keyOf(mchid, json.out_bill_no));
        if (before) {
          const isSame = await sameBody(identities, before.asked, json, ['user_name']);
          if (isSame) return accepted(known(table.get(keyOf(mchid, json.out_bill_no))));
          throw fault(400, 'INVALID_REQUEST', '单号已存在但信息不一致，请查单后比较确认');
        }
        check(json);
        const created = clock.now();
        const bill: Bill = {
          ...{ mchid, asked: json, created, updated: created, state: 'WAIT_USER_CONFIRM' },
          transfer_bill_no: `1330${digits(16)}${day(created)}${digits(12)}`,
          package_info: `ABBQO+oYAAABAAAAAA${randomBytes(63).toString('base64').slice(2)}`,
        };
        // ACCEPTED and PROCESSING are over at once: a client needs package_info, which no query shows.
        return accepted(change(bill, 'WAIT_USER_CONFIRM'));
      }),
      operation('get', BY_NUMBER, ({ mchid, variables: { out_bill_no = '' } }) =>
        queried(known(table.get(keyOf(mchid, out_bill_no)))),
      ),
      operation('get', BY_ID, ({ mchid, variables: { transfer_bill_no = '' } }) =>
        queried(known(table.by('transfer_bill_no', keyOf(mchid, transfer_bill_no))[0])),
      ),
      operation('post', CANCEL, ({ mchid, variables: { out_bill_no = '' } }) => {
        const bill = known(table.get(keyOf(mchid, out_bill_no)));
        if (bill.state === 'CANCELING' || bill.state === 'CANCELLED') return cancelled(bill);
        // The documentation allows it until the receiver has confirmed.
        if (bill.state !== 'PROCESSING' && bill.state !== 'WAIT_USER_CONFIRM') {
          throw fault(400, 'INVALID_REQUEST', `A transfer in the state ${bill.state} cannot be cancelled.`);
        }
        return cancelled(change(bill, 'CANCELING'));
      }),
    ],
    control: [
      ['get', 'sandbox/transfers', ({ mchid }) => list(mchid)],
      [
        'post',
        'sandbox/transfers/{out_bill_no}',
        ({ mchid, variables: { out_bill_no = '' }, json }) => {
          const outcome = chosen(json, 'outcome', OUTCOMES);
          const { fail_reason } = optional(json, 'fail_reason');
          if (!table.get(keyOf(mchid, out_bill_no))) {
            throw fault(404, 'NOT_FOUND', `The transfer ${out_bill_no} does not exist.`);
          }
          return controlled(() => play(mchid, out_bill_no, { outcome, fail_reason }));
        },
      ],
    ],
  };
  return { ...product, list, play };
}

function isFinal(state: TransferState): boolean {
  return state === 'SUCCESS' || state === 'FAIL' || state === 'CANCELLED';
}

function shown({ mchid, asked, transfer_bill_no, state, fail_reason, created, updated }: Bill) {
  const { out_bill_no, appid, transfer_amount, transfer_remark, openid } = asked;
  return {
    ...{ mch_id: mchid, out_bill_no, transfer_bill_no, appid, state, transfer_amount, transfer_remark, openid },
    ...(fail_reason !== undefined && { fail_reason }),
    ...{ create_time: beijing(created), update_time: beijing(updated) },
  };
}

function listed(bill: Bill): Transfer {
  return { ...shown(bill), ...waiting(bill) };
}

function accepted(bill: Bill): ResponseOf<typeof BILLS, 'post'> {
  const { out_bill_no, transfer_bill_no, create_time, state, fail_reason } = shown(bill);
  const reason = fail_reason === undefined ? {} : { fail_reason };
  return { out_bill_no, transfer_bill_no, create_time, state, ...reason, ...waiting(bill) };
}

function waiting({ state, package_info }: Bill): { package_info?: string } {
  return state === 'WAIT_USER_CONFIRM' ? { package_info } : {};
}

function cancelled(bill: Bill): ResponseOf<typeof CANCEL, 'post'> {
  const { out_bill_no, transfer_bill_no, state, update_time } = shown(bill);
  return { out_bill_no, transfer_bill_no, state, update_time };
}

/** Refuses what the rules of the product do not allow. */
function check(asked: Asked): void {
  const { out_bill_no, transfer_amount, transfer_remark, transfer_scene_id, notify_url } = asked;
  checkNumber('/out_bill_no', '商户单号', out_bill_no);
  checkRemark('/transfer_remark', transfer_remark);
  checkName('/user_name', transfer_amount, asked.user_name);
  if (notify_url !== undefined) notifyUrl(notify_url);
  const reported = asked.transfer_scene_report_infos.map(({ info_type }) => info_type);
  const { reports, perceptions } = SCENES[transfer_scene_id] ?? {};
  if (reported.length === 0 || reports?.some((report) => !reported.includes(report))) {
    const issue = 'must tell what the scene asks for; compare it with the documentation of the scene';
    throw paramError('body', '/transfer_scene_report_infos', issue, undefined, '需传入转账场景报备信息，请检查');
  }
  const { user_recv_perception: perception } = asked;
  if (perception && perceptions && !perceptions.includes(perception)) {
    throw fault(400, 'INVALID_REQUEST', '暂不支持展示当前传入的用户收款感知');
  }
  if (transfer_amount < 10) throw fault(400, 'INVALID_REQUEST', '超过单笔转账上下限，核实产品设置是否准确');
}

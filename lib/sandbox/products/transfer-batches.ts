import { InvalidArgumentError } from '../../errors';
import type { RequestOf, ResponseOf } from '../../openapi/operation';
import { operation } from '../catalogue/operation';
import { keyOf } from '../store';
import { fault } from '../wire/response';
import { chosen, controlled } from './controlled';
import { beijing, digits, optional } from './members';
import { day } from './numbers';
import type { Product, ProductContext } from './product';
import { forMerchant, sameBody } from './sensitive';
import { checkBatch } from './transfer-rules';

/** The paths of its operations. */
const BATCHES = 'v3/transfer/batches';
const BY_NUMBER = 'v3/transfer/batches/out-batch-no/{out_batch_no}';
const BY_ID = 'v3/transfer/batches/batch-id/{batch_id}';
const DETAIL_BY_NUMBER = 'v3/transfer/batches/out-batch-no/{out_batch_no}/details/out-detail-no/{out_detail_no}';
const DETAIL_BY_ID = 'v3/transfer/batches/batch-id/{batch_id}/details/detail-id/{detail_id}';

/** A batch of transfers, as queries show it. */
export type TransferBatch = ResponseOf<typeof BY_NUMBER, 'get'>['transfer_batch'];

/** An outcome of an unfinished batch. */
export interface TransferBatchOutcome {
  /** `fail`: transfers of it fail. `close`: it is closed, and all of them fail. */
  readonly outcome: (typeof OUTCOMES)[number];
  /** The transfer that fails; all of them by default. */
  readonly out_detail_no?: string | undefined;
  /** Of a transfer, such as `NAME_NOT_CORRECT`; by default `OTHER_FAIL_REASON_TYPE`. */
  readonly fail_reason?: string | undefined;
  /** Of the batch; by default `OVERDUE_CLOSE`. */
  readonly close_reason?: string | undefined;
}

const OUTCOMES = ['fail', 'close'] as const;

type Asked = RequestOf<typeof BATCHES, 'post'>['json'];

/** A batch as the store keeps it. */
interface Batch {
  readonly mchid: string;
  /** The request, without its transfers. */
  readonly asked: Omit<Asked, 'transfer_detail_list'>;
  readonly batch_id: string;
  readonly batch_status: 'ACCEPTED' | 'PROCESSING' | 'FINISHED' | 'CLOSED';
  readonly close_reason?: string;
  /** Milliseconds since 1970, by the sandbox's clock. */
  readonly created: number;
  readonly updated: number;
}

/** A transfer of a batch. */
interface Detail {
  readonly mchid: string;
  readonly out_batch_no: string;
  /** The request; the names in it are encrypted. */
  readonly asked: Asked['transfer_detail_list'][number];
  readonly detail_id: string;
  readonly detail_status: 'INIT' | 'PROCESSING' | 'SUCCESS' | 'FAIL';
  readonly fail_reason?: string;
  /** The reason why it will fail. */
  readonly failing?: string;
  readonly created: number;
  readonly updated: number;
}

/** The tasks of a batch, at intervals of a second. */
const PROCESS = 'transfer-batch.process';
const FINISH = 'transfer-batch.finish';

/** The members that are encrypted. */
const ENCRYPTED = ['user_name', 'user_id_card'];

/** The older transfers, in batches, which nobody confirms. @see https://pay.weixin.qq.com/doc/v3/merchant/4012458841 */
export function transferBatches({ store, clock, schedule, identities, notifier }: ProductContext) {
  const batches = store.table<Batch>('transfer-batches', {
    indexes: { mchid: ({ mchid }) => mchid, batch_id: ({ mchid, batch_id }) => keyOf(mchid, batch_id) },
  });
  const details = store.table<Detail>('transfer-details', {
    indexes: {
      batch: ({ mchid, out_batch_no }) => keyOf(mchid, out_batch_no),
      detail_id: ({ mchid, detail_id }) => keyOf(mchid, detail_id),
    },
  });

  const detailsOf = ({ mchid, asked }: Batch): Detail[] => details.by('batch', keyOf(mchid, asked.out_batch_no));

  function put(detail: Detail): void {
    const { mchid, out_batch_no, asked } = detail;
    details.put(keyOf(mchid, `${out_batch_no}/${asked.out_detail_no}`), detail);
  }

  function change(batch: Batch, changes: Partial<Batch>): Batch {
    const changed = { ...batch, ...changes, updated: clock.now() };
    batches.put(keyOf(batch.mchid, batch.asked.out_batch_no), changed);
    return changed;
  }

  /** Ends the transfers of a batch; those with a reason fail. */
  function settle(batch: Batch, reasonOf: (detail: Detail) => string | undefined): void {
    const updated = clock.now();
    for (const detail of detailsOf(batch)) {
      const fail_reason = reasonOf(detail);
      const failed = fail_reason !== undefined && { fail_reason };
      put({ ...detail, updated, detail_status: failed ? 'FAIL' : 'SUCCESS', ...failed });
    }
  }

  schedule.on(PROCESS, (key) => {
    const batch = batches.get(key);
    if (batch?.batch_status !== 'ACCEPTED') return;
    const updated = clock.now();
    for (const detail of detailsOf(batch)) put({ ...detail, updated, detail_status: 'PROCESSING' });
    change(batch, { batch_status: 'PROCESSING' });
    schedule.at(updated + 1000, FINISH, key);
  });
  schedule.on(FINISH, (key) => {
    const batch = batches.get(key);
    if (batch?.batch_status !== 'PROCESSING') return;
    settle(batch, ({ failing }) => failing);
    notify(change(batch, { batch_status: 'FINISHED' }));
  });

  function notify(batch: Batch): void {
    const { mchid, asked, close_reason } = batch;
    const { notify_url } = asked;
    if (notify_url === undefined) return;
    const { out_batch_no, batch_id, batch_status, total_num, total_amount, update_time = '', ...sums } = shown(batch);
    const common = { mchid, out_batch_no, batch_id, batch_status, total_num, total_amount, update_time };
    const merchant = { kind: 'merchant', id: mchid } as const;
    if (close_reason !== undefined) {
      notifier.notify(merchant, 'MCHTRANSFER.BATCH.CLOSED', { ...common, close_reason }, notify_url);
      return;
    }
    const { success_amount = 0, success_num = 0, fail_amount = 0, fail_num = 0 } = sums;
    const content = { ...common, success_amount, success_num, fail_amount, fail_num };
    notifier.notify(merchant, 'MCHTRANSFER.BATCH.FINISHED', content, notify_url);
  }

  function shown(batch: Batch): TransferBatch {
    const { mchid, asked, batch_id, batch_status, close_reason, created, updated } = batch;
    const { out_batch_no, appid, batch_name, batch_remark, total_amount, total_num, transfer_scene_id } = asked;
    const [succeeded, failed] = (['SUCCESS', 'FAIL'] as const).map((status) =>
      amounts(detailsOf(batch).filter(({ detail_status }) => detail_status === status)),
    );
    return {
      ...{ mchid, out_batch_no, batch_id, appid, batch_status, batch_type: 'API', batch_name, batch_remark },
      ...(close_reason !== undefined && { close_reason }),
      ...{ total_amount, total_num, create_time: beijing(created), update_time: beijing(updated) },
      ...{ success_amount: sumOf(succeeded), success_num: succeeded?.length ?? 0 },
      ...{ fail_amount: sumOf(failed), fail_num: failed?.length ?? 0 },
      ...(transfer_scene_id !== undefined && { transfer_scene_id }),
    };
  }

  function queried(batch: Batch | undefined, query: URLSearchParams): ResponseOf<typeof BY_ID, 'get'> {
    const transfer_batch = shown(known(batch));
    if (!batch || query.get('need_query_detail') !== 'true') return { transfer_batch };
    const status = query.get('detail_status') ?? 'ALL';
    const listed = detailsOf(batch).filter(({ detail_status }) => status === 'ALL' || detail_status === status);
    const { offset, limit } = pageOf(query);
    const transfer_detail_list = listed
      .slice(offset, offset + limit)
      .map(({ detail_id, asked, detail_status }) => ({ detail_id, out_detail_no: asked.out_detail_no, detail_status }));
    return { transfer_batch, transfer_detail_list };
  }

  async function detailed(batch: Batch | undefined, one: Detail | undefined) {
    const { mchid, asked, batch_id } = known(batch);
    const { out_batch_no, detail_id, detail_status, fail_reason, created, updated, ...detail } = known(one);
    const { out_detail_no, transfer_amount, transfer_remark, openid, user_name } = detail.asked;
    return {
      ...{ mchid, out_batch_no, batch_id, appid: asked.appid, out_detail_no, detail_id, detail_status },
      ...{ transfer_amount, transfer_remark, openid },
      ...(fail_reason !== undefined && { fail_reason }),
      ...(user_name && { user_name: await forMerchant(identities, mchid, user_name) }),
      ...{ initiate_time: beijing(created), update_time: beijing(updated) },
    };
  }

  function accept(mchid: string, { transfer_detail_list: list, ...asked }: Asked): Batch {
    const created = clock.now();
    const { out_batch_no } = asked;
    const batch: Batch = {
      ...{ mchid, asked, batch_id: `1030${digits(16)}${day(created)}${digits(12)}`, batch_status: 'ACCEPTED' },
      ...{ created, updated: created },
    };
    for (const detail of list) {
      const detail_id = `1040${digits(16)}${day(created)}${digits(12)}`;
      put({ mchid, out_batch_no, asked: detail, detail_id, detail_status: 'INIT', created, updated: created });
    }
    batches.put(keyOf(mchid, out_batch_no), batch);
    schedule.at(created + 1000, PROCESS, keyOf(mchid, out_batch_no));
    return batch;
  }

  /**
   * Plays an outcome of a batch.
   * @throws InvalidArgumentError if there is no such batch or transfer, or it has ended
   */
  function play(mchid: string, out_batch_no: string, how: TransferBatchOutcome): TransferBatch {
    const { outcome, out_detail_no, fail_reason, close_reason = 'OVERDUE_CLOSE' } = how;
    if (!OUTCOMES.includes(outcome)) {
      throw new InvalidArgumentError(`Unknown outcome "${outcome}"; valid outcomes: ${OUTCOMES.join(', ')}.`);
    }
    const batch = batches.get(keyOf(mchid, out_batch_no));
    if (!batch) throw new InvalidArgumentError(`The batch ${out_batch_no} does not exist.`);
    if (batch.batch_status === 'FINISHED' || batch.batch_status === 'CLOSED') {
      throw new InvalidArgumentError(`The batch ${out_batch_no} has ended: it is ${batch.batch_status}.`);
    }
    if (outcome === 'close') {
      settle(batch, () => fail_reason ?? close_reason);
      const closed = change(batch, { batch_status: 'CLOSED', close_reason });
      notify(closed);
      return shown(closed);
    }
    const failing = fail_reason ?? 'OTHER_FAIL_REASON_TYPE';
    const meant = detailsOf(batch).filter(
      ({ asked }) => out_detail_no === undefined || asked.out_detail_no === out_detail_no,
    );
    if (meant.length === 0) {
      throw new InvalidArgumentError(`The batch ${out_batch_no} has no transfer ${out_detail_no}.`);
    }
    for (const detail of meant) put({ ...detail, failing });
    return shown(batch);
  }

  const list = (mchid: string): TransferBatch[] => batches.by('mchid', mchid).map(shown);

  const product: Product = {
    routes: [
      operation('post', BATCHES, async ({ mchid, json }) => {
        const before = batches.get(keyOf(mchid, json.out_batch_no));
        if (!before) {
          checkBatch(json);
          return accepted(accept(mchid, json));
        }
        const whole = { ...before.asked, transfer_detail_list: detailsOf(before).map(({ asked }) => asked) };
        if (await sameBody(identities, whole, json, ENCRYPTED)) return accepted(before);
        throw fault(400, 'INVALID_REQUEST', '单号已存在但信息不一致，请查单后比较确认');
      }),
      operation('get', BY_NUMBER, ({ mchid, variables: { out_batch_no = '' }, query }) => ({
        ...queried(batches.get(keyOf(mchid, out_batch_no)), query),
        ...pageOf(query),
      })),
      operation('get', BY_ID, ({ mchid, variables: { batch_id = '' }, query }) =>
        queried(batches.by('batch_id', keyOf(mchid, batch_id))[0], query),
      ),
      operation('get', DETAIL_BY_NUMBER, ({ mchid, variables: { out_batch_no = '', out_detail_no = '' } }) =>
        detailed(
          batches.get(keyOf(mchid, out_batch_no)),
          details.get(keyOf(mchid, `${out_batch_no}/${out_detail_no}`)),
        ),
      ),
      operation('get', DETAIL_BY_ID, ({ mchid, variables: { batch_id = '', detail_id = '' } }) => {
        const batch = batches.by('batch_id', keyOf(mchid, batch_id))[0];
        const detail = details.by('detail_id', keyOf(mchid, detail_id))[0];
        return detailed(batch, detail?.out_batch_no === batch?.asked.out_batch_no ? detail : undefined);
      }),
    ],
    control: [
      ['get', 'sandbox/transfer-batches', ({ mchid }) => list(mchid)],
      [
        'post',
        'sandbox/transfer-batches/{out_batch_no}',
        ({ mchid, variables: { out_batch_no = '' }, json }) => {
          const outcome = chosen(json, 'outcome', OUTCOMES);
          const given = optional(json, 'out_detail_no', 'fail_reason', 'close_reason');
          if (!batches.get(keyOf(mchid, out_batch_no))) {
            throw fault(404, 'NOT_FOUND', `The batch ${out_batch_no} does not exist.`);
          }
          return controlled(() => play(mchid, out_batch_no, { outcome, ...given }));
        },
      ],
    ],
  };
  return { ...product, list, play };
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw fault(404, 'NOT_FOUND', '记录不存在');
  return value;
}

function accepted({ asked, batch_id, batch_status, created }: Batch): ResponseOf<typeof BATCHES, 'post'> {
  return { out_batch_no: asked.out_batch_no, batch_id, create_time: beijing(created), batch_status };
}

function amounts(details: readonly Detail[]): number[] {
  return details.map(({ asked }) => asked.transfer_amount);
}

function sumOf(values: readonly number[] = []): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** The part of a list that a query selects; 20 entries by default. */
function pageOf(query: URLSearchParams): { offset: number; limit: number } {
  const [offset, limit] = [Number(query.get('offset') ?? 0), Number(query.get('limit') ?? 20)];
  if (Number.isInteger(offset) && offset >= 0 && Number.isInteger(limit) && limit >= 1 && limit <= 100) {
    return { offset, limit };
  }
  throw fault(400, 'PARAM_ERROR', '"offset" must be 0 or more, and "limit" a number from 1 to 100.');
}

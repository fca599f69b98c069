import type { Delivery } from '../notifications/notify';
import type { Protocol } from '../protocol/protocol';
import { fault } from '../wire/response';
import type { Product, ProductContext } from './product';
import { REFUND_STATUSES, type RefundOutcome, type RefundStatus } from './refund';

/** A refund as the sandbox shows it: the members of the query, and whose it is. */
export interface ShownRefund {
  /** Who asked for it; of a partner `sp_mchid`. */
  readonly mchid: string;
  readonly protocol: Protocol;
  readonly out_refund_no: string;
  readonly status: RefundStatus;
  readonly [member: string]: unknown;
}

/** The refunds of one protocol, whoever asked for them. */
export interface RefundBook {
  readonly protocol: Protocol;
  /** In the order in which they were accepted. */
  all(): readonly ShownRefund[];
  /** Those with that number, one for each merchant. */
  numbered(out_refund_no: string): readonly ShownRefund[];
  /** Ends one; returns the key of its notification. */
  finish(mchid: string, out_refund_no: string, status: RefundOutcome): string | undefined;
}

/** How a refund ends, and which one if several have the same number. */
export interface RefundOptions {
  status: RefundOutcome;
  /** Who asked for it; of a partner `sp_mchid`. */
  mchid?: string | undefined;
  protocol?: Protocol | undefined;
}

type Which = Pick<RefundOptions, 'mchid' | 'protocol'>;

const OUTCOMES: readonly unknown[] = REFUND_STATUSES.filter((status) => status !== 'PROCESSING');

/** Refunds for tests and the console: lists them, and ends them. */
export function createRefunder({ store, notifier }: ProductContext, books: readonly RefundBook[]) {
  function find(number: string, which: Which): ShownRefund {
    const found = books.flatMap((book) => book.numbered(number)).filter(meaning(which));
    const [first] = found;
    if (!first) throw fault(404, 'RESOURCE_NOT_EXISTS', `The refund ${number} does not exist.`);
    if (found.length === 1) return first;
    const places = found.map(({ mchid, protocol }) => `${mchid} ${protocol}`).join(', ');
    throw fault(409, 'NOT_UNIQUE', `Several refunds have the number ${number} (${places}): pass mchid or protocol.`);
  }

  /** The refunds of all merchants, those of each protocol in the order in which they were accepted. */
  function list(which: Which = {}): ShownRefund[] {
    return books.flatMap((book) => book.all()).filter(meaning(which));
  }

  /**
   * Ends a refund.
   * @returns the refund, and the first attempt of its notification if it has one
   * @throws a response of status 400, 404 or 409 where it cannot end like that
   */
  function end(
    number: string,
    { status, ...which }: Which & { readonly status?: unknown },
  ): { refund: ShownRefund; notification: Promise<Delivery> | undefined } {
    if (!isOutcome(status)) {
      const found = JSON.stringify(status);
      throw fault(400, 'PARAM_ERROR', `status must be one of ${OUTCOMES.join(', ')}; found ${found}.`);
    }
    const before = find(number, which);
    if (!(before.status === 'PROCESSING' || (before.status === 'ABNORMAL' && status !== 'ABNORMAL'))) {
      const hint = 'A refund succeeds a second after it was accepted; freeze the clock to keep it.';
      throw fault(409, 'INVALID_REQUEST', `The refund ${number} has ended: it is ${before.status}. ${hint}`);
    }
    const { mchid, protocol } = before;
    const key = books.find((book) => book.protocol === protocol)?.finish(mchid, number, status);
    // Before the response leaves.
    store.commit();
    const notification = key === undefined ? undefined : notifier.firstAttempt(key);
    return { refund: find(number, { mchid, protocol }), notification };
  }

  const product: Product = {
    routes: [],
    control: [
      ['get', 'sandbox/refunds', ({ query }) => list(whichOf(query))],
      [
        'get',
        'sandbox/refunds/{out_refund_no}',
        ({ variables: { out_refund_no = '' }, query }) => find(out_refund_no, whichOf(query)),
      ],
      [
        'post',
        'sandbox/refunds/{out_refund_no}',
        ({ variables: { out_refund_no = '' }, query, json }) => {
          const { status } = Object(json) as { status?: unknown };
          return end(out_refund_no, { status, ...whichOf(query) }).refund;
        },
      ],
    ],
  };

  return { product, list, end };
}

function isOutcome(status: unknown): status is RefundOutcome {
  return OUTCOMES.includes(status);
}

function meaning({ mchid, protocol }: Which) {
  return (refund: ShownRefund): boolean =>
    (mchid === undefined || refund.mchid === mchid) && (protocol === undefined || refund.protocol === protocol);
}

function whichOf(query: URLSearchParams): Which {
  const [mchid, protocol] = [query.get('mchid') ?? undefined, query.get('protocol') ?? undefined];
  if (protocol === undefined || protocol === 'v2' || protocol === 'v3') return { mchid, protocol };
  throw fault(400, 'PARAM_ERROR', `protocol must be v2 or v3; found ${JSON.stringify(protocol)}.`);
}

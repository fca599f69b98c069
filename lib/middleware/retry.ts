import { ApiError, ConfigurationError } from '../errors';
import type { ReceivedHeaders } from '../format/headers';
import { toObject } from '../format/transformer';
import { connectionFailed } from './connection-failure';
import type { Interceptor, SignedDispatchOptions } from './dispatch-options';
import { type Decide, type Failure, RepeatingHandler } from './repeating-handler';
import type { BufferedResponse } from './verifying-handler';

/**
 * Names of the numbers with which a merchant identifies a request. WeChat Pay treats a second request with the same
 * number as the same one, and asks for such a retry after `SYSTEM_ERROR`.
 * @see https://pay.weixin.qq.com/doc/v3/merchant/4012081709
 */
const REQUEST_NUMBERS: ReadonlySet<string> = new Set([
  'out_trade_no',
  'combine_out_trade_no',
  'out_refund_no',
  'out_order_no',
  'out_return_no',
  'out_request_no',
  'out_bill_no',
  'out_batch_no',
  'out_apply_no',
  'out_recharge_no',
  'out_subsidy_no',
  'out_subsidy_return_no',
  'out_serial_number',
  'out_transfer_no',
  'out_authorization_no',
  'partner_trade_no',
  'mch_billno',
  'send_request_no',
  'use_request_no',
  'return_request_no',
  'deactivate_request_no',
  'upload_request_no',
]);

/** Whether a request is idempotent: a GET, or a request with a number of its own. */
export function isIdempotent({ method, body, fields }: SignedDispatchOptions): boolean {
  if (method === 'GET' || method === 'HEAD') return true;
  const members = fields ?? (typeof body === 'string' ? fieldsOf(body) : {});
  return Object.entries(members).some(([name, value]) => REQUEST_NUMBERS.has(name) && isNumber(value));
}

function isNumber(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function fieldsOf(body: string): object {
  try {
    return Object(body.startsWith('<') ? toObject(body) : JSON.parse(body)) as object;
  } catch {
    return {};
  }
}

/** Options for retries. */
export interface RetryOptions {
  /** Maximum number of attempts, including the first; 3 by default. */
  attempts?: number;
  /** Upper bound of the first delay, in milliseconds; 200 by default. It doubles with each further delay. */
  delay?: number;
  /** Upper bound of all delays, unless WeChat Pay asks for more, in milliseconds; 5,000 by default. */
  maxDelay?: number;
}

const DEFAULTS: Required<RetryOptions> = { attempts: 3, delay: 200, maxDelay: 5000 };

/** Longer delays are not waited for, in milliseconds. */
const MAX_RETRY_AFTER = 60_000;

/** Statuses that ask for a later retry. A 500 does so only with one of the codes below. */
const LATER: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Codes that ask for a retry: of APIv3 with status 500, and of v2. */
const LATER_CODES: ReadonlySet<unknown> = new Set(['SYSTEM_ERROR', 'SYSTEMERROR']);

/** The retry budget: the maximum burst, and on average one retry per ten requests. */
const BUDGET = 10;
const INCOME = 0.1;

/**
 * An undici interceptor that retries requests after a transient failure: no connection, a broken connection, status 429,
 * 502, 503 or 504, or 500 `SYSTEM_ERROR`. It retries idempotent requests only: GET, requests that carry a number of the
 * merchant's own, such as `out_trade_no`, and any request that never had a connection; `retry: true` or `false` in the
 * options of a request takes precedence. It never retries after a response that cannot be trusted.
 *
 * Delays are random up to a bound that doubles (exponential backoff with full jitter); `Retry-After` makes them longer.
 * At most a tenth of all requests are retries, and ten in a burst. Compose it outside the signer, so that each attempt is
 * signed afresh.
 * @throws {@link ConfigurationError} if an option cannot be used
 * @example new Agent().compose(verifier({ certs }), signer(config), retry({ attempts: 3 }));
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function retry(options: RetryOptions = {}): Interceptor {
  const { attempts, delay, maxDelay } = readRetry(options);
  let budget = BUDGET;

  const decide: Decide = (failure, request, attempt) => {
    if (attempt >= attempts || budget < 1 || !isPassing(failure)) return undefined;
    if (!(request.retry ?? (failure.unsent || isIdempotent(request)))) return undefined;
    const jitter = Math.random() * Math.min(maxDelay, delay * 2 ** (attempt - 1));
    const pause = Math.max(jitter, retryAfter(failure.response?.headers));
    if (pause > MAX_RETRY_AFTER || performance.now() + pause >= (request.deadline ?? Number.POSITIVE_INFINITY)) {
      return undefined;
    }
    budget -= 1;
    return { options: request, delay: pause };
  };

  return (dispatch) => (request: SignedDispatchOptions, handler) => {
    budget = Math.min(BUDGET, budget + INCOME);
    if (request.retry === false) return dispatch(request, handler);
    return new RepeatingHandler(dispatch, request, handler, decide).send();
  };
}

/** Checks the options and fills in defaults. */
function readRetry(options: RetryOptions): Required<RetryOptions> {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigurationError(`"retry" must be true or an object with ${Object.keys(DEFAULTS).join(', ')}.`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(DEFAULTS, name)) {
      throw new ConfigurationError(
        `Unknown option "retry.${name}". Valid options: ${Object.keys(DEFAULTS).join(', ')}.`,
      );
    }
    const least = name === 'attempts' ? 1 : 0;
    if (value !== undefined && !(Number.isInteger(value) && value >= least)) {
      throw new ConfigurationError(`"retry.${name}" must be an integer, ${least} or more.`);
    }
  }
  const { attempts = DEFAULTS.attempts, delay = DEFAULTS.delay, maxDelay = DEFAULTS.maxDelay } = options;
  return { attempts, delay, maxDelay };
}

function isPassing({ response, error }: Failure): boolean {
  if (error) return error instanceof ApiError ? LATER_CODES.has(error.code) : connectionFailed(error);
  return LATER.has(response.status) || (response.status === 500 && LATER_CODES.has(codeOf(response)));
}

function codeOf({ body }: BufferedResponse): unknown {
  try {
    return (Object(JSON.parse(Buffer.from(body).toString())) as { code?: unknown }).code;
  } catch {
    return undefined;
  }
}

/** Parses `Retry-After` to milliseconds from now: seconds or a date (RFC 9110, section 10.2.3). */
function retryAfter(headers: ReceivedHeaders = {}): number {
  const value = String(headers['retry-after'] ?? '');
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now());
}

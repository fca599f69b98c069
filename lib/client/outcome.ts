import {
  ApiError,
  ConfigurationError,
  InvalidArgumentError,
  nameQuery,
  type OutcomeQuery,
  TimeoutError,
  TransportError,
  WechatPayError,
} from '../errors';
import { expandTemplate } from '../format/uri-template';
import { neverConnected } from '../middleware/connection-failure';
import { type OutcomeCall, outcomeQueryOf } from '../openapi/outcome-query';
import type { ResponsePromise } from '../openapi/response';
import type { OutgoingRequest } from './request';

/**
 * Codes of WeChat Pay after which the outcome is to be queried: it failed, the bank did, or the buyer is typing a password.
 * @see https://pay.weixin.qq.com/doc/v2/partner/4011941293
 */
const UNDECIDED: ReadonlySet<string> = new Set([
  ...['SYSTEM_ERROR', 'SYSTEMERROR'],
  ...['BANK_ERROR', 'BANKERROR'],
  ...['USER_PAYING', 'USERPAYING'],
]);

/** What of a request tells its outcome: what was sent, and not the caller's objects, which may have changed since. */
type Sent = Pick<OutgoingRequest, 'method' | 'path' | 'body' | 'fields' | 'signal' | 'exchange'>;

/** Sends a query. */
type Ask = (query: OutcomeCall) => ResponsePromise;

/**
 * Gives an error the query that tells the outcome of its request, and names the query in its message.
 * @param path of the call, its variables filled in
 * @param mchid the merchant number of the client, if it signs as a merchant
 */
export function tellQuery(error: unknown, path: string, sent: Sent, mchid: string | undefined, ask: Ask): void {
  if (sent.method === 'GET' || !(error instanceof WechatPayError) || !isUnknown(error, sent)) return;
  const query = queryOf(path, sent, mchid, ask);
  if (query === undefined) return;
  Reflect.set(error, 'query', query);
  if (error instanceof ApiError && !isUndecided(error)) return;
  const { message, stack } = error;
  const text = nameQuery(message, query);
  const named = String(stack).replace(message, () => text);
  if (typeof stack === 'string') Reflect.set(error, 'stack', named);
  Reflect.set(error, 'message', text);
}

function isUnknown(error: WechatPayError, { signal, exchange }: Sent): boolean {
  // The reason of an abort is the caller's own, and may be that of many calls.
  if (signal?.aborted && Object.is(error, signal.reason)) return false;
  if (error instanceof InvalidArgumentError || error instanceof ConfigurationError) return false;
  if (error instanceof TransportError || error instanceof TimeoutError) {
    return !neverConnected(error.cause, exchange.started);
  }
  // A refusal may be forged; that of a repeat says nothing of the attempt before it.
  return !(error instanceof ApiError) || isUndecided(error) || !error.verified || exchange.attempts > 1;
}

function isUndecided({ status, code }: ApiError): boolean {
  return status >= 500 || UNDECIDED.has(code);
}

function queryOf(path: string, sent: Sent, mchid: string | undefined, ask: Ask): OutcomeQuery | undefined {
  try {
    const call = outcomeQueryOf(sent.method.toLowerCase(), path, optionsOf(sent), mchid);
    return call && new PendingQuery(call, ask);
  } catch {
    // What WeChat Pay was sent for a number may be none: the error is told without a query.
    return undefined;
  }
}

/** The options that make the request. */
function optionsOf({ path, body, fields }: Sent): Record<string, unknown> {
  const query = path.split(/\?(.*)/s)[1] ?? '';
  if (fields) return { query, xml: fields };
  const text = body instanceof Uint8Array ? Buffer.from(body).toString() : body;
  if (typeof text !== 'string' || text === '') return { query };
  return { query, json: JSON.parse(text) };
}

/** A class, since what is private of it is never printed. */
class PendingQuery implements OutcomeQuery {
  readonly verb: 'get' | 'post';
  readonly path: string;
  readonly #call: OutcomeCall;
  readonly #ask: Ask;

  constructor(call: OutcomeCall, ask: Ask) {
    this.verb = call.verb;
    this.path = expandTemplate(call.path, (name) => call.options[name]);
    this.#call = call;
    this.#ask = ask;
  }

  ask(): ResponsePromise {
    return this.#ask(this.#call);
  }
}

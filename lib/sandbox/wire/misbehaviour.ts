import { InvalidArgumentError } from '../../errors';
import type { ReceivedRequest } from './request';

/**
 * What goes wrong with a response. Members combine, and are applied in the order of this list.
 * Header names are case-insensitive. A streamed response is held in memory if its body is changed or cut off.
 */
export interface Misbehaviour {
  /** The request is not processed: no handler sees it, nothing changes. The response is 500 `SYSTEM_ERROR`. */
  ignore?: true;
  /** Another status; 400 and above with an error in WeChat Pay's format as the body. The request is processed. */
  status?: number;
  /** Another body, properly signed. */
  body?: string;
  /**
   * `wrong`: made with another key; `probe`: WeChat Pay's `WECHATPAY/SIGNTEST/…`; `none`: no signature headers. With
   * v2, the field `sign` is wrong or missing; a `probe` is wrong.
   */
  signature?: 'wrong' | 'probe' | 'none';
  /** APIv3: seconds that the signed `Wechatpay-Timestamp` is ahead of the clock, or behind it if negative. */
  skew?: number;
  /** APIv3: another `Wechatpay-Serial`. */
  serial?: string;
  /** Headers to leave out. */
  omit?: readonly string[];
  /** Headers to send twice. */
  double?: readonly string[];
  /** Headers to set, after signing; a list sends one line for each value. */
  headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Changes the body after signing: `true` changes one byte, a string replaces it. */
  tamper?: true | string;
  /** Milliseconds to wait before the response is sent; `Infinity` waits for the client to give up. */
  delay?: number;
  /** Closes the connection without a response. */
  close?: true;
  /** Resets the connection: `true` before the response, `head` in its headers, `body` in its body. */
  reset?: true | 'head' | 'body';
  /** Closes the connection in the middle of the body, short of its `Content-Length`. */
  truncate?: true;
  /** Sends something that is not HTTP, then closes the connection. */
  garbage?: true;
}

/** One misbehaviour, or a function that chooses one for each request; `undefined` for none. */
export type Misbehaving = Misbehaviour | ((request: ReceivedRequest) => Misbehaviour | undefined);

/** The misbehaviours that are still due, in order. */
export interface Misbehaviours {
  /** Returns a function that ends it early. */
  add(how: Misbehaving, times: number): () => void;
  /** Takes the misbehaviour for a request. */
  next(request: ReceivedRequest): Misbehaviour;
  clear(): void;
}

const CONNECTION = ['close', 'reset', 'truncate', 'garbage'];
const KNOWN = new Set([
  ...['ignore', 'status', 'body', 'signature', 'skew', 'serial', 'omit', 'double', 'headers', 'tamper', 'delay'],
  ...CONNECTION,
]);

export function createMisbehaviours(): Misbehaviours {
  const queue: { how: Misbehaving; left: number }[] = [];

  function remove(entry: (typeof queue)[number]): void {
    const index = queue.indexOf(entry);
    if (index >= 0) queue.splice(index, 1);
  }

  return {
    add(how, times) {
      if (typeof how !== 'function') checkMisbehaviour(how);
      if (!(times === Number.POSITIVE_INFINITY || (Number.isInteger(times) && times > 0))) {
        throw new InvalidArgumentError(
          `The number of requests of misbehave() must be an integer of at least 1, or Infinity; found ${times}.`,
        );
      }
      const entry = { how, left: times };
      queue.push(entry);
      return () => remove(entry);
    },
    next(request) {
      for (const entry of queue) {
        const how = typeof entry.how === 'function' ? entry.how(request) : entry.how;
        if (how === undefined) continue;
        entry.left -= 1;
        if (entry.left === 0) remove(entry);
        checkMisbehaviour(how);
        return how;
      }
      return {};
    },
    clear() {
      queue.length = 0;
    },
  };
}

/** @throws InvalidArgumentError if it is not possible */
export function checkMisbehaviour(how: Misbehaviour): void {
  const names = Object.keys(how);
  const unknown = names.find((name) => !KNOWN.has(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`Unknown misbehaviour "${unknown}"; valid ones: ${[...KNOWN].join(', ')}.`);
  }
  const { status } = how;
  if (status !== undefined && !(Number.isInteger(status) && status >= 200 && status <= 599)) {
    throw new InvalidArgumentError(`"status" must be an integer from 200 to 599; found ${status}.`);
  }
  const ends = names.filter((name) => CONNECTION.includes(name));
  if (ends.length > 1)
    throw new InvalidArgumentError(`Use only one of ${CONNECTION.join(', ')}; found ${ends.join(' and ')}.`);
}

import { InvalidArgumentError } from '../../errors';
import type { ReceivedRequest } from './request';

/**
 * What is to go wrong with a response. The members combine; they are applied in the order in which they stand here.
 * Header names know no case. A response that streams is held in memory where its body is spoiled or cut off.
 */
export interface Misbehaviour {
  /** The request is not carried out: no handler sees it, nothing is sent or used. Answered by 500 `SYSTEM_ERROR`. */
  ignore?: true;
  /** Another status; from 400 on with an error of WeChat Pay's shape as its body. The request has been carried out. */
  status?: number;
  /** Another body, properly signed. */
  body?: string;
  /**
   * `wrong`: by another key; `probe`: WeChat Pay's `WECHATPAY/SIGNTEST/…`; `none`: no signature headers at all. Of v2 it
   * is the field `sign` that is wrong or missing; a `probe` is wrong.
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
  /** Changes the body after signing: `true` one byte of it, a text all of it. */
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

/** One misbehaviour, or a choice for each request; `undefined` lets that request be. */
export type Misbehaving = Misbehaviour | ((request: ReceivedRequest) => Misbehaviour | undefined);

/** What is still to go wrong, in order. */
export interface Misbehaviours {
  /** Returns what ends it before its times are up. */
  add(how: Misbehaving, times: number): () => void;
  /** Takes what is to go wrong with a request. */
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
        throw new InvalidArgumentError(`misbehave() takes a number of requests, 1 or more, not ${times}.`);
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

/** @throws InvalidArgumentError where it cannot be played */
export function checkMisbehaviour(how: Misbehaviour): void {
  const names = Object.keys(how);
  const unknown = names.find((name) => !KNOWN.has(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(`misbehave() does not know "${unknown}": it knows ${[...KNOWN].join(', ')}.`);
  }
  const { status } = how;
  if (status !== undefined && !(Number.isInteger(status) && status >= 200 && status <= 599)) {
    throw new InvalidArgumentError(`The status of a response is a number from 200 to 599, not ${status}.`);
  }
  const ends = names.filter((name) => CONNECTION.includes(name));
  if (ends.length > 1) throw new InvalidArgumentError(`A connection ends in one way, not by ${ends.join(' and ')}.`);
}

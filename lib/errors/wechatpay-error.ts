import type { OutcomeQuery } from './outcome-query';
import { printable } from './printable';

const BRAND = Symbol.for('wechatpay-undici.brand');
type Branded = { [BRAND]: symbol };

/**
 * The base class of all errors of this package.
 *
 * `instanceof` checks a brand rather than the prototype, so it works across two installed copies of the package.
 * The message, the enumerable members and the JSON of an error never contain a key or the body of a request. Control
 * characters in the message, which may come from a response, are escaped as `\u001b`.
 */
export abstract class WechatPayError extends Error {
  static {
    brand(this, 'WechatPayError');
  }

  /** A code that is stable between releases. */
  readonly code: string;

  /** How many times the request was sent, if it was retried. */
  declare readonly attempts?: number;

  /**
   * The query that tells the outcome, where that is unknown and the operation has such a query. Not where nothing was
   * sent, nor where the request lacks what the query needs.
   */
  declare readonly query?: OutcomeQuery;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(printable(message), options);
    this.code = code;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (!Object.hasOwn(this, BRAND)) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && (this as unknown as Branded)[BRAND] in value;
  }
}

/** Names a class of the family and brands its instances, across copies of the package. */
export function brand(errorClass: { prototype: object }, name: string): void {
  const mark = Symbol.for(`wechatpay-undici.${name}`);
  Object.defineProperty(errorClass, BRAND, { value: mark });
  Object.defineProperty(errorClass.prototype, mark, { value: true });
  Object.defineProperty(errorClass.prototype, 'name', { value: name, configurable: true, writable: true });
}

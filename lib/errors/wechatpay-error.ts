import type { OutcomeQuery } from './outcome-query';
import { printable } from './printable';

const BRAND = Symbol.for('wechatpay-undici.brand');
type Branded = { [BRAND]: symbol };

/**
 * The family that every error of this package belongs to.
 *
 * `instanceof` works by brand and not by prototype, so that it holds when two copies of the package are installed.
 * The text of an error, its enumerable members and its JSON never hold a key or the body of a request. Control characters
 * in its text, which a response may bring, are shown as `\u001b`.
 */
export abstract class WechatPayError extends Error {
  static {
    brand(this, 'WechatPayError');
  }

  /** What went wrong, as a token that stays the same between releases. */
  readonly code: string;

  /** How often the request was sent, where it was repeated. */
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

/** Names a class of the family and marks its instances, across copies of the package. */
export function brand(errorClass: { prototype: object }, name: string): void {
  const mark = Symbol.for(`wechatpay-undici.${name}`);
  Object.defineProperty(errorClass, BRAND, { value: mark });
  Object.defineProperty(errorClass.prototype, mark, { value: true });
  Object.defineProperty(errorClass.prototype, 'name', { value: name, configurable: true, writable: true });
}

import { createHash } from 'node:crypto';
import { keyOf } from '../store';
import { v2Fault } from '../wire/response';
import type { ProductContext } from './product';

/** The outcome of a payment by code. */
export interface CodeOutcome {
  /** The response of `micropay`, unless it is a paid order. */
  readonly fault?: readonly [err_code: string, err_code_des: string];
  /** Whether the money moves, whatever the response says. */
  readonly pays: boolean;
  /** The state of the order if it is not paid at once. */
  readonly leaves?: 'USERPAYING' | 'PAYERROR';
  /** What the user does {@link TYPING} after the request for the password. */
  readonly later?: 'pay' | 'cancel';
}

/** How long a user takes to type a password, or to give up, in milliseconds. */
export const TYPING = 10_000;

/** How long a code is valid, in milliseconds. */
const GOOD_FOR = 60_000;

/** More than 1,000 yuan, in fen, needs a password. */
const WITHOUT_PASSWORD = 100_000;

const PASSWORD = ['USERPAYING', '需要用户输入支付密码'] as const;

/** The outcome of the payment is unknown. */
export const UNKNOWN = ['SYSTEMERROR', '系统错误'] as const;

const PAID: CodeOutcome = { pays: true };

/** The user is asked for the password, and does nothing until a test says so. */
const ASKED: CodeOutcome = { fault: PASSWORD, pays: false, leaves: 'USERPAYING' };

/** The code of this ending has expired when it is scanned. */
const EXPIRED = '000004';

/**
 * Outcomes by the last six digits of a code, so that tests can choose: `134567890123000001` is the
 * code of a user who types the password after ten seconds. Any other code pays at once.
 */
const BY_ENDING: Readonly<Record<string, CodeOutcome>> = {
  '000001': { ...ASKED, later: 'pay' },
  // Until `sandbox.pay`, or until it is reversed or expires.
  '000002': ASKED,
  '000003': { ...ASKED, later: 'cancel' },
  '000005': { fault: ['NOTENOUGH', '余额不足'], pays: false, leaves: 'PAYERROR' },
  '000006': { fault: UNKNOWN, pays: true },
  '000007': { fault: ['BANKERROR', '银行系统异常'], pays: false, leaves: 'PAYERROR' },
  '000008': { fault: ['NOTSUPORTCARD', '不支持卡类型'], pays: false, leaves: 'PAYERROR' },
  '000009': { fault: ['TRADE_ERROR', '用户没有输入支付密码'], pays: false, leaves: 'PAYERROR' },
};

/** A code that was shown. */
interface ShownCode {
  /** When it was seen first. */
  readonly seen: number;
  /** The order that it has paid, or was to pay. */
  readonly out_trade_no?: string;
}

/** The payment codes (付款码) that merchants have scanned. */
export function createCodes({ store, clock }: Pick<ProductContext, 'store' | 'clock'>) {
  const table = store.table<ShownCode>('v2-codes');

  return {
    /** @throws v2Fault if the code is invalid, was used, or has expired */
    check(mchid: string, auth_code: string): void {
      if (!/^1[0-5]\d{16}$/.test(auth_code)) {
        throw v2Fault('AUTH_CODE_INVALID', '请扫描微信支付授权码(以10/11/12/13/14/15为前缀的18位数字)');
      }
      const shown = table.get(keyOf(mchid, auth_code));
      if (shown?.out_trade_no !== undefined) {
        throw v2Fault('AUTH_CODE_INVALID', '101 每个二维码仅限使用一次，请刷新再试');
      }
      const isOld = shown && clock.now() >= shown.seen + GOOD_FOR;
      if (isOld || auth_code.endsWith(EXPIRED)) {
        throw v2Fault('AUTHCODEEXPIRE', '二维码已过期，请用户在微信上刷新后再试');
      }
    },
    /** Remembers that a code was scanned, and not used: its minute has begun. */
    see(mchid: string, auth_code: string): void {
      const key = keyOf(mchid, auth_code);
      if (!table.get(key)) table.put(key, { seen: clock.now() });
    },
    /** Uses a code for an order. */
    use(mchid: string, auth_code: string, out_trade_no: string): void {
      table.put(keyOf(mchid, auth_code), { seen: clock.now(), out_trade_no });
    },
  };
}

export function outcomeOf(auth_code: string, total: number): CodeOutcome {
  return BY_ENDING[auth_code.slice(-6)] ?? (total > WITHOUT_PASSWORD ? ASKED : PAID);
}

/** The owner of the code, as known to an app. */
export function openidOf(appid: string, auth_code: string): string {
  return `o${createHash('sha256').update(`${appid}/${auth_code}`).digest('base64url').slice(0, 27)}`;
}

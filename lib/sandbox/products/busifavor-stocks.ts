import type { Response } from 'undici';
import type { RequestOf, ResponseOf } from '../../openapi/operation';
import { operation } from '../catalogue/operation';
import { keyOf, type Table } from '../store';
import { fault } from '../wire/response';
import { beijing, digits, notifyUrl } from './members';
import { createOnce, type Given, given, pageOf } from './once';
import type { ProductContext, ProductRoute } from './product';

/** The paths of its operations. */
const STOCKS = 'v3/marketing/busifavor/stocks';
const STOCK = 'v3/marketing/busifavor/stocks/{stock_id}';
const BUDGET = 'v3/marketing/busifavor/stocks/{stock_id}/budget';
const CODES = 'v3/marketing/busifavor/stocks/{stock_id}/couponcodes';
const CODE = 'v3/marketing/busifavor/stocks/{stock_id}/couponcodes/{coupon_code}';
const CALLBACKS = 'v3/marketing/busifavor/callbacks';

/** A stock (批次) of business coupons. */
export interface Stock {
  readonly mchid: string;
  /** As queries show it, without its counts. */
  readonly shown: Omit<ResponseOf<typeof STOCK, 'get'>, 'send_count_information' | 'coupon_code_count'>;
  /** How many coupons have been sent. */
  readonly sent: number;
  /** How many of them on that day. */
  readonly today: { readonly day: string; readonly sent: number };
  /** How many codes have been uploaded and not been deleted. */
  readonly uploaded: number;
}

/** A code that a merchant has uploaded. */
interface Code {
  readonly mchid: string;
  readonly stock_id: string;
  readonly code: string;
  readonly code_status: 'AVAILABLE' | 'DISPATCHED';
  readonly upload_time: string;
}

/** What coupons need from stocks. */
export interface Stocks {
  readonly routes: readonly ProductRoute[];
  /** @throws a 404 if it does not exist */
  find(mchid: string, stock_id: string): Stock;
  /** Creates the stock of WeChat Pay's documentation. */
  seed(mchid: string): void;
  /** Takes a coupon from a stock: for uploaded codes, the given one or the next. */
  dispatch(stock: Stock, code: string | undefined): string | undefined;
  /** Counts a coupon that has been sent. */
  count(stock: Stock): void;
  /** Where the merchant is notified. */
  callback(mchid: string): string | undefined;
}

/** The stock of WeChat Pay's documentation; its coupons are always valid. */
export const FIRST_STOCK = '100088';

export function businessCouponStocks({ store, clock }: ProductContext): Stocks {
  const stocks: Table<Stock> = store.table('coupon-stocks');
  const codes = store.table<Code>('coupon-codes', {
    indexes: {
      stock: ({ mchid, stock_id }) => keyOf(mchid, stock_id),
      status: ({ mchid, stock_id, code_status }) => keyOf(mchid, `${stock_id}/${code_status}`),
    },
  });
  const callbacks = store.table<{ readonly notify_url: string }>('coupon-callbacks');
  const numbers = store.table<{ readonly stock_id: string }>('coupon-stock-numbers');
  const patched = createOnce<object>(store, 'coupon-stock-patches');
  const budgeted = createOnce<ResponseOf<typeof BUDGET, 'patch'>>(store, 'coupon-stock-budgets');
  const uploads = createOnce<ResponseOf<typeof CODES, 'post'>>(store, 'coupon-code-uploads');
  const deletions = createOnce<ResponseOf<typeof CODE, 'delete'>>(store, 'coupon-code-deletions');

  const put = (stock: Stock): void => stocks.put(keyOf(stock.mchid, stock.shown.stock_id), stock);
  const codeKey = (mchid: string, stock_id: string, code: string): string => keyOf(mchid, `${stock_id}/${code}`);

  function find(mchid: string, stock_id: string): Stock {
    const stock = stocks.get(keyOf(mchid, stock_id));
    if (!stock) throw fault(404, 'RESOURCE_NOT_EXISTS', `There is no stock ${stock_id}.`);
    return stock;
  }

  function findUploading(mchid: string, stock_id: string): Stock {
    const stock = find(mchid, stock_id);
    const { coupon_code_mode } = stock.shown;
    if (coupon_code_mode === 'MERCHANT_UPLOAD') return stock;
    throw invalid(`The codes of the stock ${stock_id} are not uploaded: its coupon_code_mode is ${coupon_code_mode}.`);
  }

  function sentToday({ today }: Stock): number {
    return today.day === dayOf(clock.now()) ? today.sent : 0;
  }

  function show(stock: Stock): ResponseOf<typeof STOCK, 'get'> {
    const { shown, sent, uploaded } = stock;
    const amount = shown.coupon_use_rule.fixed_normal_coupon?.discount_amount ?? 0;
    const today = sentToday(stock);
    return {
      ...shown,
      ...(shown.coupon_code_mode === 'MERCHANT_UPLOAD' && {
        coupon_code_count: { total_count: uploaded, available_count: uploaded - sent },
      }),
      send_count_information: {
        ...{ total_send_num: sent, total_send_amount: sent * amount },
        ...{ today_send_num: today, today_send_amount: today * amount },
      },
    };
  }

  const routes = [
    operation('post', STOCKS, ({ mchid, json }) => {
      const { out_request_no, ...rule } = given(json);
      if (numbers.get(keyOf(mchid, out_request_no))) {
        throw fault(
          400,
          'RESOURCE_ALREADY_EXISTS',
          `The out_request_no ${out_request_no} has created a stock already.`,
        );
      }
      const { available_begin_time, available_end_time } = rule.coupon_use_rule.coupon_available_time;
      if (Date.parse(available_end_time) <= Date.parse(available_begin_time)) {
        throw invalid('available_end_time is not later than available_begin_time.');
      }
      const stock_id = `1${digits(15)}`;
      numbers.put(keyOf(mchid, out_request_no), { stock_id });
      put({ ...newStock(mchid), shown: { ...rule, stock_id, stock_state: 'RUNNING' } });
      return { stock_id, create_time: beijing(clock.now()) };
    }),
    operation('get', STOCK, ({ mchid, variables: { stock_id = '' } }) => show(find(mchid, stock_id))),
    operation('patch', STOCK, ({ mchid, variables: { stock_id = '' }, json }): undefined => {
      const stock = find(mchid, stock_id);
      const { out_request_no, coupon_use_rule, stock_send_rule, custom_entrance, ...rest } = given(json);
      patched(mchid, out_request_no, json, () => {
        const { shown } = stock;
        put({
          ...stock,
          shown: {
            ...{ ...shown, ...rest, ...withEntrance(shown.custom_entrance, custom_entrance) },
            coupon_use_rule: { ...shown.coupon_use_rule, ...coupon_use_rule },
            stock_send_rule: { ...shown.stock_send_rule, ...stock_send_rule },
          },
        });
        return {};
      });
    }),
    operation('patch', BUDGET, ({ mchid, variables: { stock_id = '' }, json }) =>
      budgeted(mchid, json.modify_budget_request_no, json, () => {
        const stock = find(mchid, stock_id);
        const { max_coupons = 0, max_coupons_by_day, ...rule } = stock.shown.stock_send_rule;
        const { current_max_coupons, target_max_coupons = max_coupons } = json;
        const { current_max_coupons_by_day, target_max_coupons_by_day = max_coupons_by_day } = json;
        for (const [name, told, is] of [
          ['current_max_coupons', current_max_coupons, max_coupons],
          ['current_max_coupons_by_day', current_max_coupons_by_day, max_coupons_by_day ?? 0],
        ] as const) {
          if (told !== undefined && told !== is) throw invalid(`${name} is ${told}, but the stock has ${is}.`);
        }
        if (target_max_coupons < stock.sent)
          throw invalid(`${stock.sent} coupons of the stock have been sent already.`);
        const after = {
          max_coupons: target_max_coupons,
          ...(target_max_coupons_by_day !== undefined && { max_coupons_by_day: target_max_coupons_by_day }),
        };
        put({ ...stock, shown: { ...stock.shown, stock_send_rule: { ...rule, ...after } } });
        return after;
      }),
    ),

    operation('post', CODES, ({ mchid, variables: { stock_id = '' }, json }) => {
      const { coupon_code_list = [], upload_request_no } = given(json);
      const stock = findUploading(mchid, stock_id);
      return uploads(mchid, `${stock_id}/${upload_request_no}`, json, () => {
        const now = beijing(clock.now());
        const different = [...new Set(coupon_code_list)];
        const fresh = different.filter((code) => !codes.get(codeKey(mchid, stock_id, code)));
        for (const code of fresh) {
          const value: Code = { mchid, stock_id, code, code_status: 'AVAILABLE', upload_time: now };
          codes.put(codeKey(mchid, stock_id, code), value);
        }
        put({ ...stock, uploaded: stock.uploaded + fresh.length });
        return {
          ...{ stock_id, total_count: coupon_code_list.length, success_count: fresh.length, success_codes: fresh },
          ...{ success_time: now, fail_count: 0 },
          exist_codes: different.filter((code) => !fresh.includes(code)),
          duplicate_codes: coupon_code_list.filter((code, index) => coupon_code_list.indexOf(code) !== index),
        };
      });
    }),
    operation('get', CODES, ({ mchid, variables: { stock_id = '' }, query }) => {
      findUploading(mchid, stock_id);
      const status = query.get('status');
      const all =
        status === null
          ? codes.by('stock', keyOf(mchid, stock_id))
          : codes.by('status', keyOf(mchid, `${stock_id}/${status}`));
      const { data, ...page } = pageOf(all, query);
      return { stock_id, ...page, data: data.map(showCode) };
    }),
    operation('get', CODE, ({ mchid, variables: { stock_id = '', coupon_code = '' } }) => {
      const code = codes.get(codeKey(mchid, findUploading(mchid, stock_id).shown.stock_id, coupon_code));
      if (!code) throw fault(404, 'RESOURCE_NOT_EXISTS', `The stock ${stock_id} has no code ${coupon_code}.`);
      return { code_information: showCode(code) };
    }),
    operation('delete', CODE, ({ mchid, variables: { stock_id = '', coupon_code = '' }, query }) => {
      const stock = findUploading(mchid, stock_id);
      const number = query.get('delete_request_no') ?? '';
      return deletions(mchid, number, { stock_id, coupon_code }, () => {
        const key = codeKey(mchid, stock_id, coupon_code);
        const code = codes.get(key);
        if (!code) throw fault(404, 'RESOURCE_NOT_EXISTS', `The stock ${stock_id} has no code ${coupon_code}.`);
        if (code.code_status !== 'AVAILABLE') throw invalid(`The code ${coupon_code} has been sent already.`);
        codes.delete(key);
        put({ ...stock, uploaded: stock.uploaded - 1 });
        return { stock_id, delete_time: beijing(clock.now()) };
      });
    }),

    operation('post', CALLBACKS, ({ mchid: signer, json: { mchid = signer, notify_url } }) => {
      if (mchid !== signer) throw fault(403, 'NOAUTH', `The merchant ${signer} cannot set the callback of ${mchid}.`);
      callbacks.put(keyOf(mchid, 'callback'), { notify_url: notifyUrl(notify_url) });
      return { mchid, notify_url, update_time: beijing(clock.now()) };
    }),
    operation('get', CALLBACKS, ({ mchid: signer, query }) => {
      const mchid = query.get('mchid') ?? signer;
      const callback = mchid === signer ? callbacks.get(keyOf(mchid, 'callback')) : undefined;
      if (!callback) throw fault(404, 'RESOURCE_NOT_EXISTS', `The merchant ${mchid} has set no callback.`);
      return { mchid, ...callback };
    }),
  ];

  return {
    routes,
    find,
    seed(mchid) {
      if (!stocks.get(keyOf(mchid, FIRST_STOCK))) put({ ...newStock(mchid), shown: firstStock(mchid) });
    },
    dispatch(stock, coupon_code) {
      const { mchid, shown, sent } = stock;
      const { stock_id, coupon_code_mode, stock_send_rule, coupon_use_rule } = shown;
      const { max_coupons = Infinity, max_coupons_by_day = Infinity } = stock_send_rule;
      if (Date.parse(coupon_use_rule.coupon_available_time.available_end_time) <= clock.now()) {
        throw fault(403, 'RULELIMIT', `The stock ${stock_id} has ended.`);
      }
      if (sent >= max_coupons) throw fault(403, 'RULELIMIT', `All ${max_coupons} coupons of the stock have been sent.`);
      if (sentToday(stock) >= max_coupons_by_day) {
        throw fault(403, 'RULELIMIT', `All ${max_coupons_by_day} coupons of today have been sent.`);
      }
      if (coupon_code_mode !== 'MERCHANT_UPLOAD') {
        if ((coupon_code_mode === 'MERCHANT_API') === (coupon_code !== undefined)) return coupon_code;
        throw invalid(
          coupon_code === undefined
            ? `The stock ${stock_id} is one of coupon_code_mode MERCHANT_API: send it with a coupon_code.`
            : `WeChat Pay makes the codes of the stock ${stock_id} (coupon_code_mode WECHATPAY_MODE): send it without.`,
        );
      }
      const next = coupon_code === undefined ? codes.by('status', keyOf(mchid, `${stock_id}/AVAILABLE`))[0] : undefined;
      const code = coupon_code === undefined ? next : codes.get(codeKey(mchid, stock_id, coupon_code));
      if (code?.code_status !== 'AVAILABLE') {
        throw invalid(`The stock ${stock_id} has no code ${coupon_code ?? ''} left; upload some.`);
      }
      codes.put(codeKey(mchid, stock_id, code.code), { ...code, code_status: 'DISPATCHED' });
      return code.code;
    },
    count(stock) {
      const today = { day: dayOf(clock.now()), sent: sentToday(stock) + 1 };
      put({ ...stock, sent: stock.sent + 1, today });
    },
    callback: (mchid) => callbacks.get(keyOf(mchid, 'callback'))?.notify_url,
  };
}

function showCode({ code, code_status, upload_time }: Code) {
  return { code, coupon_code: code, code_status, upload_time };
}

type Entrance = Stock['shown']['custom_entrance'];

/** The entrance of a stock after a partial change; a mini program needs all of its members. */
function withEntrance(
  before: Entrance,
  change: Given<RequestOf<typeof STOCK, 'patch'>['json']['custom_entrance']>,
): { custom_entrance?: NonNullable<Entrance> } {
  if (!change) return {};
  const { mini_programs_info: changed, ...rest } = change;
  const program = { ...before?.mini_programs_info, ...changed };
  const { mini_programs_appid, mini_programs_path, entrance_words } = program;
  const info = mini_programs_appid !== undefined &&
    mini_programs_path !== undefined &&
    entrance_words !== undefined && {
      mini_programs_info: { ...program, mini_programs_appid, mini_programs_path, entrance_words },
    };
  return { custom_entrance: { ...before, ...rest, ...info } };
}

function newStock(mchid: string): Omit<Stock, 'shown'> {
  return { mchid, sent: 0, today: { day: '', sent: 0 }, uploaded: 0 };
}

function firstStock(mchid: string): Stock['shown'] {
  return {
    ...{ stock_id: FIRST_STOCK, stock_name: '8月1日活动券', belong_merchant: mchid, goods_name: '填写商品信息' },
    ...{ comment: '活动使用', stock_type: 'NORMAL', stock_state: 'RUNNING', coupon_code_mode: 'WECHATPAY_MODE' },
    coupon_use_rule: {
      coupon_available_time: {
        available_begin_time: '2015-01-01T00:00:00+08:00',
        available_end_time: '2099-12-31T23:59:59+08:00',
      },
      fixed_normal_coupon: { discount_amount: 5, transaction_minimum: 100 },
      use_method: 'OFF_LINE',
    },
    stock_send_rule: { max_coupons: 1_000_000_000, max_coupons_per_user: 100 },
  };
}

/** A day in Beijing. */
function dayOf(time: number): string {
  return beijing(time).slice(0, 10);
}

function invalid(message: string): Response {
  return fault(400, 'INVALID_REQUEST', message);
}

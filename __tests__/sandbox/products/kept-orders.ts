import { copyFile, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sandbox } from 'wechatpay-undici/sandbox';

export const appid = 'wx8888888888888888';

/** A paid order of whatever product as the sandbox keeps it; what is not given is that of a plain one. */
export const keptOrder = (out_trade_no: string, transaction_id: string, time: number, more: object = {}) => ({
  ...{ mchid: '1900000109', protocol: 'v3', out_trade_no, placed: {}, trade_type: 'JSAPI', trade_state: 'SUCCESS' },
  ...{ appid, description: '茶', total: 100, currency: 'CNY', openid: 'openid-1', prepay_id: `wx${out_trade_no}` },
  ...{ profit_sharing: false, created: time, expires: time },
  payment: { transaction_id, bank_type: 'OTHERS', time, payer_total: 100 },
  ...more,
});

/**
 * What a sandbox begins with: orders of products that the test is not about, and keys that are made once.
 * @returns a function that gives the path of a journal, another one each time
 */
export async function journalOf(orders: ReturnType<typeof keptOrder>[]): Promise<() => Promise<string>> {
  const directory = await mkdtemp(join(tmpdir(), 'sandbox-'));
  const first = join(directory, 'journal');
  const changes = orders.map((order) => ['orders', `${order.mchid}/${order.protocol}/${order.out_trade_no}`, order]);
  await writeFile(first, `{"journal":"wechatpay-undici sandbox","version":1}\n${JSON.stringify(changes)}\n`);
  await (await Sandbox.start({ journal: first })).close();
  let count = 0;
  return async () => {
    const path = `${first}-${++count}`;
    await copyFile(first, path);
    return path;
  };
}

/**
 * Downloads a trade bill (交易账单) and reads it row by row. WeChat Pay does not sign files; a bill can be trusted because
 * its hash comes in a signed response and is checked during the download.
 *
 * It talks to an in-process sandbox.
 */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { BodyError, Builder, checkDigest, parseBill } from 'wechatpay-undici';
import { Sandbox } from 'wechatpay-undici/sandbox';

const BILL = `\uFEFF交易时间,微信订单号,商户订单号,应结订单金额,商品名称
\`2026-11-22 10:37:12,\`4200000001,\`ORDER-1,\`0.01,\`公仔, 小
\`2026-11-22 11:02:45,\`4200000002,\`ORDER-2,\`99.00,\`公仔, 大
总交易单数,应结订单总金额,退款总金额
\`2,\`99.01,\`0.00
`;

async function main(): Promise<void> {
  await using sandbox = await Sandbox.start();
  sandbox.on('get', 'v3/bill/tradebill', () => ({
    hash_type: 'SHA1',
    hash_value: createHash('sha1').update(BILL).digest('hex'),
    download_url: `${sandbox.url}v3/billdownload/file?token=1`,
  }));
  sandbox.on('get', 'v3/billdownload/file', () => new Response(gzipSync(BILL)), { signed: false });
  const instance = Builder.factory(sandbox.config);

  const { download_url, ...hash } = await instance.v3.bill.tradebill
    .get({ query: { bill_date: '2026-11-22', tar_type: 'GZIP' } })
    .json();
  const digest = { ...hash, tar_type: 'GZIP' };

  const { body } = await instance.chain(download_url).get();
  const bill = parseBill(checkDigest(body, digest));
  for await (const row of bill) console.log(row.商户订单号, row.应结订单金额, row.商品名称);
  console.log('summary:', bill.summary);

  // The same as a call option. If the hash does not match, the file errors at its end.
  digest.hash_value = createHash('sha1').update('another bill').digest('hex');
  const error = await instance
    .chain(download_url)
    .get({ digest })
    .text()
    .catch((error) => error);
  console.log('another bill:', error instanceof BodyError, error.code);
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

import { diagnose } from '../../scripts/check-calls/diagnose';

const preamble = `import type { RequestOf, ResponseOf } from '../../lib/openapi/operation';
import type { KnownNotification } from '../../lib/notification';
import type { NotificationOf } from '../../lib/openapi/notification';
import type { Download } from '../../lib/openapi/response';
import type { HeldBy } from '../../lib/openapi/text';
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._: Same<A, B> extends true ? [] : [never]): void {}
declare const notification: KnownNotification;`.split('\n');

const holds = [
  `same<RequestOf<'v3/pay/transactions/native', 'post'>['json']['amount']['total'], number>();`,
  `same<RequestOf<'v3/pay/transactions/id/{transaction_id}', 'get'>['transaction_id'], string | number>();`,
  `same<RequestOf<'v3/pay/transactions/id/{transaction_id}', 'get'>['query']['mchid'], string>();`,
  `same<RequestOf<'v2/secapi/mch/{addinstitutionsub}', 'post'>['addinstitutionsub'], 'addInstitutionsub'>();`,
  `same<RequestOf<'v3/merchant/media/upload', 'post'>['signal'], AbortSignal | undefined>();`,
  `same<ResponseOf<'v3/pay/transactions/native', 'post'>['code_url'], string>();`,
  `same<ResponseOf<'v2/pay/unifiedorder', 'post'>['prepay_id'], string>();`,
  `same<ResponseOf<'v2/secapi/pay/refund', 'post'>['total_fee'], \`\${number}\`>();`,
  `same<ResponseOf<'v3/pay/transactions/out-trade-no/{out_trade_no}/close', 'post'>, undefined>();`,
  `same<ResponseOf<'v3/billdownload/file', 'get'>, Download>();`,
  `same<HeldBy<NonNullable<ResponseOf<'v2/pay/orderquery', 'post'>['promotion_detail']>> extends object ? 1 : 0, 1>();`,
  `same<NotificationOf<'TRANSACTION.SUCCESS'>['event_type'], 'TRANSACTION.SUCCESS'>();`,
  `same<NotificationOf<'TRANSACTION.SUCCESS'>['resource']['out_trade_no'], string | undefined>();`,
  `same<NotificationOf<'COMPLAINT.CREATE'>['resource']['complaint_id'], string>();`,
  `same<NotificationOf<'v2/refund-processed'>['resource']['out_trade_no'], string | undefined>();`,
  // Every member of every alternative can be read, whichever it is.
  `const { resource: paid } = {} as NotificationOf<'TRANSACTION.SUCCESS'>;`,
  `same<typeof paid.mchid, string | undefined>();`,
  `[paid.amount?.total, paid.amount?.payer_total, paid.amount?.currency, paid.payer?.openid, paid.trade_type];`,
  `[paid.sub_orders?.[0]?.amount, paid.combine_out_trade_no, paid.receiver?.amount, paid.parking_info, paid.sp_mchid];`,
  // A member that one of them alone has tells which it is.
  `if (paid.combine_appid) same<typeof paid.sub_orders extends undefined ? 1 : 0, 0>();`,
  `if (paid.receiver) [paid.order_id.at(0), paid.out_order_no.at(0)];`,
  `if (paid.trade_scene !== undefined) [paid.amount.total, paid.description.at(0)];`,
  `if (paid.mchid !== undefined && paid.amount) same<typeof paid.amount.total, number | undefined>();`,
  `{ const { resource: sent } = {} as NotificationOf<'MCHWITHDRAW.CHANGE'>; [sent.total_amount, sent.solution, sent.bank_name]; }`,
  `{ const { resource: back } = {} as NotificationOf<'REFUND.SUCCESS'>; [back.amount?.refund, back.mchid, back.out_refund_no]; }`,
  // A brand's, and what many read.
  `same<RequestOf<'brand/store/brandstores/{store_id}', 'delete'>['store_id'], string | number>();`,
  `same<ResponseOf<'v3/pay/transactions/id/{transaction_id}', 'get'>['mchid'], string>();`,
  `if (notification.event_type === 'COMPLAINT.CREATE') same<(typeof notification)['resource']['complaint_id'], string>();`,
];

const fails = [
  `type A = RequestOf<'v3/pay/transactions/native', 'get'>; same<A, 0>();`,
  `type B = ResponseOf<'v3/no/such/path', 'get'>; same<B, 0>();`,
  `type C = NotificationOf<'NO.SUCH'>; same<C, 0>();`,
  `notification.resource.complaint_id;`,
  `({} as NotificationOf<'TRANSACTION.SUCCESS'>).resource.no_such_member;`,
  `same<RequestOf<'v3/pay/transactions/native', 'post'>['json']['amount']['total'], string>();`,
];

test('types by path and verb, and notifications by name', () => {
  const lines = [...preamble, ...holds, ...fails];
  const [messages = []] = diagnose([lines]);
  expect(lines.filter((_, index) => messages[index] !== undefined)).toEqual(fails);
});

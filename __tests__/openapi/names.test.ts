import { diagnose } from '../../scripts/check-calls/diagnose';

const preamble = `import type { RequestOf, ResponseOf } from '../../lib/openapi/operation';
import type { Notification, NotificationOf } from '../../lib/openapi/notification';
import type { Download } from '../../lib/openapi/response';
import type { HeldBy } from '../../lib/openapi/text';
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(..._: Same<A, B> extends true ? [] : [never]): void {}
declare const notification: Notification;`.split('\n');

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
  `if (notification.event_type === 'COMPLAINT.CREATE') same<(typeof notification)['resource']['complaint_id'], string>();`,
];

const fails = [
  `type A = RequestOf<'v3/pay/transactions/native', 'get'>; same<A, 0>();`,
  `type B = ResponseOf<'v3/no/such/path', 'get'>; same<B, 0>();`,
  `type C = NotificationOf<'NO.SUCH'>; same<C, 0>();`,
  `notification.resource.complaint_id;`,
  `same<RequestOf<'v3/pay/transactions/native', 'post'>['json']['amount']['total'], string>();`,
];

test('types by path and verb, and notifications by name', () => {
  const lines = [...preamble, ...holds, ...fails];
  const [messages = []] = diagnose([lines]);
  expect(lines.filter((_, index) => messages[index] !== undefined)).toEqual(fails);
});

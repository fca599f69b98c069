import { compileEach } from '../openapi/compile';

const OPERATION = `import('../../lib/sandbox/catalogue/operation')`;
const handler = (path: string, verb: string, body: string) =>
  `{ const handler: ${OPERATION}.HandlerOf<'${path}', '${verb}'> = () => (${body}); void handler; }`;
const notify = (name: string, content: string) =>
  `void ({} as import('../../lib/sandbox/notifications/notify').Notifier).notify({ kind: 'merchant', id: '1' }, '${name}', ${content}, '');`;

test('what the sandbox returns and sends by itself has the types of the catalogue', () => {
  const right = [
    handler('v3/pay/transactions/native', 'post', `{ code_url: '' }`),
    handler('v3/pay/transactions/native', 'post', `Promise.resolve({ code_url: '' })`),
    handler('v3/pay/transactions/out-trade-no/{out_trade_no}/close', 'post', 'undefined'),
    notify('TRANSACTION.SUCCESS', `{ out_trade_no: '' }`),
    notify('A.NEW.ONE', `{ any: 'thing' }`),
  ];
  const wrong = [
    handler('v3/pay/transactions/native', 'post', `{ code_urll: '' }`),
    handler('v3/pay/transactions/native', 'post', `{ code_url: 1 }`),
    handler('v3/pay/transactions/out-trade-no/{out_trade_no}/close', 'post', `{ code_url: '' }`),
    handler('v3/pay/transactions/native', 'get', `{ code_url: '' }`),
    notify('TRANSACTION.SUCCESS', '{}'),
    notify('TRANSACTION.SUCCESS', `{ out_trade_no: 1 }`),
    notify('COMPLAINT.CREATE', `{ complaint_id: '' }`),
  ];
  const found = compileEach([...right, ...wrong]);
  expect(found.slice(0, right.length)).toEqual(right.map(() => undefined));
  expect(wrong.filter((_, index) => found[right.length + index] === undefined)).toEqual([]);
});

import { TRAITS } from '../../../lib/openapi/generated/traits';
import { notifications, operations } from '../../../lib/sandbox/catalogue';
import { everyOperation, nameOf } from './support';

const protocolOf = (protocol: string) => (protocol === 'v2' ? 'v2' : 'v3');

test('all operations are there, and all notifications', () => {
  const counts: Record<string, number> = {};
  for (const { protocol } of everyOperation()) counts[protocol] = (counts[protocol] ?? 0) + 1;
  expect(counts).toEqual({ v2: 129, v3: 1019, brand: 68 });
  expect(notifications.names()).toHaveLength(112);
  expect(notifications.fact('TRANSACTION.SUCCESS')?.resource.map(({ name }) => name)).toContain('out_trade_no');
  expect(notifications.fact('v2/refund-processed')?.protocol).toBe('v2');
  expect(notifications.fact('NO.SUCH')).toBeUndefined();
});

test('every operation is found at each of its addresses, with its variables', () => {
  const wrong = everyOperation().flatMap((operation) =>
    operation.addresses.flatMap((address) => {
      const expected: Record<string, string> = {};
      const path = address.replace(/\{([^}]+)\}/g, (_, name: string) => {
        expected[name] = `a/${name} 茶`;
        return encodeURIComponent(`a/${name} 茶`);
      });
      const { match } = operations.match(protocolOf(operation.protocol), operation.verb.toUpperCase(), path);
      const isSame = match?.operation === operation && JSON.stringify(match.variables) === JSON.stringify(expected);
      return isSame ? [] : [`${nameOf(operation)}: ${match && nameOf(match.operation)}`];
    }),
  );
  // Two operations differ by the name of a variable alone: a number is the platform's, any other text the merchant's.
  const cancel = 'v3/apply4subject/applyment/';
  expect(wrong).toEqual([`post ${cancel}{applyment_id}/cancel: post ${cancel}{business_code}/cancel`]);
  const { match } = operations.match('v3', 'POST', `/${cancel}2000002124775691/cancel`);
  expect(match?.variables).toEqual({ applyment_id: '2000002124775691' });
});

test('the addresses of other roots are known with them and without', () => {
  for (const path of ['/v3/statements', '/hk/v3/statements']) {
    expect(operations.match('v3', 'GET', path).match?.operation.path).toBe('v3/statements');
  }
  expect(operations.match('v3', 'GET', '/invoicing/fapiao/fapiao-file').match?.operation.path).toBe(
    'v3/new-tax-control-fapiao/download',
  );
});

test('a literal segment goes before a variable, and gives way where it leads nowhere', () => {
  const at = (path: string) => operations.match('v3', 'GET', path).match;
  expect(at('/v3/marketing/favor/stocks/7/merchants')?.operation.path).toBe(
    'v3/marketing/favor/stocks/{stock_id}/merchants',
  );
  const literals = everyOperation().filter(
    (one) => one.protocol !== 'v2' && one.verb === 'get' && !one.path.includes('{'),
  );
  for (const { path } of literals) expect(at(`/${path}`)?.operation.path).toBe(path);
});

test('of a path that is there with other verbs, these are named', () => {
  expect(operations.match('v3', 'GET', '/v3/pay/transactions/native')).toEqual({ match: undefined, verbs: ['post'] });
  const { verbs } = operations.match('v3', 'PUT', '/v3/profitsharing/orders');
  expect(verbs).toEqual(['post']);
  for (const path of ['/v3/no/such', '/', '', '/v3', '/v3/pay/transactions/native/', '/v3/pay/transactions/id/']) {
    expect(operations.match('v3', 'GET', path)).toEqual({ match: undefined, verbs: [] });
  }
  // The two protocols do not see each other.
  expect(operations.match('v3', 'POST', '/pay/unifiedorder').match).toBeUndefined();
  expect(operations.match('v2', 'POST', '/pay/unifiedorder').match?.operation.path).toBe('v2/pay/unifiedorder');
});

test('a segment that cannot be decoded is taken as it stands', () => {
  expect(operations.match('v3', 'GET', '/v3/pay/transactions/id/%zz').match?.variables).toEqual({
    transaction_id: '%zz',
  });
});

test('the facts are of the same catalogue as the traits that the client has', () => {
  const known = new Map(everyOperation().map((operation) => [nameOf(operation), operation.fact]));
  const traits = Object.values(TRAITS).flatMap((read) => Object.entries(read()));
  expect(traits.length).toBeGreaterThan(500);
  const wrong = traits.filter(([name, { download, upload, redirect }]) => {
    const fact = known.get(name);
    const isSame =
      fact?.upload === upload &&
      fact?.download === download &&
      fact?.redirect === (redirect === undefined ? undefined : true);
    return !isSame;
  });
  expect(wrong.map(([name]) => name).filter((name) => !/\{(\w+institutionsub|empty)\}$/.test(name))).toEqual([]);
});

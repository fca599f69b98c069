import { connectionFailed, neverConnected } from '../../lib/middleware/connection-failure';

const error = (code: string, syscall?: string) => Object.assign(new Error(code), { code, ...(syscall && { syscall }) });

const CONNECTING: [string, string][] = [
  ['ECONNREFUSED', 'connect'],
  ['ENOTFOUND', 'getaddrinfo'],
  ['EAI_AGAIN', 'getaddrinfo'],
  ['EHOSTUNREACH', 'connect'],
  ['ENETUNREACH', 'connect'],
  ['ETIMEDOUT', 'connect'],
  ['EADDRNOTAVAIL', 'connect'],
  ['UND_ERR_CONNECT_TIMEOUT', ''],
  ['UND_ERR_DESTROYED', ''],
  ['ERR_TLS_CERT_ALTNAME_INVALID', ''],
  ['CERT_HAS_EXPIRED', ''],
];
const KERNEL = ['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EHOSTDOWN', 'ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT'];

test.each(CONNECTING)('%s, of %s, before the start: there was no connection', (code, syscall) => {
  expect(neverConnected(error(code, syscall), false)).toBe(true);
});

test.each(CONNECTING)('%s, of %s, after the start: bytes may have left', (code, syscall) => {
  expect(neverConnected(error(code, syscall), true)).toBe(false);
});

test.each(KERNEL.flatMap((code) => ['read', 'write'].map((syscall) => [syscall, code] as const)))(
  '%s %s comes from a connection, even where no start was seen',
  (syscall, code) => {
    expect(neverConnected(error(code, syscall), false)).toBe(false);
  },
);

test.each(['UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ECONNRESET', 'EPIPE', 'SOMETHING'])(
  '%s alone does not say that there was none',
  (code) => {
    expect(neverConnected(error(code), false)).toBe(false);
  },
);

test('of several addresses, all must have failed so', () => {
  const refused = error('ECONNREFUSED', 'connect');
  const all = new AggregateError([refused, error('ENETUNREACH', 'connect')]);
  expect([neverConnected(all, false), connectionFailed(all)]).toEqual([true, true]);
  const some = new AggregateError([refused, error('EHOSTUNREACH', 'read')]);
  expect(neverConnected(some, false)).toBe(false);
});

test.each([null, undefined, '', 0, 'ECONNREFUSED', {}, new AggregateError([])])('%p is no such error', (value) => {
  expect([neverConnected(value, false), connectionFailed(value)]).toEqual([false, false]);
});

import { inspect } from 'node:util';
import * as errors from '../../lib/errors';

const { ApiError, BodyError, ConfigurationError, InvalidArgumentError } = errors;
const { SignatureError, TimeoutError, TransportError, WechatPayError } = errors;

const cause = new Error('below');
const apiError = new ApiError({
  request: 'POST /v3/x',
  status: 400,
  code: 'PARAM_ERROR',
  message: '参数错误',
  requestId: '0ABC',
  headers: new Headers({ 'x-secret': 'SENSITIVE' }),
  body: '{"detail":"SENSITIVE"}',
  detail: { value: 'SENSITIVE' },
  cause,
});

// The names of the classes below are their keys.
const classes = { ...errors } as unknown as Record<string, typeof Error>;
const family: [string, string, Error][] = [
  ['ApiError', 'PARAM_ERROR', apiError],
  ['BodyError', 'ERR_BODY_NOT_JSON', new BodyError('ERR_BODY_NOT_JSON', 'm', { cause })],
  ['ConfigurationError', 'ERR_CONFIGURATION', new ConfigurationError('m', { cause })],
  ['InvalidArgumentError', 'ERR_INVALID_ARGUMENT', new InvalidArgumentError('m', { cause })],
  ['SignatureError', 'ERR_SIGNATURE_WRONG', new SignatureError('ERR_SIGNATURE_WRONG', 'm', { cause })],
  ['TimeoutError', 'ERR_TIMEOUT', new TimeoutError('m', { cause })],
  ['TransportError', 'ERR_TRANSPORT', new TransportError('m', { cause })],
];

test.each(family)('%s has its name, its code %s, its cause', (name, code, error) => {
  expect(error).toMatchObject({ name, code, cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toBeInstanceOf(WechatPayError);
  expect(error.stack).toContain(name);
  expect(Object.keys(error)).not.toContain('name');
});

test('no class takes another for its own', () => {
  for (const [name, , error] of family) {
    const claimants = family.filter(([other]) => error instanceof (classes[other] ?? Array)).map(([other]) => other);
    expect(claimants).toEqual([name]);
  }
});

test.each([[null], [undefined], ['text'], [{}], [new Error('x')]])('%p is none of the family', (value) => {
  expect(value instanceof WechatPayError).toBe(false);
});

test('instanceof holds across two copies of the package, and for subclasses of users', () => {
  jest.isolateModules(() => {
    const copy = require('../../lib/errors') as typeof errors;
    expect(copy.ApiError).not.toBe(ApiError);
    expect(apiError).toBeInstanceOf(copy.ApiError);
    expect(apiError).toBeInstanceOf(copy.WechatPayError);
    expect(apiError).not.toBeInstanceOf(copy.TimeoutError);
  });
  class Own extends TransportError {}
  expect(new Own('m')).toBeInstanceOf(Own);
  expect(new Own('m')).toBeInstanceOf(TransportError);
  expect(new TransportError('m')).not.toBeInstanceOf(Own);
});

test('an ApiError tells all to its caller and prints nothing that may repeat what was sent', () => {
  expect(apiError).toMatchObject({ status: 400, requestId: '0ABC', request: 'POST /v3/x', message: '参数错误' });
  expect(apiError.detail).toEqual({ value: 'SENSITIVE' });
  expect(apiError.body).toContain('SENSITIVE');
  expect(apiError.headers.get('x-secret')).toBe('SENSITIVE');
  for (const text of [
    inspect(apiError, { depth: Infinity, showHidden: true }),
    JSON.stringify(apiError),
    apiError.stack,
  ]) {
    expect(text).not.toContain('SENSITIVE');
  }
  expect(inspect(apiError)).toContain('0ABC');
});

test('a SignatureError says whether it is a probe, which serial, which request', () => {
  const error = new SignatureError('ERR_SIGNATURE_SERIAL', 'm', { probe: true, serial: 'S', requestId: 'R' });
  expect(error).toMatchObject({ probe: true, serial: 'S', requestId: 'R' });
  expect(new SignatureError('ERR_SIGNATURE_SERIAL', 'm')).toMatchObject({ probe: false, serial: undefined });
});

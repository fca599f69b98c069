import { channel } from 'node:diagnostics_channel';
import { Connecting } from '../../lib/middleware/connect-timeout';

/** A clock that the test sets. */
let now = 1000;
beforeAll(() => {
  jest.spyOn(performance, 'now').mockImplementation(() => now);
});
afterAll(() => jest.restoreAllMocks());

const ORIGIN = 'https://host:8443';
const connect = () => channel('undici:client:beforeConnect').publish({});

function running(origin = ORIGIN) {
  const one = new Connecting(origin);
  one.run();
  return one;
}

test('the time counts from when the last request that ran ended, not from when the request began to wait', () => {
  const [first, second] = [running(), running()];
  const connecting = new Connecting(ORIGIN);
  now += 500;
  expect(connecting.elapsed()).toBe(0);
  first.end();
  now += 500;
  expect(connecting.elapsed()).toBe(0);
  second.end();
  now += 30;
  expect(connecting.elapsed()).toBe(30);
  // That another stops waiting, or ends again, changes nothing.
  new Connecting(ORIGIN).end();
  second.end();
  now += 30;
  expect(connecting.elapsed()).toBe(60);
  connecting.end();
});

test('it counts from the start where nothing runs at that origin', () => {
  const other = running('https://other');
  const connecting = new Connecting(ORIGIN);
  now += 40;
  expect(connecting.elapsed()).toBe(40);
  for (const one of [connecting, other]) one.end();
});

test('and where undici connects for the request itself', () => {
  const first = running();
  const own = new Connecting(ORIGIN);
  own.watch(connect);
  const other = new Connecting(ORIGIN);
  other.watch(() => {});
  connect();
  now += 40;
  expect([own.elapsed(), other.elapsed()]).toEqual([40, 0]);
  for (const one of [own, other, first]) one.end();
});

test('no listener stays behind, not even where dispatching throws', () => {
  const connecting = new Connecting(ORIGIN);
  expect(() =>
    connecting.watch(() => {
      throw new Error('thrown');
    }),
  ).toThrow('thrown');
  expect(channel('undici:client:beforeConnect').hasSubscribers).toBe(false);
  connecting.end();
});

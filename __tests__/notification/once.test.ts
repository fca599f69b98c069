import { setTimeout as sleep } from 'node:timers/promises';
import { processOnce } from '../../lib/notification/once';
import { memoryStore, type NotificationStore } from '../../lib/notification/store';

afterEach(() => void jest.useRealTimers());

function fakeClock() {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
}

/** A store that several processes share, and what it was asked. */
function sharedStore() {
  const memory = memoryStore();
  const asked: [string, number][] = [];
  const store: NotificationStore = {
    claim: async (id, ttl) => {
      await new Promise(setImmediate);
      asked.push([id, ttl]);
      return memory.claim(id, ttl);
    },
  };
  return { store, asked };
}

const ignore = () => {};

test('what is done stays claimed for 25 hours, an attempt for 10 seconds', async () => {
  const { store, asked } = sharedStore();
  expect(await processOnce(store, ignore)('1', ignore)).toBe('done');
  expect(asked.filter(([id]) => id.startsWith('1'))).toEqual([
    ['1', 0],
    ['1:attempt', 10],
    ['1', 90_000],
  ]);
});

test('of several processes one processes; the others are busy, and later find it done', async () => {
  const { store } = sharedStore();
  const processes = Array.from({ length: 5 }, () => processOnce(store, ignore));
  const run = jest.fn(() => sleep(50));
  const outcomes = await Promise.all(processes.map((once) => once('1', run)));
  expect(outcomes.sort()).toEqual(['busy', 'busy', 'busy', 'busy', 'done']);
  expect(await Promise.all(processes.map((once) => once('1', run)))).toEqual(Array(5).fill('done'));
  expect(run).toHaveBeenCalledTimes(1);
});

test("a failure is tried again by any process when WeChat Pay's first repeat comes", async () => {
  fakeClock();
  const { store } = sharedStore();
  const [one, other] = [processOnce(store, ignore), processOnce(store, ignore)];
  expect(await one('1', () => Promise.reject(new Error('no')))).toBe('failed');
  expect(await other('1', ignore)).toBe('busy');
  jest.advanceTimersByTime(15_000);
  expect(await other('1', ignore)).toBe('done');
  const run = jest.fn();
  expect(await one('1', run)).toBe('done');
  expect(run).not.toHaveBeenCalled();
});

test('a process that dies while it processes loses nothing', async () => {
  fakeClock();
  const { store } = sharedStore();
  void processOnce(store, ignore)('1', () => new Promise(() => {}));
  for (let i = 0; i < 10; i++) await new Promise(setImmediate);
  jest.advanceTimersByTime(15_000);
  const run = jest.fn();
  expect(await processOnce(store, ignore)('1', run)).toBe('done');
  expect(run).toHaveBeenCalledTimes(1);
});

test('a store that fails before has the notification come again; one that fails after is told of', async () => {
  const run = jest.fn();
  const told: unknown[] = [];
  const down = new Error('store is down');
  const always: NotificationStore = { claim: () => Promise.reject(down) };
  await expect(processOnce(always, (error) => told.push(error))('1', run)).rejects.toBe(down);
  expect(run).not.toHaveBeenCalled();
  expect(told).toEqual([]);

  const { store } = sharedStore();
  const atEnd: NotificationStore = {
    claim: (id, ttl) => (ttl === 90_000 ? Promise.reject(down) : store.claim(id, ttl)),
  };
  expect(await processOnce(atEnd, (error) => told.push(error))('1', run)).toBe('done');
  expect(told).toEqual([down]);
});

test.each<[string, (held: Set<string>, id: string) => unknown]>([
  ['holds ids for ever', (held, id) => !held.has(id) && Boolean(held.add(id))],
  ['held them before this process began', () => false],
  ['gives nothing', () => undefined],
  ["gives Redis' OK", () => 'OK'],
])('a store that %s is refused: nothing is taken for processed', async (_, claim) => {
  const held = new Set<string>();
  const run = jest.fn();
  const once = processOnce({ claim: (id) => claim(held, id) as boolean }, ignore);
  for (let i = 0; i < 2; i++) {
    await expect(once('1', run)).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('"claim" must'),
    });
  }
});

describe('the store in memory', () => {
  test('claims once, until the time is over', () => {
    fakeClock();
    const { claim } = memoryStore();
    expect([claim('a', 0), claim('a', 2), claim('a', 2), claim('a', 0), claim('b', 2)]).toEqual([
      true,
      true,
      false,
      false,
      true,
    ]);
    jest.advanceTimersByTime(1999);
    expect(claim('a', 0)).toBe(false);
    jest.advanceTimersByTime(1);
    expect([claim('a', 0), claim('a', 1), claim('a', 1)]).toEqual([true, true, false]);
  });

  test('holds no more than its limit, the latest', () => {
    const { claim } = memoryStore(100);
    for (let i = 0; i < 1000; i++) expect(claim(`${i}`, 60)).toBe(true);
    const free = Array.from({ length: 1000 }, (_, i) => claim(`${i}`, 0));
    expect(free.lastIndexOf(true)).toBe(899);
    expect(free.filter((is) => !is)).toHaveLength(100);
  });
});

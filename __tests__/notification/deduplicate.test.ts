import { deduplicator, ProcessedIds } from '../../lib/notification/deduplicate';
import { requireStore } from '../../lib/notification/store';
import { SharedRecords } from './shared-store';

const KEEP = 49 * 3600;
const down = new Error('The store is down.');
const never = new AbortController().signal;
const ignore = () => {};

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
afterEach(() => void jest.useRealTimers());

const settle = async () => {
  for (let i = 0; i < 10; i++) await new Promise(setImmediate);
};

type Method = 'reserve' | 'complete' | 'release';
type Step = (call: () => unknown, ...args: unknown[]) => unknown;

/** A machine at a store that others share; `steps` get between it and the store. */
function machineAt(records: SharedRecords, steps: Partial<Record<Method, Step>> = {}) {
  const told: unknown[] = [];
  const asked: unknown[][] = [];
  const via = (method: Method, args: [string, never, never]) => {
    asked.push([method, ...args]);
    const call = () => records[method](...args);
    return (steps[method] ?? ((run) => run()))(call, ...args);
  };
  const store = {
    reserve: async (...args: unknown[]) => via('reserve', args as never) as never,
    complete: async (...args: unknown[]) => via('complete', args as never),
    release: async (...args: unknown[]) => via('release', args as never),
  };
  const deduplicate = deduplicator({ store, keep: KEEP, report: (error) => told.push(error) });
  const deliver = (run: () => unknown, { id = '1', late = never } = {}) => deduplicate(id, run, late);
  return { deliver, store, told, asked };
}

const shared = () => new SharedRecords(() => performance.now() / 1000);

/** A function that ends when told to. */
function manual() {
  let end: (error?: Error) => void = ignore;
  const run = jest.fn(
    () =>
      new Promise<void>((resolve, reject) => {
        end = (error) => (error ? reject(error) : resolve());
      }),
  );
  return { run, finish: (error?: Error) => end(error) };
}

test('an attempt is reserved for 50 seconds, what is processed is kept for 49 hours', async () => {
  const { deliver, asked } = machineAt(shared());
  expect(await deliver(ignore)).toBe('done');
  expect(asked).toEqual([
    ['reserve', '1', expect.stringMatching(/^[0-9a-f-]{36}$/), 50],
    ['complete', '1', KEEP],
  ]);
});

test('a failed attempt is released: a repeat is processed at once, by any machine', async () => {
  const records = shared();
  const [one, other] = [machineAt(records), machineAt(records)];
  expect(await one.deliver(() => Promise.reject(down))).toBe('failed');
  expect(one.told).toEqual([down]);
  expect(one.asked.at(-1)).toEqual(['release', '1', one.asked[0]?.[2]]);
  const run = jest.fn();
  expect(await other.deliver(run)).toBe('done');
  expect(await one.deliver(run)).toBe('done');
  expect(run).toHaveBeenCalledTimes(1);
});

test('of several machines one processes; to the others it is busy, and later done', async () => {
  const records = shared();
  const machines = Array.from({ length: 5 }, () => machineAt(records));
  const { run, finish } = manual();
  const all = Promise.all(machines.map(({ deliver }) => deliver(run)));
  await settle();
  finish();
  expect((await all).sort()).toEqual(['busy', 'busy', 'busy', 'busy', 'done']);
  expect(await Promise.all(machines.map(({ deliver }) => deliver(run)))).toEqual(Array(5).fill('done'));
  expect(run).toHaveBeenCalledTimes(1);
});

test('between asking and reserving nothing can happen: an attempt becomes processed in one step', async () => {
  const records = shared();
  let go: (value?: unknown) => void = ignore;
  const held = new Promise((resolve) => {
    go = resolve;
  });
  const one = machineAt(records);
  const other = machineAt(records, { reserve: (call) => held.then(call) });
  const { run, finish } = manual();
  const first = one.deliver(run);
  await settle();
  // The first ends just before its time is over; the request of the second is under way meanwhile.
  jest.advanceTimersByTime(49_990);
  const second = other.deliver(run);
  await settle();
  finish();
  expect(await first).toBe('done');
  jest.advanceTimersByTime(20);
  go();
  expect(await second).toBe('done');
  expect(run).toHaveBeenCalledTimes(1);
});

test('a machine that dies keeps the others off until the third repeat, and loses nothing', async () => {
  const records = shared();
  const { run } = manual();
  void machineAt(records).deliver(run);
  await settle();
  const other = machineAt(records);
  for (const wait of [15, 15]) {
    jest.advanceTimersByTime(wait * 1000);
    expect(await other.deliver(ignore)).toBe('busy');
  }
  jest.advanceTimersByTime(30_000);
  expect(await other.deliver(ignore)).toBe('done');
});

test('in one process it never runs twice at once, whatever the store says', async () => {
  const machine = machineAt(shared(), { reserve: () => 'reserved' });
  const { run, finish } = manual();
  const first = machine.deliver(run);
  await settle();
  for (const seconds of [0, 10, 50, 86_400]) {
    jest.advanceTimersByTime(seconds * 1000);
    expect(await machine.deliver(run)).toBe('busy');
  }
  // What uses the same store, knows it as well.
  const sibling = deduplicator({ store: machine.store, keep: KEEP, report: ignore });
  expect(await sibling('1', run, never)).toBe('busy');
  finish();
  expect(await first).toBe('done');
  expect(run).toHaveBeenCalledTimes(1);
});

test("a failure does not release another machine's attempt, nor what is processed", async () => {
  const records = shared();
  const [slow, other, third] = [machineAt(records), machineAt(records), machineAt(records)];
  const [first, second] = [manual(), manual()];
  const failing = slow.deliver(first.run);
  await settle();
  jest.advanceTimersByTime(50_000);
  const running = other.deliver(second.run);
  await settle();
  first.finish(down);
  expect(await failing).toBe('failed');
  expect(await third.deliver(ignore)).toBe('busy');
  second.finish();
  expect(await running).toBe('done');

  // The same, the other one being done already.
  const [late, late2] = [manual(), manual()];
  const failingLate = slow.deliver(late.run, { id: '2' });
  await settle();
  jest.advanceTimersByTime(50_000);
  const done = other.deliver(late2.run, { id: '2' });
  await settle();
  late2.finish();
  expect(await done).toBe('done');
  late.finish(down);
  expect(await failingLate).toBe('failed');
  expect(await third.deliver(ignore, { id: '2' })).toBe('done');
  expect(third.asked.map(([method]) => method)).toEqual(['reserve', 'reserve']);
});

describe('a store that fails', () => {
  test('before the function runs: it does not, and the error is passed on', async () => {
    const run = jest.fn();
    const { deliver, told } = machineAt(shared(), { reserve: () => Promise.reject(down) });
    await expect(deliver(run)).rejects.toBe(down);
    expect(run).not.toHaveBeenCalled();
    expect(told).toEqual([]);
  });

  test('while it records what is processed: it counts as processed, and this process remembers', async () => {
    const records = shared();
    const { deliver, told } = machineAt(records, { complete: () => Promise.reject(down) });
    const run = jest.fn();
    expect(await deliver(run)).toBe('done');
    expect(told).toEqual([down]);
    jest.advanceTimersByTime(24 * 3600_000);
    expect(await deliver(run)).toBe('done');
    expect(run).toHaveBeenCalledTimes(1);
  });

  test('while it releases: the attempt is kept until its time is over', async () => {
    const { deliver, told } = machineAt(shared(), { release: () => Promise.reject(down) });
    const failure = new Error('no');
    expect(await deliver(() => Promise.reject(failure))).toBe('failed');
    expect(told).toEqual([failure, down]);
    expect(await deliver(ignore)).toBe('busy');
    jest.advanceTimersByTime(50_000);
    expect(await deliver(ignore)).toBe('done');
  });

  test('by never responding: what has not begun is left to a repeat, and what ended is not run again', async () => {
    const hang = () => new Promise(ignore);
    const records = shared();
    const steps: Partial<Record<Method, Step>> = { reserve: hang, complete: hang };
    const { deliver } = machineAt(records, steps);
    const late = new AbortController();
    const run = jest.fn();
    const first = deliver(run, { late: late.signal });
    await settle();
    late.abort();
    expect(await first).toBe('failed');
    delete steps.reserve;
    void deliver(run);
    await settle();
    expect(run).toHaveBeenCalledTimes(1);
    expect(await deliver(run)).toBe('done');
    expect(run).toHaveBeenCalledTimes(1);
  });
});

test.each<[string, (late: AbortController) => void]>([
  ['has replied meanwhile', (late) => late.abort()],
  ['was stopped meanwhile', () => void jest.advanceTimersByTime(5001)],
])('a reservation that comes too late is given back, and the function not run: the process %s', async (_, happen) => {
  const records = shared();
  let respond: (value?: unknown) => void = ignore;
  const machine = machineAt(records, {
    reserve: (call) => {
      const found = call();
      return new Promise((resolve) => {
        respond = () => resolve(found);
      });
    },
  });
  const late = new AbortController();
  const run = jest.fn();
  const first = machine.deliver(run, { late: late.signal });
  await settle();
  expect(records.read('1')).toBeDefined();
  happen(late);
  respond();
  expect(await first).toBe('failed');
  await settle();
  expect([run.mock.calls.length, records.read('1'), machine.told]).toEqual([0, undefined, []]);
});

test.each<[string, unknown]>([
  ['nothing', undefined],
  ["Redis' OK", 'OK'],
  ['true', true],
  ['null', null],
  ['a name of a method of objects', 'constructor'],
])('a store that gives %s is refused: nothing is taken for processed, nor for free', async (_, found) => {
  const run = jest.fn();
  const { deliver } = machineAt(shared(), { reserve: () => found });
  await expect(deliver(run)).rejects.toMatchObject({
    name: 'ConfigurationError',
    message: expect.stringContaining('"reserve" must return "reserved", "busy" or "done"'),
  });
  expect(run).not.toHaveBeenCalled();
});

test.each<[unknown, string]>([
  [{}, 'reserve'],
  [null, 'reserve'],
  ['redis', 'reserve'],
  [{ reserve: ignore, release: ignore }, 'complete'],
  [{ reserve: ignore, complete: ignore, release: 'x' }, 'release'],
])('%p is refused as a store', (store, missing) => {
  expect(() => requireStore(store as never)).toThrow(
    `"store" must have the methods reserve, complete, release; "${missing}" is missing.`,
  );
});

describe('what a process remembers', () => {
  test('it forgets when the time is over', () => {
    const ids = new ProcessedIds();
    ids.add('a', 2);
    expect([ids.has('a'), ids.has('b')]).toEqual([true, false]);
    jest.advanceTimersByTime(1999);
    expect(ids.has('a')).toBe(true);
    jest.advanceTimersByTime(1);
    expect(ids.has('a')).toBe(false);
  });

  test('it remembers no more than its limit, the latest', () => {
    const ids = new ProcessedIds(100);
    for (let i = 0; i < 1000; i++) ids.add(`${i}`, 60);
    const known = Array.from({ length: 1000 }, (_, i) => ids.has(`${i}`));
    expect(known.indexOf(true)).toBe(900);
    expect(known.filter(Boolean)).toHaveLength(100);
  });

  test('without a store that is all there is, and a function runs for it once', async () => {
    const deduplicate = deduplicator({ store: undefined, keep: KEEP, report: ignore });
    const run = jest.fn();
    expect([await deduplicate('1', run, never), await deduplicate('1', run, never)]).toEqual(['done', 'done']);
    jest.advanceTimersByTime(KEEP * 1000 - 1);
    expect(await deduplicate('1', run, never)).toBe('done');
    expect(run).toHaveBeenCalledTimes(1);
    // Another one, made without a store, shares nothing with it.
    await deduplicator({ store: undefined, keep: KEEP, report: ignore })('1', run, never);
    expect(run).toHaveBeenCalledTimes(2);
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { createClock } from '../../lib/sandbox/clock';
import { openJournal } from '../../lib/sandbox/journal';
import { createStore, type Store } from '../../lib/sandbox/store';

const DAY = 86_400_000;

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A clock that notes what it runs, as `key@seconds since the start`. */
function started(store: Store = createStore(), { frozen = true } = {}) {
  const made = createClock(store);
  const { clock, schedule } = made;
  if (frozen) clock.freeze();
  const begin = clock.now();
  const ran: string[] = [];
  const note = (key: string) => void ran.push(`${key}@${Math.floor((clock.now() - begin) / 1000)}`);
  schedule.on('note', note);
  schedule.start();
  ends.push(() => schedule.close());
  const after = (seconds: number, key: string, task = 'note') => schedule.at(begin + seconds * 1000, task, key);
  return { ...made, begin, ran, note, after };
}

test('it runs with the real time, and tasks fall due by themselves', async () => {
  const { clock, schedule, ran } = started(undefined, { frozen: false });
  expect(clock.isFrozen).toBe(false);
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1000);
  schedule.at(clock.now() + 20, 'note', 'later');
  schedule.at(clock.now() - 20, 'note', 'now');
  while (ran.length < 2) await setTimeout(1);
  expect(ran.map((entry) => entry.split('@')[0])).toEqual(['now', 'later']);
});

test('what falls due on the way runs in order, each at its time; at the same time as it was scheduled', async () => {
  const { clock, begin, ran, after } = started();
  for (const [seconds, key] of [
    [30, 'c'],
    [10, 'a'],
    [20, 'b'],
    [20, 'b2'],
    [61, 'too late'],
    [20, 'b3'],
  ] as const) {
    after(seconds, key);
  }
  await clock.advance({ minutes: 1 });
  expect(ran).toEqual(['a@10', 'b@20', 'b2@20', 'b3@20', 'c@30']);
  expect(clock.now()).toBe(begin + 60_000);
  await clock.set(new Date(begin + 61_000));
  expect(ran.at(-1)).toBe('too late@61');
});

test('the members of a span are added together', async () => {
  const { clock, begin } = started();
  await clock.advance({ days: 1, hours: 2, minutes: 3, seconds: 4.5 });
  expect(clock.now() - begin).toBe(DAY + 2 * 3_600_000 + 3 * 60_000 + 4500);
  await clock.advance({});
  expect(clock.now() - begin).toBe(DAY + 2 * 3_600_000 + 3 * 60_000 + 4500);
});

test('tasks that tasks add run in the same move, in their place', async () => {
  const { clock, schedule, ran, note, after } = started();
  schedule.on('repeat', (key) => {
    note(key);
    if (ran.length < 5) schedule.at(clock.now() + 10_000, 'repeat', key);
  });
  after(10, 'again', 'repeat');
  after(25, 'between');
  await clock.advance({ seconds: 45 });
  expect(ran).toEqual(['again@10', 'again@20', 'between@25', 'again@30', 'again@40']);
});

test('what a task began is waited for before the clock moves on by more than 5 s', async () => {
  const { clock, schedule, ran, note, after } = started();
  schedule.on('slow', async (key) => {
    note(`${key} begins`);
    await setTimeout(30);
    note(`${key} ends`);
    schedule.at(clock.now() + 1000, 'note', `${key} is followed`);
  });
  after(10, 'send', 'slow');
  after(12, 'soon');
  after(3600, 'late');
  await clock.advance({ days: 1 });
  expect(ran).toEqual(['send begins@10', 'soon@12', 'send ends@12', 'send is followed@13', 'late@3600']);
});

test('a move ends when what it began has ended', async () => {
  const { clock, schedule, ran, note, after } = started();
  schedule.on('slow', async (key) => {
    await setTimeout(30);
    note(key);
  });
  after(60, 'last', 'slow');
  await clock.advance({ seconds: 60 });
  expect(ran).toEqual(['last@60']);
});

test('moves at the same time run one after the other', async () => {
  const { clock, schedule, begin, ran, note, after } = started();
  schedule.on('slow', async (key) => {
    await setTimeout(20);
    note(key);
  });
  after(30, 'a', 'slow');
  after(90, 'b', 'slow');
  const moves = [clock.advance({ minutes: 1 }), clock.advance({ minutes: 1 }), clock.set(new Date(begin + 100_000))];
  await Promise.all(moves);
  expect(ran).toEqual(['a@30', 'b@90']);
  expect(clock.now()).toBe(begin + 120_000);
});

test('a task that fails is a warning that names it; what follows runs', async () => {
  const { clock, schedule, ran, after } = started();
  schedule.on('throws', () => {
    throw new Error('one');
  });
  schedule.on('rejects', () => Promise.reject(new Error('two')));
  after(1, 'x', 'throws');
  after(2, 'y', 'rejects');
  after(3, 'z', 'unknown');
  after(60, 'rest');
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  await clock.advance({ minutes: 2 });
  const warnings = warn.mock.calls.map(([message]) => message);
  warn.mockRestore();
  expect(ran).toEqual(['rest@60']);
  expect(warnings).toEqual([
    'The task throws of the sandbox failed for x: Error: one',
    'The task rejects of the sandbox failed for y: Error: two',
  ]);
});

describe('frozen', () => {
  test('it stands still, what is due runs, what falls due later waits for resume()', async () => {
    const { clock, schedule, begin, ran } = started();
    schedule.at(begin, 'note', 'now');
    schedule.at(begin + 5, 'note', 'later');
    await setTimeout(30);
    expect(clock.now()).toBe(begin);
    expect(ran).toEqual(['now@0']);
    clock.resume();
    expect(clock.isFrozen).toBe(false);
    expect(clock.now()).toBeLessThan(begin + 10_000);
    while (ran.length < 2) await setTimeout(1);
  });

  test('it stays frozen when it is moved, and runs on from there', async () => {
    const { clock, begin } = started();
    await clock.advance({ days: 30 });
    expect(clock.isFrozen).toBe(true);
    expect(clock.now()).toBe(begin + 30 * DAY);
    clock.freeze();
    expect(clock.now()).toBe(begin + 30 * DAY);
    clock.resume();
    clock.resume();
    expect(clock.now() - begin - 30 * DAY).toBeLessThan(10_000);
    expect(clock.now()).toBeGreaterThanOrEqual(begin + 30 * DAY);
  });
});

test('a clock that runs goes on running after a move', async () => {
  const { clock, schedule, ran } = started(undefined, { frozen: false });
  await clock.advance({ days: 1 });
  expect(clock.now() - Date.now()).toBeGreaterThan(DAY - 10_000);
  schedule.at(clock.now() + 10, 'note', 'by itself');
  while (ran.length < 1) await setTimeout(1);
});

test('moves that are none', async () => {
  const { clock, begin } = started();
  const invalid = (message: string) => expect.objectContaining({ name: 'InvalidArgumentError', message });
  await expect(clock.set(new Date(begin - 1))).rejects.toEqual(
    invalid(`The clock cannot go back: it shows ${new Date(begin).toISOString()}.`),
  );
  const range = 'The clock can be moved to times up to the end of the year 9999.';
  await expect(clock.set(new Date(Number.NaN))).rejects.toEqual(invalid(range));
  await expect(clock.advance({ days: 1e9 })).rejects.toEqual(invalid(range));
  for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY, '5', null]) {
    await expect(clock.advance({ hours: value as number })).rejects.toEqual(
      invalid(`"hours" must be a number, 0 or more; found ${value}.`),
    );
  }
  const unknown = { toString: 1 } as object;
  const message = 'Unknown unit "toString"; valid units: days, hours, minutes, seconds.';
  await expect(clock.advance(unknown)).rejects.toEqual(invalid(message));
  expect(clock.now()).toBe(begin);
});

test('a reset forgets all tasks, or those of one merchant', async () => {
  const { clock, schedule, ran, after } = started();
  after(1, '1900000109/a');
  after(2, '19000001090/b');
  after(3, '1900000110/c');
  schedule.clear('1900000109');
  await clock.advance({ minutes: 1 });
  expect(ran).toEqual(['19000001090/b@2', '1900000110/c@3']);
  after(61, '1900000109/d');
  schedule.clear();
  await clock.advance({ minutes: 1 });
  expect(ran).toHaveLength(2);
});

test('nothing runs after close(): neither what is due, nor what a move was to reach, nor what was under way adds', async () => {
  const { clock, schedule, ran, note } = started(undefined, { frozen: false });
  let end: () => void = () => {};
  schedule.on('slow', async () => {
    await new Promise<void>((resolve) => {
      end = resolve;
    });
    schedule.at(clock.now(), 'note', 'added');
  });
  schedule.at(clock.now() + 10, 'note', 'due soon');
  schedule.at(clock.now() + 60_000, 'slow', '');
  schedule.at(clock.now() + 3_600_000, 'note', 'late');
  const move = clock.advance({ days: 1 });
  while (end === undefined || ran.length < 1) await setImmediate();
  await setImmediate();
  expect(ran).toHaveLength(1);
  schedule.close();
  schedule.at(clock.now(), 'note', 'scheduled afterwards');
  end();
  await move;
  await clock.advance({ days: 1 });
  await setTimeout(30);
  expect(ran).toHaveLength(1);
  note('');
});

describe('in a journal', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'clock-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const open = () => openJournal(join(directory, 'journal'));

  test('time and tasks outlive the process, in their order', async () => {
    const first = open();
    const before = started(first.store);
    await before.clock.advance({ days: 2 });
    before.schedule.at(before.clock.now() + 2000, 'note', 'b');
    before.schedule.at(before.clock.now() + 1000, 'note', 'a');
    before.schedule.at(before.clock.now() + 1000, 'note', 'a2');
    first.store.commit();
    before.schedule.close();
    first.close();

    const second = open();
    const after = started(second.store);
    expect(after.clock.isFrozen).toBe(true);
    expect(after.clock.now()).toBe(before.clock.now());
    after.schedule.at(after.clock.now() + 1000, 'note', 'a3');
    await after.clock.advance({ seconds: 5 });
    expect(after.ran).toEqual(['a@1', 'a2@1', 'a3@1', 'b@2']);
    after.schedule.close();
    second.close();

    const third = open();
    expect(third.store.table('tasks').size).toBe(0);
    third.close();
  });

  test('a running clock keeps its distance from the real time', async () => {
    const first = open();
    const before = started(first.store, { frozen: false });
    await before.clock.advance({ days: 2 });
    before.schedule.close();
    first.close();
    const second = open();
    const after = started(second.store, { frozen: false });
    expect(after.clock.isFrozen).toBe(false);
    expect(Math.abs(after.clock.now() - Date.now() - 2 * DAY)).toBeLessThan(5000);
    second.close();
  });

  test('what was under way when the process ended runs again', async () => {
    const first = open();
    const before = started(first.store);
    const begun = new Promise<void>((resolve) => {
      before.schedule.on('slow', () => {
        resolve();
        return new Promise(() => {});
      });
    });
    before.after(1, 'send', 'slow');
    void before.clock.advance({ seconds: 2 });
    await begun;
    before.schedule.close();
    first.close();

    const second = open();
    const made = createClock(second.store);
    const ran: string[] = [];
    made.schedule.on('slow', async (key) => void ran.push(key));
    made.schedule.start();
    await made.clock.advance({ seconds: 1 });
    expect(ran).toEqual(['send']);
    made.schedule.close();
    second.close();
  });
});

test('a month with 1,000 orders, their refunds, and repeats that fail, ends in order and in the right states', async () => {
  const store = createStore();
  const { clock, schedule, begin } = started(store);
  interface State {
    state: string;
    attempts: number;
  }
  const orders = store.table<State>('orders');
  const times: number[] = [];
  const note = () => void times.push(clock.now());
  schedule.on('expire', (key) => {
    note();
    const order = orders.get(key);
    if (order?.state === 'NOTPAY') orders.put(key, { ...order, state: 'CLOSED' });
  });
  schedule.on('refund', (key) => {
    note();
    orders.put(key, { state: 'REFUND', attempts: 0 });
    schedule.at(clock.now(), 'send', key);
  });
  schedule.on('send', async (key) => {
    note();
    await setImmediate();
    const order = orders.get(key);
    if (!order) return;
    orders.put(key, { ...order, attempts: order.attempts + 1 });
    if (order.attempts < 15) schedule.at(clock.now() + 3_600_000, 'send', key);
  });
  for (let i = 0; i < 1000; i++) {
    orders.put(`m/${i}`, { state: 'NOTPAY', attempts: 0 });
    schedule.at(begin + ((i * 7919) % 1000) * 2_000_000, 'expire', `m/${i}`);
    if (i % 5 === 0) schedule.at(begin + ((i * 104_729) % 1000) * 60_000, 'refund', `m/${i}`);
  }
  await clock.advance({ days: 31 });
  expect(clock.now()).toBe(begin + 31 * DAY);
  expect(times).toHaveLength(1000 + 200 + 200 * 16);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  const states = [...orders.values()].map(({ state, attempts }) => `${state} ${attempts}`);
  expect(states.filter((state) => state === 'CLOSED 0')).toHaveLength(800);
  expect(states.filter((state) => state === 'REFUND 16')).toHaveLength(200);
  expect(store.table('tasks').size).toBe(0);
});

test('a time that is further away than a timer goes is waited for in steps', () => {
  const { schedule, clock, ran } = started(undefined, { frozen: false });
  const timers = jest.spyOn(globalThis, 'setTimeout');
  schedule.at(clock.now() + 400 * DAY, 'note', 'next year');
  clock.resume();
  const delays = timers.mock.calls.map(([, delay]) => delay);
  timers.mockRestore();
  expect(delays).toEqual([2 ** 31 - 1]);
  expect(ran).toEqual([]);
});

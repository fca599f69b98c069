import { InvalidArgumentError } from '../errors';
import type { Store } from './store';

/** A span of time; its members are added together. */
export interface Duration {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
}

/**
 * The time of business: when orders expire, refunds succeed and notifications are repeated. It follows the real time
 * until it is frozen, set or advanced. Signatures use the real time.
 */
export interface Clock {
  /** The time now, in milliseconds since 1970. */
  now(): number;
  /** Stops the clock; what is already due still happens. */
  freeze(): void;
  /** Lets a frozen clock run again. */
  resume(): void;
  /**
   * Moves the clock forward to a time and runs everything that falls due on the way, in order.
   * @throws InvalidArgumentError if the time is invalid or in the past
   */
  set(time: Date): Promise<void>;
  /**
   * Moves the clock forward by a duration and runs everything that falls due on the way, in order.
   * @throws InvalidArgumentError if it is not a valid duration
   */
  advance(duration: Duration): Promise<void>;
  readonly isFrozen: boolean;
}

/** What happens later, as data, so that it outlives the process. */
export interface Schedule {
  /**
   * Defines a task. The clock does not move on by more than its patience before the returned promise settles.
   * A task that fails emits a process warning and ends. One that was running when the process ended runs again.
   */
  on(task: string, run: (key: string) => void | Promise<void>): void;
  /** Runs a task for a key when the clock reaches a time, in milliseconds since 1970. */
  at(time: number, task: string, key: string): void;
  /** Starts running what is due. */
  start(): void;
  /** Forgets all tasks, or those of one merchant. */
  clear(mchid?: string): void;
  /** Stops running tasks. */
  close(): void;
}

interface Task {
  readonly at: number;
  readonly name: string;
  readonly key: string;
}

const UNITS: Readonly<Record<keyof Duration, number>> = {
  days: 86_400_000,
  hours: 3_600_000,
  minutes: 60_000,
  seconds: 1000,
};

/** How far the clock moves on while a task is running, in milliseconds: a receiver has 5 s to reply. */
const PATIENCE = 5000;

/** The longest time that a timer of Node takes, some 25 days. */
const LONGEST = 2 ** 31 - 1;

export function createClock(store: Store): { clock: Clock; schedule: Schedule } {
  const tasks = store.table<Task>('tasks');
  const settings = store.table<{ readonly offset: number; readonly frozen?: number }>('clock');
  const runners = new Map<string, (key: string) => void | Promise<void>>();
  /** The keys of the tasks, in the order in which they fall due. */
  const queue: { readonly at: number; readonly id: string }[] = [];
  /** What is under way, and the time that the clock must not pass meanwhile. */
  const underWay = new Map<Promise<void>, number>();
  let count = 0;
  let timer: NodeJS.Timeout | undefined;
  let state: 'new' | 'running' | 'closed' = 'new';
  let moving: Promise<void> = Promise.resolve();

  function now(): number {
    const { offset = 0, frozen } = settings.get('clock') ?? {};
    return frozen ?? Date.now() + offset;
  }

  function moveTo(time: number): void {
    const { offset = 0, frozen } = settings.get('clock') ?? {};
    if (frozen !== undefined) settings.put('clock', { offset, frozen: Math.max(frozen, time) });
    else if (time > now()) settings.put('clock', { offset: time - Date.now() });
  }

  function enqueue(at: number, id: string): void {
    let [low, high] = [0, queue.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((queue[middle]?.at ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    queue.splice(low, 0, { at, id });
  }

  function run(id: string): void {
    const task = tasks.get(id);
    if (!task) return;
    // It is kept until it has been carried out: where the process ends meanwhile, the next one begins with it.
    const done = (): void => {
      tasks.delete(id);
      store.commit();
    };
    const failed = (error: unknown): void => {
      process.emitWarning(`The task ${task.name} of the sandbox failed for ${task.key}: ${String(error)}`);
    };
    try {
      const result = runners.get(task.name)?.(task.key);
      if (!result) return void done();
      const settled = result.catch(failed).then(() => {
        underWay.delete(settled);
        done();
      });
      underWay.set(settled, task.at + PATIENCE);
      store.commit();
    } catch (error) {
      failed(error);
      done();
    }
  }

  /** Runs what is due now, and sets the timer for what is due next. */
  function tick(): void {
    if (state !== 'running') return;
    clearTimeout(timer);
    timer = undefined;
    for (let next = queue[0]; next && next.at <= now(); next = queue[0]) {
      queue.shift();
      run(next.id);
    }
    const next = queue[0];
    if (!next || settings.get('clock')?.frozen !== undefined) return;
    timer = setTimeout(tick, Math.min(next.at - now(), LONGEST));
  }

  async function settleUntil(time: number): Promise<void> {
    await Promise.all([...underWay].flatMap(([settled, until]) => (until <= time ? settled : [])));
  }

  async function runUntil(time: number): Promise<void> {
    for (;;) {
      const next = queue[0];
      await settleUntil(next && next.at <= time ? next.at : Number.POSITIVE_INFINITY);
      if (state === 'closed') return;
      // What was under way may have added a task before this one.
      const first = queue[0];
      if (first !== next) continue;
      if (!first || first.at > time) break;
      queue.shift();
      moveTo(first.at);
      run(first.id);
    }
    moveTo(time);
    store.commit();
    tick();
  }

  /** One move at a time; what is due meanwhile waits for its turn in it. */
  function move(time: () => number): Promise<void> {
    const moved = moving.then(() => runUntil(time()));
    moving = moved.catch(() => {});
    return moved;
  }

  const clock: Clock = {
    now,
    get isFrozen() {
      return settings.get('clock')?.frozen !== undefined;
    },
    freeze() {
      settings.put('clock', { offset: settings.get('clock')?.offset ?? 0, frozen: now() });
      store.commit();
      tick();
    },
    resume() {
      settings.put('clock', { offset: now() - Date.now() });
      store.commit();
      tick();
    },
    async set(time) {
      checkTime(time.getTime());
      if (time.getTime() < now()) {
        throw new InvalidArgumentError(`The clock cannot go back: it shows ${new Date(now()).toISOString()}.`);
      }
      await move(() => time.getTime());
    },
    async advance(duration) {
      const span = spanOf(duration);
      checkTime(now() + span);
      await move(() => now() + span);
    },
  };
  const schedule: Schedule = {
    on: (name, runner) => void runners.set(name, runner),
    at(at, name, key) {
      const id = String(++count);
      tasks.put(id, { at, name, key });
      enqueue(at, id);
      // Later, so that what schedules it has been done and committed.
      if (state === 'running') setImmediate(tick);
    },
    start() {
      for (const [id, { at }] of tasks.entries()) {
        count = Math.max(count, Number(id));
        enqueue(at, id);
      }
      state = 'running';
      tick();
    },
    clear(mchid) {
      const kept = queue.filter(({ id }) => mchid !== undefined && !tasks.get(id)?.key.startsWith(`${mchid}/`));
      const ids = new Set(kept.map(({ id }) => id));
      for (const { id } of queue) if (!ids.has(id)) tasks.delete(id);
      queue.splice(0, queue.length, ...kept);
    },
    close() {
      state = 'closed';
      clearTimeout(timer);
    },
  };
  return { clock, schedule };
}

/** The last time that the clock shows, the end of the year 9999. */
const LAST = 253_402_300_799_999;

function checkTime(time: number): void {
  if (time <= LAST) return;
  throw new InvalidArgumentError('The clock can be moved to times up to the end of the year 9999.');
}

function spanOf(duration: Duration): number {
  let span = 0;
  for (const [name, value] of Object.entries(duration)) {
    const unit = Object.hasOwn(UNITS, name) ? UNITS[name as keyof Duration] : undefined;
    if (unit === undefined) {
      throw new InvalidArgumentError(`Unknown unit "${name}"; valid units: ${Object.keys(UNITS).join(', ')}.`);
    }
    if (!(typeof value === 'number' && Number.isFinite(value) && value >= 0)) {
      throw new InvalidArgumentError(`"${name}" must be a number, 0 or more; found ${String(value)}.`);
    }
    span += value * unit;
  }
  return span;
}

import fc from 'fast-check';
import { createHandlers } from '../../lib/notification/handlers';
import type { NotificationStore, Reservation } from '../../lib/notification/store';
import type { AnyNotification } from '../../lib/notification/types';
import { SharedRecords } from './shared-store';

/**
 * Machines, handlers and notifications in every order of what can happen to them: deliveries, ends of functions, steps of
 * the store that are carried out late, fail, or whose responses are lost or late, deaths, and time that passes.
 *
 * What is promised is written down here a second time, without looking at how it is kept.
 */

/** Seconds that the store keeps an attempt, seconds in which a function must begin, seconds that ids are kept. */
const [ATTEMPT, PATIENCE, KEEP] = [50, 5, 49 * 3600];
const MACHINES = 2;
/** Mostly the same one, so that much happens to it. */
const IDS = ['EV-1', 'EV-1', 'EV-1', 'EV-2'];
const NAMES = ['payments', 'payments', 'refunds'];

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
afterEach(() => void jest.useRealTimers());

const settle = async () => {
  for (let i = 0; i < 12; i++) await new Promise(setImmediate);
};
const seconds = () => performance.now() / 1000;

type Method = 'reserve' | 'complete' | 'release';

/** A step of the store that a machine waits for: first it is carried out, then the response comes. */
interface Call {
  machine: Machine;
  method: Method;
  key: string;
  apply(): unknown;
  result?: { value: unknown };
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A function that is running. */
interface Run {
  machine: Machine;
  key: string;
  /** When it began. */
  since: number;
  end(error?: Error): void;
}

/** A delivery, and the status that it was answered with. */
interface Delivery {
  key: string;
  status?: number;
}

interface Machine {
  number: number;
  handle: Map<string, (request: Request) => Promise<Response>>;
}

/** What has become of one notification at one handler. */
interface Fate {
  /** When a function succeeded last, and in which processes one did. */
  succeeded?: number;
  by: Map<Machine, number>;
  /** When that was recorded by the store last, and how long after the function had begun. */
  recorded?: { time: number; order: number; after: number };
  /** When each machine reserved it last, in the order of what the store did. */
  reserved: Map<Machine, number>;
  /** When each machine began it last. */
  began: Map<Machine, number>;
  runs: number;
}

/** Whether the store has recorded that it is processed. */
function isKept({ recorded }: Fate): boolean {
  return recorded !== undefined && seconds() < recorded.time + KEEP;
}

class World {
  readonly records = new SharedRecords(seconds);
  readonly machines: Machine[] = [];
  readonly fates = new Map<string, Fate>();
  calls: Call[] = [];
  /** Steps that nobody waits for any more; they may be carried out all the same. */
  strays: Call[] = [];
  runs: Run[] = [];
  deliveries: Delivery[] = [];
  order = 0;
  broken: string[] = [];

  constructor() {
    for (let number = 0; number < MACHINES; number++) this.machines.push(this.start(number));
  }

  fate(key: string): Fate {
    const known = this.fates.get(key) ?? { runs: 0, by: new Map(), reserved: new Map(), began: new Map() };
    this.fates.set(key, known);
    return known;
  }

  /** A machine that has just been started. */
  start(number: number): Machine {
    const machine: Machine = { number, handle: new Map() };
    const call = (method: Method, key: string, apply: () => unknown) =>
      new Promise<unknown>((resolve, reject) => this.calls.push({ machine, method, key, apply, resolve, reject }));
    const store: NotificationStore = {
      reserve: (...args) => call('reserve', args[0], () => this.records.reserve(...args)) as Promise<Reservation>,
      complete: (key, time) => call('complete', key, () => this.records.complete(key, time)),
      release: (...args) => call('release', args[0], () => this.records.release(...args)),
    };
    const parse = async ({ body }: { body: Buffer }) => ({ id: body.toString() }) as AnyNotification;
    const { webHandler } = createHandlers({ parse, maxBodySize: 100, store, keep: KEEP, onError: () => {} });
    for (const name of new Set(NAMES)) {
      const run = ({ id }: AnyNotification) => this.run(machine, `${name}:${id}`);
      machine.handle.set(name, webHandler(run, { name }));
    }
    return machine;
  }

  /** A function begins: the promises are looked at. */
  run(machine: Machine, key: string): Promise<void> {
    const fate = this.fate(key);
    fate.runs++;
    for (const other of this.runs.filter((run) => run.key === key)) {
      if (other.machine === machine) this.broken.push('twice at once in one process');
      else if (seconds() - other.since < ATTEMPT - PATIENCE) this.broken.push('twice at once, within 45 s');
    }
    if (isKept(fate)) {
      // Unless it was reserved before that, the time of the first attempt having been over when it was recorded.
      const { order = 0, after = 0 } = fate.recorded ?? {};
      if (after < ATTEMPT - PATIENCE || order < (fate.reserved.get(machine) ?? 0))
        this.broken.push('again after it was recorded');
    }
    fate.began.set(machine, seconds());
    const own = fate.by.get(machine);
    if (own !== undefined && seconds() < own + KEEP) this.broken.push('again in the process in which it succeeded');
    return new Promise((resolve, reject) => {
      const run: Run = {
        machine,
        key,
        since: seconds(),
        end: (error) => {
          this.runs = this.runs.filter((one) => one !== run);
          if (error) return reject(error);
          fate.succeeded = seconds();
          fate.by.set(machine, seconds());
          resolve();
        },
      };
      this.runs.push(run);
    });
  }

  deliver(number: number, name: string, id: string): Delivery {
    const { handle } = this.machines[number] as Machine;
    const delivery: Delivery = { key: `${name}:${id}` };
    this.deliveries.push(delivery);
    const request = new Request('http://localhost/', { method: 'POST', body: id });
    void handle
      .get(name)?.(request)
      .then(({ status }) => {
        delivery.status = status;
        if (status === 204 && this.fate(delivery.key).succeeded === undefined) this.broken.push('success without any');
        if (![204, 500, 503].includes(status)) this.broken.push(`status ${status}`);
      });
    return delivery;
  }

  /** The store carries a step out. */
  apply(call: Call): void {
    if (call.result) return;
    call.result = { value: call.apply() };
    const fate = this.fate(call.key);
    const order = ++this.order;
    if (call.result.value === 'reserved') fate.reserved.set(call.machine, order);
    if (call.method !== 'complete') return;
    fate.recorded = { time: seconds(), order, after: seconds() - (fate.began.get(call.machine) ?? 0) };
  }

  /** A response of the store arrives, or its failure. */
  respond(call: Call, how: 'response' | 'failure'): void {
    this.calls = this.calls.filter((one) => one !== call);
    if (how === 'failure') {
      this.strays.push(call);
      call.reject(new Error('The store is down.'));
    } else {
      this.apply(call);
      call.resolve(call.result?.value);
    }
  }

  /** A process dies: what it runs and what it waits for comes to nothing. */
  kill(number: number): void {
    const dead = this.machines[number];
    this.runs = this.runs.filter(({ machine }) => machine !== dead);
    this.strays.push(...this.calls.filter(({ machine }) => machine === dead));
    this.calls = this.calls.filter(({ machine }) => machine !== dead);
    this.machines[number] = this.start(number);
  }

  /** Nothing that is not processed is lost: once all is well again, the next but one delivery has it processed. */
  async recover(): Promise<void> {
    for (const run of [...this.runs]) run.end();
    await this.idle();
    jest.advanceTimersByTime(ATTEMPT * 1000);
    for (const key of this.fates.keys()) {
      const [name = '', id = ''] = key.split(':');
      for (let number = 0; number < MACHINES; number++) {
        const { runs } = this.fate(key);
        const processed = isKept(this.fate(key));
        const delivery = this.deliver(number, name, id);
        await this.idle();
        if (processed && this.fate(key).runs !== runs) this.broken.push('again after all');
        if (delivery.status !== 204) this.broken.push(`lost: ${key} is answered with ${delivery.status}`);
      }
    }
  }

  /** The store does what it is asked for, and functions succeed, until there is nothing left to do. */
  async idle(): Promise<void> {
    await settle();
    while (this.calls.length > 0 || this.runs.length > 0) {
      for (const call of this.calls) this.respond(call, 'response');
      for (const run of this.runs) run.end();
      await settle();
    }
  }
}

/** The model itself knows nothing but what the world has to promise. */
type Model = Record<string, never>;

/** A command that is carried out if there is something to do it to. */
function command(name: string, run: (world: World) => unknown): fc.AsyncCommand<Model, World> {
  return {
    check: () => true,
    run: async (_, world) => {
      await run(world);
      await settle();
      expect(world.broken).toEqual([]);
    },
    toString: () => name,
  };
}

const pick = <Item>(items: readonly Item[], at: number): Item | undefined => items[at % items.length];
const machine = fc.nat({ max: MACHINES - 1 });
const which = fc.nat({ max: 5 });

const commands = [
  fc
    .tuple(machine, fc.constantFrom(...NAMES), fc.constantFrom(...IDS))
    .map(([number, name, id]) =>
      command(`deliver(${number}, ${name}, ${id})`, (world) => world.deliver(number, name, id)),
    ),
  fc.tuple(machine, fc.constantFrom(...NAMES), fc.constantFrom(...IDS)).map(([number, name, id]) =>
    command(`deliver(${number}, ${name}, ${id}), the store responding at once`, async (world) => {
      world.deliver(number, name, id);
      await settle();
      for (const call of world.calls) world.respond(call, 'response');
    }),
  ),
  fc
    .tuple(which, fc.boolean())
    .map(([at, ok]) =>
      command(`end(${at}, ${ok})`, ({ runs }) => pick(runs, at)?.end(ok ? undefined : new Error('no'))),
    ),
  which.map((at) =>
    command(`apply(${at})`, (world) => {
      const call = pick([...world.calls, ...world.strays], at);
      if (call) world.apply(call);
    }),
  ),
  fc.tuple(which, fc.constantFrom('response' as const, 'response' as const, 'failure' as const)).map(([at, how]) =>
    command(`respond(${at}, ${how})`, (world) => {
      const call = pick(world.calls, at);
      if (call) world.respond(call, how);
    }),
  ),
  fc
    .constantFrom(0.1, 4.9, 5, 10, 15, 44.9, 50, 3600, KEEP / 2, KEEP)
    .map((time) => command(`wait(${time} s)`, () => void jest.advanceTimersByTime(time * 1000))),
  machine.map((number) => command(`kill(${number})`, (world) => world.kill(number))),
];

test('whatever happens, in whatever order, what is promised holds', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 40, size: '+1' }), async (sequence) => {
      const world = new World();
      await fc.asyncModelRun(() => ({ model: {}, real: world }), sequence);
      await world.recover();
      expect(world.broken).toEqual([]);
    }),
    { numRuns: Number(process.env.FUZZ_RUNS) || 1000 },
  );
}, 120_000);

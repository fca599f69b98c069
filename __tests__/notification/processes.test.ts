import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { SharedRecords } from './shared-store';
import { apiv3Key, PLATFORM_ID, post, publicKey, type Sent, serve, v3 } from './support';

/** What a process asks the test for while it deals with a notification. */
type Step = 'reserve' | 'run' | 'complete' | 'release';
/** What becomes of one such step; `lost`: it is carried out, and the response fails. */
type Fault = 'refused' | 'lost' | 'killed before' | 'killed after';

const FAULTS: readonly Fault[] = ['refused', 'lost', 'killed before', 'killed after'];

/** Seconds since the test began, for the store. */
let now = 0;
const records = new SharedRecords(() => now);

interface Machine {
  process: ChildProcess;
  url: string;
}

/** Two processes, and what happens to the next step of one of them. */
const machines: Machine[] = [];
let planned: { machine: number; step: Step; fault: Fault } | undefined;
let failing = false;
/** By id of a notification: runs that have begun and ended, and how many there were at once. */
let runs = { begun: 0, succeeded: 0, under: 0, most: 0 };

let control: Awaited<ReturnType<typeof serve>>;
const listening = new Map<number, (port: number) => void>();

beforeAll(async () => {
  control = await serve((request, response) => void answer(request, response));
  await Promise.all([start(0), start(1)]);
}, 120_000);
afterAll(async () => {
  for (const { process } of machines) process.kill('SIGKILL');
  await control.close();
});

async function start(machine: number): Promise<void> {
  const child = spawn(process.execPath, ['-r', 'esbuild-register', join(__dirname, 'process.fixture.ts')], {
    env: {
      ...{ ...process.env, CONTROL: `${control.url.replace('/notify', '')}/${machine}`, APIV3_KEY: apiv3Key },
      ...{ PUBLIC_KEY_ID: PLATFORM_ID, PUBLIC_KEY: String(publicKey.export({ type: 'spki', format: 'pem' })) },
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const port = await new Promise<number>((resolve) => listening.set(machine, resolve));
  machines[machine] = { process: child, url: `http://127.0.0.1:${port}/notify` };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, name = '', step = ''] = request.url?.split('/') ?? [];
  const machine = Number(name);
  const args: [never, never, never] = JSON.parse(await text(request));
  const reply = (status: number, value: unknown = null) => response.writeHead(status).end(JSON.stringify(value));
  if (step === 'listen') {
    listening.get(machine)?.(args[0]);
    return void reply(200);
  }
  const fault = planned?.machine === machine && planned.step === step ? planned.fault : undefined;
  if (fault) planned = undefined;
  if (step === 'run') begin();
  if (fault === 'killed before') return kill(machine);
  if (step === 'run') end(fault !== 'refused' && fault !== 'lost' && !failing);
  if (step === 'run' && failing && !fault) return void reply(500);
  const value = fault === 'refused' || step === 'run' ? null : records[step as Exclude<Step, 'run'>](...args);
  if (fault === 'killed after') return kill(machine);
  reply(fault ? 500 : 200, value);
}

function begin(): void {
  runs.begun++;
  runs.most = Math.max(runs.most, ++runs.under);
}

function end(succeeds: boolean): void {
  runs.under--;
  if (succeeds) runs.succeeded++;
}

function kill(machine: number): void {
  machines[machine]?.process.kill('SIGKILL');
}

/** Sends a notification to a process; `undefined` if the process dies of it. */
async function deliver(machine: number, sent: Sent): Promise<number | undefined> {
  const { process, url } = machines[machine] as Machine;
  try {
    return (await post(url, sent)).status;
  } catch {
    if (process.signalCode === null) await once(process, 'exit');
    // It died with what it was running.
    runs.under = 0;
    await start(machine);
    return undefined;
  }
}

const at = (machine: number, step: Step, fault: Fault) => ({ machine, step, fault });

/** One notification: to the process that a fault happens to, then to the other one, and so on, as it is repeated. */
async function play(step: Step, fault: Fault): Promise<{ statuses: (number | undefined)[] } & typeof runs> {
  runs = { begun: 0, succeeded: 0, under: 0, most: 0 };
  const sent = v3();
  const statuses: (number | undefined)[] = [];
  planned = at(0, step, fault);
  failing = step === 'release';
  statuses.push(await deliver(0, sent));
  failing = false;
  for (const machine of [1, 0, 1, 0]) {
    statuses.push(await deliver(machine, sent));
    now += 60;
  }
  expect(planned).toBeUndefined();
  return { statuses, ...runs };
}

/** What is answered at first by each, and how often the function succeeds if it is always repeated. */
const EXPECTED: Record<Step, Record<Fault, [first: number | undefined, second: number, succeeded: number]>> = {
  reserve: {
    refused: [500, 204, 1],
    // Nobody knows of the reservation: its time must pass.
    lost: [500, 503, 1],
    'killed before': [undefined, 204, 1],
    'killed after': [undefined, 503, 1],
  },
  run: {
    refused: [500, 204, 1],
    lost: [500, 204, 1],
    'killed before': [undefined, 503, 1],
    // It had ended, and nobody could record it: what is left to the function itself.
    'killed after': [undefined, 503, 2],
  },
  complete: {
    // The other one does not know of it once the time of the attempt is over; the one that ran it does.
    refused: [204, 503, 2],
    lost: [204, 204, 1],
    'killed before': [undefined, 503, 2],
    'killed after': [undefined, 204, 1],
  },
  release: {
    refused: [500, 503, 1],
    lost: [500, 204, 1],
    'killed before': [undefined, 503, 1],
    'killed after': [undefined, 204, 1],
  },
};

const CASES = Object.keys(EXPECTED).flatMap((step) => FAULTS.map((fault) => [step as Step, fault] as const));

describe('two processes with one store', () => {
  test.each(CASES)(
    '%s is %s',
    async (step, fault) => {
      const [first, second, succeeded] = EXPECTED[step][fault];
      const outcome = await play(step, fault);
      expect(outcome.statuses.slice(0, 2)).toEqual([first, second]);
      // Nothing is lost: whatever happened, it ends with success, on both.
      expect(outcome.statuses.slice(-2)).toEqual([204, 204]);
      expect(outcome).toMatchObject({ succeeded, most: 1, under: 0 });
    },
    60_000,
  );

  test('what reaches both at once runs in one of them', async () => {
    runs = { begun: 0, succeeded: 0, under: 0, most: 0 };
    const sent = v3();
    const statuses = await Promise.all([0, 1, 0, 1, 0, 1].map((machine) => deliver(machine, sent)));
    expect(statuses).toContain(204);
    expect(statuses.filter((status) => status !== 204 && status !== 503)).toEqual([]);
    expect(runs).toMatchObject({ begun: 1, succeeded: 1, most: 1 });
    expect([await deliver(0, sent), await deliver(1, sent)]).toEqual([204, 204]);
    expect(runs.begun).toBe(1);
  });
});

/**
 * A soak: `npm run soak`, ten minutes, or `npm run soak -- 60` for as many seconds.
 *
 * In rounds of calls and notifications, with everything that can go wrong. After each round it is quiet: then nothing may
 * be left over (sockets, timers, listeners, memory), and what the other side has seen is held against what the callers
 * were told. Exits with 1 where anything was violated.
 */
import { fork } from 'node:child_process';
import { getEventListeners, once, setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeMachine } from '../machine.mjs';
import { table } from '../table.mjs';
import { against, createCalls } from './calls.mjs';
import { createNotifications } from './notifications.mjs';

const seconds = Number(process.argv[2] ?? 600);
if (!(seconds > 0)) throw new Error(`"${process.argv[2]}" is not a number of seconds.`);
/** At least six rounds: the first of them warms up. */
const ROUND = Math.min(20, seconds / 6);
const AT_ONCE = 40;
/** How long after a round it may take until it is quiet, in seconds: far more than it does. */
const PATIENCE = 15;
/** What memory may grow by between the rounds after the first and the last ones, in megabytes. */
const ALLOWED = 6;

const violations = new Map();
const tally = new Map();
const bump = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);
const violate = (text) => bump(violations, text);

process.on('unhandledRejection', (error) => violate(`unhandled rejection: ${error?.message ?? error}`));
process.on('warning', ({ name, message }) => violate(`warning: ${name} ${message}`));

const server = fork(new URL('server.mjs', import.meta.url));
const [setup] = await once(server, 'message');
const ask = async (question, argument) => {
  server.send({ question, argument });
  return (await once(server, 'message'))[0];
};

const shared = new AbortController();
setMaxListeners(0, shared.signal);
const { make, close } = await createCalls(setup, shared.signal);
const notifications = createNotifications(setup);
let calls = 0;
let notified = 0;
let longest = 0;

/** Calls and notifications for a time; gives the calls, once all have ended. */
async function round(time) {
  const end = performance.now() + time * 1000;
  const made = [];
  const caller = async () => {
    while (performance.now() < end) made.push(await make());
  };
  const notifier = async () => {
    while (performance.now() < end) {
      const { kind, issues } = await notifications.send();
      notified++;
      bump(tally, `notification, ${kind}\t\thandled`);
      for (const issue of issues) violate(issue);
      await sleep(2);
    }
  };
  await Promise.all([...Array.from({ length: AT_ONCE }, caller), notifier()]);
  return made;
}

/** What is open in this process, but for what Node itself and the line to the server hold. */
function leftOver() {
  const open = process.getActiveResourcesInfo();
  const count = (name) => open.filter((one) => one === name).length;
  return { sockets: count('TCPSocketWrap') + count('TLSWrap'), timers: count('Timeout') };
}

/** Waits until everything of a round is gone, and says what is not. */
async function quiet() {
  for (const end = performance.now() + PATIENCE * 1000; performance.now() < end; ) {
    const { connections } = await ask('state');
    const { sockets } = leftOver();
    if (connections === 0 && sockets === 0) break;
    await sleep(100);
  }
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc();
    await sleep(20);
  }
  const { heapUsed, external, arrayBuffers, rss } = process.memoryUsage();
  const { connections } = await ask('state');
  const listeners = getEventListeners(shared.signal, 'abort').length;
  return { ...leftOver(), connections, listeners, heap: heapUsed, buffers: external + arrayBuffers, rss };
}

async function judge(made) {
  const records = await ask(
    'records',
    made.map(({ id }) => id),
  );
  made.forEach((one, index) => {
    calls++;
    longest = Math.max(longest, one.took);
    bump(tally, `${one.kind}\t${one.fault}\t${one.outcome}`);
    for (const issue of [...one.issues, ...against(one, records[index])])
      violate(`${one.kind}, ${one.fault}: ${issue}`);
  });
}

const points = [];
const begin = performance.now();
console.log(`${describeMachine()}\n${seconds} s in rounds of ${ROUND.toFixed(0)} s, ${AT_ONCE} calls at once\n`);
for (let left = seconds; left > 0.5; left = seconds - (performance.now() - begin) / 1000) {
  await judge(await round(Math.min(ROUND, left)));
  const point = await quiet();
  points.push({ time: (performance.now() - begin) / 1000, calls, notified, ...point });
  console.log(
    `${points.at(-1).time.toFixed(0)} s: ${calls} calls, ${notified} notifications, ${violations.size} kinds of violations`,
  );
}
const { badSignatures, rotations, unasked } = await ask('state');
await close();

const MB = 2 ** 20;
if (badSignatures > 0) violate(`${badSignatures} requests were signed wrongly, or with a nonce for the second time`);
if (unasked > 0) violate(`${unasked} requests belong to no call`);
for (const { sockets, connections, listeners } of points) {
  if (sockets + connections > 0)
    violate(`${sockets} sockets were left over after a round (${connections} at the server)`);
  if (listeners > 0) violate(`${listeners} listeners were left over after a round`);
}
/** The first round warms up; what grows is then more at its least in the last third than at its most in the first. */
for (const [name, limit] of [
  ['heap', ALLOWED * MB],
  ['buffers', ALLOWED * MB],
  ['timers', 1],
]) {
  const values = points.slice(1).map((point) => point[name]);
  const third = Math.max(1, Math.floor(values.length / 3));
  const growth = Math.min(...values.slice(-third)) - Math.max(...values.slice(0, third));
  if (values.length >= 2 && growth > limit) violate(`${name} grow: by ${growth}`);
}

/** By kind and fault, with how often each outcome came. */
const outcomes = new Map();
for (const [key, times] of [...tally].sort(([one], [other]) => (one < other ? -1 : 1))) {
  const [kind, fault, outcome] = key.split('\t');
  const row = `${kind}\t${fault}`;
  outcomes.set(row, [...(outcomes.get(row) ?? []), `${outcome} ${times}`]);
}
const rows = [...outcomes].map(([key, texts]) => [...key.split('\t'), texts.join(', ')]);
console.log(`\n${table(['calls', 'fault', 'outcomes'], rows)}`);
const mb = (bytes) => (bytes / MB).toFixed(1);
console.log(
  `\n${table(
    ['after s', 'calls', 'notifications', 'heap MB', 'buffers MB', 'rss MB', 'sockets', 'timers', 'listeners'],
    points.map((one) => [
      ...[one.time.toFixed(0), one.calls, one.notified, mb(one.heap), mb(one.buffers), mb(one.rss)],
      ...[one.sockets, one.timers, one.listeners],
    ]),
  )}`,
);
console.log(
  `\n${calls} calls, the longest ${(longest / 1000).toFixed(1)} s; ${notified} notifications; ${rotations} certificates`,
);
if (violations.size > 0) console.log(`\n${table(['violation', 'times'], [...violations])}`);
console.log(violations.size > 0 ? '\nFAILED' : '\nNothing grew, every call ended as it must.');
server.disconnect();
process.exitCode = violations.size > 0 ? 1 : 0;

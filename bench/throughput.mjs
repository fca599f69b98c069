import { start, startServer } from './children.mjs';
import { createSetup } from './setup.mjs';

/** Milliseconds that one contender is measured before it is the turn of the next. */
const SLICE = 1000;
const WARM_UP = 1000;

/**
 * Measures contenders in turns: each round has a new process for each, and at each concurrency they take turns of a
 * second, so that what disturbs the machine disturbs them all.
 * @param task one of `TASKS`
 * @param seconds time that each contender is measured in a round, at each concurrency
 * @returns by contender: whether it verifies; a list of what each round gave, by concurrency
 */
export async function throughput({ task, contenders, concurrencies, rounds, seconds, progress }) {
  const server = await startServer(createSetup());
  const results = new Map(contenders.map((name) => [name, { verifies: undefined, rounds: [] }]));
  for (let round = 0; round < rounds; round++) {
    progress(`round ${round + 1} of ${rounds}`);
    const workers = contenders.map((name) => ({ name, ...start('worker.mjs', [name]) }));
    const tell = async ({ ask }, command, options) => (await ask({ command, ...options })).value;
    for (const worker of workers) {
      results.get(worker.name).verifies = await tell(worker, 'load', { name: worker.name, setup: server.setup, task });
    }
    for (const worker of workers) await tell(worker, 'warmUp', { concurrency: 16, milliseconds: WARM_UP });
    for (const concurrency of concurrencies) {
      for (let slice = 0; slice < (seconds * 1000) / SLICE; slice++) {
        // Each goes first in its turn, last in another.
        const turn = (slice + round) % workers.length;
        for (const worker of [...workers.slice(turn), ...workers.slice(0, turn)]) {
          await tell(worker, 'slice', { concurrency, milliseconds: SLICE });
        }
      }
    }
    for (const worker of workers) results.get(worker.name).rounds.push(await tell(worker, 'results'));
    await Promise.all(workers.map(({ stop }) => stop()));
  }
  await server.stop();
  return results;
}

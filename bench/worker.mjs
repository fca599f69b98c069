/** One contender in a process of its own, which does as it is told. */
import { createMeter, load } from './measure.mjs';

let contender;
let meter;

const COMMANDS = {
  load: async ({ name, setup, task }) => {
    contender = await load(name, setup, task);
    meter = createMeter(contender.once);
    await contender.once();
    return contender.verifies();
  },
  warmUp: ({ concurrency, milliseconds }) => meter.warmUp(concurrency, milliseconds),
  slice: ({ concurrency, milliseconds }) => meter.slice(concurrency, milliseconds),
  results: () => meter.results(),
};

process.on('message', async ({ command, ...options }) => {
  process.send({ value: await COMMANDS[command](options) });
});
process.on('disconnect', () => process.exit());

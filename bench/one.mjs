/**
 * One contender in this very process, to look into it:
 * node --cpu-prof --cpu-prof-dir=/tmp/profiles bench/one.mjs ours 64 5
 */
import { startServer } from './children.mjs';
import { createMeter, load } from './measure.mjs';
import { createSetup } from './setup.mjs';
import { taskOf } from './tasks.mjs';

const [name = 'ours', concurrency = '16', seconds = '5'] = process.argv.slice(2);
const server = await startServer(createSetup());
const { once } = await load(name, server.setup, taskOf(name));
const meter = createMeter(once);
await meter.warmUp(Number(concurrency), 1000);
await meter.slice(Number(concurrency), Number(seconds) * 1000);
console.dir(meter.results(), { depth: null });
await server.stop();
process.exit();

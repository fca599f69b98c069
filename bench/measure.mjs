import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { createHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { TASKS } from './tasks.mjs';

const require = createRequire(import.meta.url);
/** Milliseconds between two looks at the event loop; what lies between them beyond that is delay. */
const RESOLUTION = 1;
/** Milliseconds at the start of a slice that do not count. */
const RAMP = 300;

/**
 * Loads one contender.
 * @param contender its name; `ours=path/to/another/dist` is another build
 */
export async function load(contender, setup, task) {
  const [name, argument] = contender.split('=');
  const call = await require(`./contenders/${name}.cjs`).connect(setup, argument && resolve(argument));
  const { ask, answered, yieldAfter } = TASKS[task](setup);
  let calls = 0;
  return {
    /** Does one call. */
    once: async () => {
      const answer = await call(ask());
      if (!answered(answer)) throw new Error(`${contender} gave ${JSON.stringify(answer)}`);
      if (++calls % yieldAfter === 0) await setImmediate();
    },
    /** Whether it refuses a wrong signature. */
    verifies: async () => {
      try {
        await call(ask(true));
        return false;
      } catch {
        return true;
      }
    },
  };
}

/** Measures what one contender does, in slices of time. */
export function createMeter(once) {
  const totals = new Map();
  const totalOf = (concurrency) => {
    if (!totals.has(concurrency)) {
      const latency = createHistogram({ lowest: 1, highest: 60_000_000, figures: 3 });
      totals.set(concurrency, { slices: [], latency });
    }
    return totals.get(concurrency);
  };

  /** Keeps so many calls under way. */
  const spin = async (concurrency, milliseconds, after) => {
    const end = performance.now() + milliseconds;
    const loop = async () => {
      for (let start = performance.now(); start < end; start = performance.now()) {
        await once();
        after(start);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, loop));
  };

  return {
    warmUp: (concurrency, milliseconds) => spin(concurrency, milliseconds, () => {}),
    /** Measures in full swing: neither the start, when connections are opened, nor the end counts. */
    slice: async (concurrency, milliseconds) => {
      const { slices, latency } = totalOf(concurrency);
      // A new one each time: one that is enabled again takes the time in between for a delay.
      const loop = monitorEventLoopDelay({ resolution: RESOLUTION });
      let calls = 0;
      let counting = false;
      const running = spin(concurrency, RAMP + milliseconds, (start) => {
        if (!counting) return;
        calls++;
        latency.record(Math.max(1, Math.round((performance.now() - start) * 1000)));
      });
      await setTimeout(RAMP);
      const before = process.cpuUsage();
      const start = performance.now();
      counting = true;
      loop.enable();
      await setTimeout(milliseconds);
      loop.disable();
      counting = false;
      const seconds = (performance.now() - start) / 1000;
      const { user, system } = process.cpuUsage(before);
      const delay = Math.max(0, loop.percentile(99) / 1000 - RESOLUTION * 1000);
      slices.push({ rate: calls / seconds, cpu: (user + system) / calls, delay });
      await running;
    },
    /**
     * By concurrency: of each slice, calls per second, µs of CPU per call, and the 99th percentile of the delay of the
     * event loop in µs; of all, µs of latency; and MB of memory.
     */
    results: () => {
      const { rss, heapUsed } = process.memoryUsage();
      const entries = [...totals].map(([concurrency, { slices, latency }]) => [
        concurrency,
        {
          slices,
          p50: latency.percentile(50),
          p99: latency.percentile(99),
          rss: rss / 1e6,
          heap: heapUsed / 1e6,
        },
      ]);
      return Object.fromEntries(entries);
    },
  };
}

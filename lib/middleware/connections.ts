import { channel } from 'node:diagnostics_channel';

/** Published by undici, whichever copy of it, as it begins a connection. */
const beforeConnect = channel('undici:client:beforeConnect');

/** The requests to one origin that are on a connection, or wait for one. */
interface Traffic {
  running: number;
  waiting: number;
  /** When the last that ran ended, by `performance.now()`. */
  idleSince: number;
}

const byOrigin = new Map<string, Traffic>();

function change(origin: string, what: 'running' | 'waiting', by: 1 | -1): void {
  const traffic = byOrigin.get(origin) ?? { running: 0, waiting: 0, idleSince: 0 };
  traffic[what] += by;
  if (what === 'running' && traffic.running === 0) traffic.idleSince = performance.now();
  if (traffic.running === 0 && traffic.waiting === 0) byOrigin.delete(origin);
  else byOrigin.set(origin, traffic);
}

/**
 * A request on its way to a connection, and then on it.
 *
 * It is connecting while undici makes a connection for it. While it waits for its turn on a connection that others are
 * using it is not: the host can be reached, and has no fault in it.
 */
export class Connecting {
  readonly #origin: string;
  readonly #start = performance.now();
  #state: 'waiting' | 'running' | undefined = 'waiting';
  /** undici has begun a connection for this very request. */
  #own = false;

  constructor(origin: string) {
    this.#origin = origin;
    change(origin, 'waiting', 1);
  }

  /** Dispatches the request, which may make undici connect, and it does so at once. */
  watch<Result>(dispatch: () => Result): Result {
    const note = () => {
      this.#own = true;
    };
    beforeConnect.subscribe(note);
    try {
      return dispatch();
    } finally {
      beforeConnect.unsubscribe(note);
    }
  }

  /** For how long it has been connecting, in milliseconds. */
  elapsed(): number {
    const { running = 0, idleSince = 0 } = byOrigin.get(this.#origin) ?? {};
    if (this.#own) return performance.now() - this.#start;
    return running > 0 ? 0 : performance.now() - Math.max(this.#start, idleSince);
  }

  /** It has a connection. */
  run(): void {
    this.#change('running');
  }

  /** It has ended. */
  end(): void {
    this.#change(undefined);
  }

  #change(state: 'running' | undefined): void {
    const before = this.#state;
    if (before === state || before === undefined) return;
    this.#state = state;
    if (state) change(this.#origin, state, 1);
    change(this.#origin, before, -1);
  }
}

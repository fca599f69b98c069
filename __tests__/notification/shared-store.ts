import type { NotificationStore, Reservation } from '../../lib/notification/store';

/** The records that machines share, and what may be done with them, as the contract of a store has it. */
export class SharedRecords implements NotificationStore {
  readonly #records = new Map<string, { value: string; end: number }>();
  readonly #now: () => number;

  /** @param now a clock, in seconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** What is recorded: an attempt, `done`, or nothing. */
  read(id: string): string | undefined {
    const record = this.#records.get(id);
    return record && record.end > this.#now() ? record.value : undefined;
  }

  reserve(id: string, attempt: string, seconds: number): Reservation {
    const value = this.read(id);
    if (value !== undefined) return value === 'done' ? 'done' : 'busy';
    this.#records.set(id, { value: attempt, end: this.#now() + seconds });
    return 'reserved';
  }

  complete(id: string, seconds: number): void {
    this.#records.set(id, { value: 'done', end: this.#now() + seconds });
  }

  release(id: string, attempt: string): void {
    if (this.read(id) === attempt) this.#records.delete(id);
  }
}

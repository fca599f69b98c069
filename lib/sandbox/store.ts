/** A change of a value in a table; without a value, the key is gone. */
export type Change = readonly [table: string, key: string, value?: unknown];

/**
 * The values of one kind, by key. Keys that belong to a merchant begin with its id and a slash: see {@link keyOf}. Values
 * are plain JSON and never changed in place, so that what a reader holds stays as it was.
 */
export interface Table<T> {
  readonly size: number;
  get(key: string): T | undefined;
  put(key: string, value: T): void;
  delete(key: string): void;
  /** The values that an index finds, in the order in which they came. */
  by(index: string, text: string): T[];
  values(): IterableIterator<T>;
  entries(): IterableIterator<[key: string, value: T]>;
}

export interface TableOptions<T> {
  readonly indexes?: Readonly<Record<string, (value: T) => string | undefined>>;
  readonly survivesReset?: boolean;
}

/** The state of a sandbox: tables, and their changes. */
export interface Store {
  /**
   * Creates a table.
   * @param options `indexes`: how values are found besides by key; each returns the string to look for, or `undefined`.
   * `survivesReset`: {@link Store.clear} leaves the table alone
   */
  table<T extends object>(name: string, options?: TableOptions<T>): Table<T>;
  /** Passes the changes since the last call to the listeners, as one entry. Call it when a request has been processed. */
  commit(): void;
  /** Listens to commits; returns a function that stops it. */
  listen(listener: (changes: readonly Change[]) => void): () => void;
  /** Deletes everything, or what belongs to one merchant. */
  clear(mchid?: string): void;
}

/** The key of something with a merchant's own number. */
export function keyOf(mchid: string, number: string): string {
  return `${mchid}/${number}`;
}

/** The values of a store, by table and key. */
export type Values = ReadonlyMap<string, ReadonlyMap<string, unknown>>;

/** @param kept the values of an earlier store: each table takes its own when it is created */
export function createStore(kept: Values = new Map()): Store {
  const tables = new Map<string, AnyTable>();
  const surviving = new Set<string>();
  const listeners = new Set<(changes: readonly Change[]) => void>();
  let pending: Change[] = [];

  function changed(change: Change): void {
    if (listeners.size > 0) pending.push(change);
  }

  return {
    table(name, { indexes = {}, survivesReset = false } = {}) {
      const table = createTable(name, indexes, changed);
      for (const [key, value] of kept.get(name) ?? []) table.apply(key, value);
      tables.set(name, table);
      if (survivesReset) surviving.add(name);
      return table;
    },
    commit() {
      if (pending.length === 0) return;
      const changes = pending;
      pending = [];
      for (const listener of listeners) listener(changes);
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    clear(mchid) {
      for (const [name, table] of tables) {
        if (surviving.has(name)) continue;
        for (const [key] of [...table.entries()]) {
          if (mchid === undefined || key.startsWith(`${mchid}/`)) table.delete(key);
        }
      }
    },
  };
}

/** A table whose values are of whatever type. */
interface AnyTable {
  apply(key: string, value: unknown): void;
  delete(key: string): void;
  entries(): IterableIterator<[string, unknown]>;
}

function createTable<T extends object>(
  name: string,
  indexes: Readonly<Record<string, (value: T) => string | undefined>>,
  changed: (change: Change) => void,
): Table<T> & AnyTable {
  const values = new Map<string, T>();
  // Most texts find one key, which takes far less memory than a set of one.
  const found = new Map(Object.keys(indexes).map((index) => [index, new Map<string, string | Set<string>>()]));

  function reindex(key: string, before: T | undefined, after: T | undefined): void {
    for (const [index, textOf] of Object.entries(indexes)) {
      const keys = found.get(index);
      const [old, now] = [before && textOf(before), after && textOf(after)];
      if (!keys || old === now) continue;
      if (old !== undefined) {
        const some = keys.get(old);
        if (some instanceof Set) some.delete(key);
        if (some === key || (some instanceof Set && some.size === 0)) keys.delete(old);
      }
      if (now !== undefined) keys.set(now, withKey(keys.get(now), key));
    }
  }

  function set(key: string, value: T | undefined): void {
    reindex(key, values.get(key), value);
    if (value === undefined) values.delete(key);
    else values.set(key, value);
  }

  return {
    get size() {
      return values.size;
    },
    get: (key) => values.get(key),
    put(key, value) {
      set(key, value);
      changed([name, key, value]);
    },
    delete(key) {
      if (!values.has(key)) return;
      set(key, undefined);
      changed([name, key]);
    },
    by(index, text) {
      const keys = found.get(index)?.get(text) ?? [];
      return (typeof keys === 'string' ? [keys] : [...keys]).flatMap((key) => values.get(key) ?? []);
    },
    values: () => values.values(),
    entries: () => values.entries(),
    // What was committed is of this type: the table wrote it.
    apply: (key, value) => set(key, value as T | undefined),
  };
}

function withKey(keys: string | Set<string> | undefined, key: string): string | Set<string> {
  if (keys === undefined || keys === key) return key;
  return keys instanceof Set ? keys.add(key) : new Set([keys, key]);
}

import { Response } from 'undici';
import type { Store } from '../store';

/** Tables without events: keys, and the tasks of the clock. */
const PRIVATE: ReadonlySet<string> = new Set([
  ...['identities', 'platform-key', 'platform-certificates', 'platform-current', 'tasks'],
]);

/** Milliseconds between heartbeats, so that no proxy closes an idle connection. */
const HEARTBEAT = 15_000;

/** How many messages wait for a slow listener before it is disconnected. */
const MOST = 10_000;

/** Events of the sandbox besides changes of its store. */
export interface Announcer {
  announce(event: string, data: object): void;
  listen(listener: (event: string, data: object) => void): () => void;
}

export function createAnnouncer(): Announcer {
  const listeners = new Set<(event: string, data: object) => void>();
  return {
    announce(event, data) {
      for (const listener of listeners) listener(event, data);
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/**
 * Server-sent events: `change` once for each commit, with table and key of each value that changed (`deleted` where it is
 * gone); `request` once for each request that got its response. They say what to query again, and have no values.
 * @param mchid forgets only what belongs to that merchant
 */
export function eventStream(store: Store, announcer: Announcer, mchid?: string): Response {
  const encoder = new TextEncoder();
  let stop = (): void => {};
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = (): void => {
          stop();
          controller.close();
        };
        const write = (text: string): void => {
          controller.enqueue(encoder.encode(text));
          if ((controller.desiredSize ?? 0) < -MOST) end();
        };
        const tell = (event: string, data: object): void => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
        const unlisten = [
          store.listen((all) => {
            const changes = all.flatMap(([table, key, value]) => {
              if (PRIVATE.has(table) || (mchid !== undefined && !key.startsWith(`${mchid}/`))) return [];
              return [{ table, key, ...(value === undefined && { deleted: true }) }];
            });
            if (changes.length > 0) tell('change', { changes });
          }),
          announcer.listen((event, data) => {
            if (mchid === undefined || Object(data).mchid === mchid) tell(event, data);
          }),
        ];
        const heartbeat = setInterval(() => write(': still here\n\n'), HEARTBEAT).unref();
        stop = () => {
          clearInterval(heartbeat);
          for (const one of unlisten) one();
        };
        write(': connected\n\n');
      },
      cancel: () => stop(),
    },
    { highWaterMark: 1 },
  );
  const headers = { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' };
  return new Response(stream, { headers });
}

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import type { Misbehaviour } from './misbehaviour';
import { discard, headOf, type SandboxResponse } from './response';

/** The longest time that a timer of Node takes, some 25 days. */
const LONGEST = 2 ** 31 - 1;
/** Milliseconds in which a client on the same machine reads what it was sent. */
const MOMENT = 10;

/**
 * Writes a response to its connection, or breaks the connection: `delay`, `close`, `reset`, `truncate`, `garbage`.
 * @returns the status, if it was sent
 */
export async function transmit(
  response: ServerResponse,
  outgoing: SandboxResponse,
  how: Misbehaviour,
): Promise<number | undefined> {
  await turn(response);
  if (how.delay !== undefined) await wait(how.delay, response);
  const { socket } = response;
  if (!socket || response.destroyed) return void discard(outgoing);

  const head = headOf(outgoing);
  const body = Buffer.isBuffer(outgoing.body) ? outgoing.body : Buffer.alloc(0);
  if (how.close) return end(socket, '');
  if (how.garbage) return end(socket, 'This is not HTTP.\r\n\r\n');
  if (how.truncate) return end(socket, Buffer.concat([head, half(body)]), outgoing.status);
  if (how.reset === true) return reset(socket, '');
  if (how.reset === 'head') return reset(socket, half(head));
  if (how.reset === 'body') return reset(socket, Buffer.concat([head, half(body)]), outgoing.status);

  response.sendDate = false;
  response.writeHead(outgoing.status, outgoing.headers.flat());
  if (Buffer.isBuffer(outgoing.body)) response.end(body);
  // If the client disconnects or the stream fails, the connection ends; there is nobody to report it to.
  else await pipeline(outgoing.body, response).catch(() => {});
  return outgoing.status;
}

/** Waits until the responses to earlier requests on the same connection are sent. */
async function turn(response: ServerResponse): Promise<void> {
  if (!response.socket && !response.destroyed) await new Promise((resolve) => response.once('socket', resolve));
}

/** Waits until the time is up or the client disconnects. */
async function wait(milliseconds: number, response: ServerResponse): Promise<void> {
  if (response.destroyed) return;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  await setTimeout(Math.min(milliseconds, LONGEST), undefined, { signal: gone.signal }).catch(() => {});
}

function end(socket: Socket, bytes: Buffer | string, status?: number): number | undefined {
  socket.end(bytes, () => socket.destroy());
  return status;
}

async function reset(socket: Socket, bytes: Buffer | string, status?: number): Promise<number | undefined> {
  if (bytes.length > 0) {
    await new Promise<unknown>((resolve) => socket.write(bytes, resolve));
    // A client that receives bytes and reset together takes them for an orderly end.
    await setTimeout(MOMENT);
  }
  socket.resetAndDestroy();
  return status;
}

function half(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.length >> 1);
}

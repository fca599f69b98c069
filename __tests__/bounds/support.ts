import { execFileSync } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { Builder } from 'wechatpay-undici';
import { config } from '../fuzz/wire';
import { loose } from '../support/loose';

export { frame, signatureOf, signedAnswer } from '../fuzz/wire';

export const MB = 1024 * 1024;

/** Answers over the bare connection, once a request is there. */
export type Answering = (socket: Socket) => unknown;

/** A server that answers as it is told, and a client for it. */
export async function platform(answer: Answering = () => {}) {
  const sockets = new Set<Socket>();
  const state: { answer: Answering; asked?: Socket } = { answer };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.on('data', () => {
      state.asked = socket;
      state.answer(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const baseUrl = `http://127.0.0.1:${port}/`;
  return {
    state,
    /** Waits until the connection of the last request is closed; gives the bytes that were written to it. */
    closed: async () => {
      await eventually(() => state.asked?.closed === true);
      return state.asked?.bytesWritten ?? 0;
    },
    instance: loose<'v2' | 'v3'>(Builder.factory({ ...config, baseUrl })),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Writes the same over and over, as fast as it is taken, until the connection ends. */
export function endlessly(socket: Socket, bytes: Buffer | string): void {
  const write = () => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on('drain', write);
  write();
}

/** Writes the same piece every so often, until the connection ends. */
export function dripping(socket: Socket, piece: string, milliseconds: number): void {
  const timer = setInterval(() => socket.write(piece), milliseconds);
  socket.on('close', () => clearInterval(timer));
}

/** A chunk of a chunked body. */
export function chunk(size: number, octet = ' '): Buffer {
  return Buffer.from(`${size.toString(16)}\r\n${octet.repeat(size)}\r\n`);
}

/** Waits until something holds. */
export async function eventually(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 10) {
    if (waited > 5000) throw new Error('It never came to hold.');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/**
 * Runs a program in a process of its own, many times over; gives by how many bytes heap and buffers have grown when it
 * is over, and by how many the process at its highest.
 * @param setUp statements ahead of it
 * @param once an expression of a function that does it once
 */
export function memoryOf(
  setUp: string,
  once: string,
  times: number,
): { kept: number; peak: number; results: unknown[] } {
  const program = `(async () => {
    const bounds = require('./__tests__/bounds/support');
    ${setUp}
    const once = ${once};
    const held = async () => {
      for (let i = 0; i < 4; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    for (let i = 0; i < 2; i++) await once();
    const before = await held();
    const start = process.memoryUsage.rss();
    let peak = start;
    setInterval(() => { peak = Math.max(peak, process.memoryUsage.rss()); }, 5).unref();
    const results = [];
    for (let i = 0; i < ${times}; i++) results.push(await once());
    const kept = (await held()) - before;
    console.log(JSON.stringify({ kept, peak: peak - start, results }));
    process.exit();
  })()`;
  const args = ['--expose-gc', '-r', 'esbuild-register', '-e', program];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 }));
}

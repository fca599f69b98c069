import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';

/** A separate Redis that keeps nothing on disk. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string;
}

/** Starts `redis-server` on a free port; `undefined` if it is not installed. */
export async function startRedis(): Promise<RedisServer | undefined> {
  const port = String(await freePort());
  const args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const isThere = await ready(server);
  if (!isThere) return undefined;
  return {
    url: `redis://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.kill();
      await once(server, 'exit');
    },
  };
}

async function ready(server: ChildProcess): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? resolve(false) : reject(error)));
    server.on('exit', (code) => reject(new Error(`redis-server ended with ${code}.`)));
    server.stdout?.on('data', (text) => /ready to accept connections/i.test(String(text)) && resolve(true));
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

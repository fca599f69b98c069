import { fork } from 'node:child_process';
import { once } from 'node:events';

/** Starts a module of this directory in a process of its own. */
export function start(module, args = [], options = {}) {
  const child = fork(new URL(module, import.meta.url), args, { execArgv: [], ...options });
  const exited = once(child, 'exit').then(([code]) => {
    throw new Error(`${module} ${args.join(' ')} ended with ${code}`);
  });
  exited.catch(() => {});
  return {
    /** Sends a message, and waits for the answer. */
    ask: async (message) => {
      child.send(message);
      const [answer] = await Promise.race([once(child, 'message'), exited]);
      return answer;
    },
    stop: async () => {
      child.disconnect();
      await exited.catch(() => {});
    },
  };
}

/** Starts the server; gives the setup with its address. */
export async function startServer(setup) {
  const server = start('server.mjs');
  const { port } = await server.ask(setup);
  return { setup: { ...setup, baseUrl: `http://127.0.0.1:${port}/` }, stop: server.stop };
}

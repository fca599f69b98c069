import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

/** Whether the other clients are installed: `npm ci --prefix __tests__/clients`. */
export const isInstalled: boolean = ['wechatpay-axios-plugin', 'wechatpay-node-v3', 'tenpay'].every((name) => {
  try {
    return Boolean(require.resolve(name));
  } catch {
    return false;
  }
});

/** A client of others, of which the tests know no types: it may not be installed. */
export function client<Client>(name: string): Client {
  return require(name);
}

/** What `GET /sandbox/config` says. */
export interface Config {
  readonly mchid: string;
  readonly serial: string;
  readonly privateKey: string;
  readonly certificate: string;
  readonly publicKeyId: string;
  readonly publicKey: string;
  readonly apiv3Key: string;
  readonly secret: string;
  readonly baseUrl: string;
}

/** What paying an order says, as far as tests look into it. */
interface Paid {
  readonly order: { readonly trade_state: string };
  readonly notification: { readonly delivered?: boolean; readonly attempts: readonly object[] };
}

export interface Posted {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A shop, which knows nothing of the sandbox but its URL: what it does not do as a client, it does by the control API. */
export interface Shop extends AsyncDisposable {
  readonly config: Config;
  readonly notify_url: string;
  /** What was posted to `notify_url`, in order. */
  readonly notified: readonly Posted[];
  /** Replies to notifications from now on. */
  onNotified(reply: (posted: Posted) => string | Promise<string>): void;
  /** Calls the control API: `POST sandbox/clock`. */
  control<Json>(call: string, body?: object): Promise<Json>;
  /** Plays the user who pays. */
  pay(out_trade_no: string): Promise<Paid>;
  advance(duration: { readonly days?: number; readonly seconds?: number }): Promise<void>;
  /** Waits until so many notifications have arrived. */
  until(count: number): Promise<void>;
  /** The day in Beijing on the clock of the sandbox, `yyyy-MM-dd`. */
  day(): Promise<string>;
}

const ROOT = resolve(__dirname, '../..');
export const SUCCESS = '<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>';

/** `wxpay sandbox` as a process of its own. */
async function startSandbox(): Promise<{ url: string; end(): Promise<void> }> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^WECHATPAY_|^NODE_OPTIONS/.test(name)),
  );
  const args = ['-r', 'esbuild-register', 'lib/cli/index.ts', 'sandbox', '--json'];
  const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), 'line'),
    exited.then(([code]) => Promise.reject(new Error(`The sandbox has ended with ${code}.`))),
  ]);
  const { url }: { url: string } = JSON.parse(line);
  return {
    url,
    async end() {
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    },
  };
}

/** A sandbox and a server that takes its notifications. */
export async function openShop(): Promise<Shop> {
  const sandbox = await startSandbox();
  const notified: Posted[] = [];
  let reply: (posted: Posted) => string | Promise<string> = () => SUCCESS;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const posted = { headers: request.headers, body: Buffer.concat(chunks).toString() };
    notified.push(posted);
    try {
      response.end(await reply(posted));
    } catch (error) {
      // The sandbox shows it in the attempt, which the test looks at.
      response.writeHead(500).end(String(error));
    }
    server.emit('notified');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  async function control<Json>(call: string, body?: object): Promise<Json> {
    const [method = '', path = ''] = call.split(' ');
    const response = await fetch(new URL(path, sandbox.url), {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${call}: ${response.status} ${text}`);
    // The tests say what it is.
    return (text === '' ? undefined : JSON.parse(text)) as Json;
  }

  return {
    config: await control<Config>('GET sandbox/config'),
    notify_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`,
    ...{ notified, control },
    onNotified(replying) {
      reply = replying;
    },
    pay: (out_trade_no) => control<Paid>(`POST sandbox/orders/${out_trade_no}/pay`, {}),
    advance: (advance) => control('POST sandbox/clock', { advance }),
    async until(count) {
      while (notified.length < count) await once(server, 'notified');
    },
    async day() {
      const { now } = await control<{ now: string }>('GET sandbox/clock');
      return new Date(Date.parse(now) + 8 * 3_600_000).toISOString().slice(0, 10);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await sandbox.end();
    },
  };
}

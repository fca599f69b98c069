import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import type { Sandbox } from 'wechatpay-undici/sandbox';
import { main } from '../../lib/cli/main';

/** What a command printed, and its exit code. */
export interface Printed {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Situation {
  env?: Record<string, string | undefined>;
  stdin?: string | Readable;
  /** The streams are a terminal. */
  isTTY?: boolean;
  /** Ends a command that runs until Ctrl-C; is given what has been printed. */
  until?: (stdout: string) => unknown;
}

const everything: string[] = [];
const secrets = new Set<string>();

/** Runs the command in this process. */
export async function wxpay(argv: readonly string[], situation: Situation = {}): Promise<Printed> {
  const { env = {}, stdin = '', isTTY = false, until } = situation;
  const [out, err] = [new PassThrough(), new PassThrough()];
  const printed = { stdout: '', stderr: '' };
  out.on('data', (chunk: Buffer) => (printed.stdout += chunk.toString()));
  err.on('data', (chunk: Buffer) => (printed.stderr += chunk.toString()));
  const interrupted = async () => {
    await new Promise(setImmediate);
    await until?.(printed.stdout);
  };
  const given = stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)]);
  const input = isTTY && stdin === '' ? new PassThrough() : given;
  const streams = {
    stdin: Object.assign(input, { isTTY: isTTY && stdin === '' }),
    stdout: Object.assign(out, { isTTY }),
    stderr: Object.assign(err, { isTTY }),
  };
  const code = await main(argv, { ...streams, env, interrupted });
  await new Promise(setImmediate);
  everything.push(printed.stdout, printed.stderr);
  return { code, ...printed };
}

/** What a child process printed. */
export function remember(...texts: string[]): void {
  everything.push(...texts);
}

const directories: string[] = [];

/** A directory that is removed at the end. */
export function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'wxpay-test-'));
  directories.push(path);
  return path;
}

/** Writes a file; gives its path. */
export function file(name: string, content: string | Uint8Array): string {
  const path = join(directory(), name);
  writeFileSync(path, content);
  return path;
}

/** The environment of a merchant of the sandbox, its keys in files. No output may ever hold them. */
export function environment({ config }: Sandbox): Record<string, string> {
  const { mchid, serial, privateKey, certs, apiv3Key, secret, baseUrl } = config;
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  keepSecret(apiv3Key, secret, ...pem.split('\n').filter((line) => line.length === 64));
  const [[id, key] = []] = Object.entries(certs);
  if (!id || !key) throw new Error('The sandbox has a public key.');
  return {
    WECHATPAY_MCHID: mchid,
    WECHATPAY_SERIAL: serial,
    WECHATPAY_PRIVATE_KEY: file('apiclient_key.pem', pem),
    WECHATPAY_PUBLIC_KEY: file('pub_key.pem', key.export({ type: 'spki', format: 'pem' }).toString()),
    WECHATPAY_PUBLIC_KEY_ID: id,
    WECHATPAY_APIV3_KEY: file('apiv3_key.txt', `${apiv3Key}\n`),
    WECHATPAY_SECRET: file('secret.txt', secret),
    WECHATPAY_BASE_URL: baseUrl,
  };
}

export function keepSecret(...texts: string[]): void {
  for (const text of texts) secrets.add(text);
}

/** Of all that the tests of a file printed, nothing is secret; to be called at the end. */
export function afterwards(): void {
  afterAll(() => {
    for (const path of directories) rmSync(path, { recursive: true, force: true });
    expect(secrets.size).toBeGreaterThan(0);
    const leaked = everything.filter((text) => [...secrets].some((secret) => text.includes(secret)));
    expect(leaked).toEqual([]);
  });
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { InvalidArgumentError } from '../../errors';
import { Sandbox, type SandboxConfig } from '../../sandbox';
import { makeDirectory, write, writeFile } from '../io';
import { SETTINGS, type SettingName } from '../settings';
import type { CommandSpec } from './command';

const HELP = `A WeChat Pay platform on 127.0.0.1 that checks every signature and signs its responses. It supports business coupons and native
payments with refunds, and sends their notifications. It runs until Ctrl-C.

Its keys are generated anew each time and never printed. They are written to files that only you can read: in the directory
given with -o, where they remain, or otherwise in a temporary directory that is removed at the end.

Examples:
  $ wxpay sandbox                          # then paste what it prints into another terminal
  $ wxpay sandbox -p 8787 -o ./sandbox
  $ wxpay sandbox --json > sandbox.json & # one line: url, directory, env`;

/** `wxpay sandbox`: the sandbox, until Ctrl-C. */
export const sandboxCommand: CommandSpec = {
  usage: 'sandbox',
  what: 'run a WeChat Pay platform on this machine for testing',
  settings: [],
  help: HELP,
  configure: (command) =>
    command
      .option('-p, --port <number>', 'port to listen on; any free port by default')
      .option('-o, --output <directory>', 'where to write the keys'),

  async run({ io, options, json }) {
    const port = readPort(options.port);
    const kept = typeof options.output === 'string' ? resolve(options.output) : undefined;
    await using sandbox = await Sandbox.start({ port });
    if (kept !== undefined) makeDirectory(kept);
    const directory = kept ?? mkdtempSync(join(tmpdir(), 'wxpay-sandbox-'));
    try {
      const settings = writeKeys(directory, sandbox.config);
      const { url } = sandbox;
      const printed = json
        ? JSON.stringify({ url, directory, env: environment(settings) })
        : describe(url, directory, settings, kept === undefined);
      await write(io.stdout, `${printed}\n`);
      await io.interrupted();
    } finally {
      if (kept === undefined) rmSync(directory, { recursive: true, force: true });
    }
    return 0;
  },
};

type Written = Readonly<Record<Exclude<SettingName, 'brandId' | 'certificate' | 'passphrase'>, string>>;

function readPort(value: unknown): number {
  if (value === undefined) return 0;
  if (/^\d{1,5}$/.test(String(value)) && Number(value) < 65_536) return Number(value);
  throw new InvalidArgumentError(`"${String(value)}" is not a port; pass a number from 1 to 65535.`);
}

/** Writes the keys to files whose names WeChat Pay does not use; returns settings that name these files. */
function writeKeys(directory: string, config: SandboxConfig): Written {
  const put = (name: string, content: string) => writeFile(directory, `sandbox_${name}`, content, 0o600);
  // The library accepts this form, too.
  const url = (path: string) => pathToFileURL(path).href;
  const { mchid, serial, baseUrl, privateKey, certs, apiv3Key, secret } = config;
  const [publicKeyId = '', publicKey] = Object.entries(certs)[0] ?? [];
  return {
    mchid,
    serial,
    privateKey: url(put('private_key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())),
    publicKey: url(put('public_key.pem', String(publicKey?.export({ type: 'spki', format: 'pem' })))),
    publicKeyId,
    apiv3Key: put('apiv3_key.txt', apiv3Key),
    secret: put('secret.txt', secret),
    baseUrl,
  };
}

function environment(settings: Written): Record<string, string> {
  return Object.fromEntries(
    // `entries` returns strings; these are names of settings.
    Object.entries(settings).map(([name, value]) => [SETTINGS[name as SettingName].env, value]),
  );
}

function describe(url: string, directory: string, settings: Written, isPassing: boolean): string {
  const exports = Object.entries(environment(settings)).map(([name, value]) => `export ${name}=${shellQuoted(value)}`);
  return `The sandbox listens on ${url} until Ctrl-C.
Its keys are in ${directory}${isPassing ? ' until then' : ''}.

# For wxpay, in a shell.
${exports.join('\n')}

// In a program.
${snippet(settings)}`;
}

function snippet({ mchid, serial, privateKey, publicKey, publicKeyId, apiv3Key, secret, baseUrl }: Written): string {
  return `import { readFileSync } from 'node:fs';
import { Builder } from 'wechatpay-undici';

const instance = Builder.factory({
  mchid: '${mchid}',
  serial: '${serial}',
  privateKey: ${quoted(privateKey)},
  certs: { ${publicKeyId}: ${quoted(publicKey)} },
  apiv3Key: readFileSync(${quoted(apiv3Key)}, 'utf8'),
  secret: readFileSync(${quoted(secret)}, 'utf8'),
  baseUrl: '${baseUrl}',
});`;
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { codeOf } from '../../crypto/bytes';
import { InvalidArgumentError } from '../../errors';
import { type OwnIdentity, Sandbox, type SandboxConfig } from '../../sandbox';
import { makeDirectory, write, writeFile } from '../io';
import { isPath, keyText, SETTINGS, type SettingName, type Settings } from '../settings';
import type { CommandSpec } from './command';

const HELP = `A WeChat Pay platform on this machine, for shops in any language. It checks every request and its signature, and says what
is wrong; it signs its responses. Payments, refunds, bills, transfers, profit sharing, coupons, service orders and complaints
keep their state and send notifications; every other documented operation gets a made-up response. It runs until Ctrl-C.

Tests and scripts play the user, set the clock and add faults over HTTP (POST /sandbox/orders/ORDER-1/pay): see
docs/sandbox-control.md.

Its keys are never printed. They are written to files that only you can read: to the directory given with -o, where they are
kept together with all state, so that the next start goes on with both; otherwise to a temporary directory that is removed
at the end.

With --merchant it uses a merchant's own apiclient_key.pem and apiclient_cert.pem, and the API keys that WECHATPAY_APIV3_KEY
and WECHATPAY_SECRET name. These are never copied.

With --tls it listens with TLS, with certificates of an authority of its own (sandbox_ca.pem), and as an HTTPS proxy: a program
that cannot change its base URL trusts that authority and sets HTTPS_PROXY. v2 operations that need the merchant's TLS
certificate then require it. With -o the authority stays the same. Trust it only in test programs.

Examples:
  $ wxpay sandbox                          # then paste what it prints into another terminal
  $ wxpay sandbox -p 8787 -o ./sandbox
  $ wxpay sandbox --merchant ./cert       # your configuration stays, except base URL and platform key
  $ wxpay sandbox --tls -o ./sandbox      # https, also as https://api.mch.weixin.qq.com
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
      .option('--host <address>', 'address to listen on; 127.0.0.1 by default, which other machines cannot reach')
      .option('--allow-host <name>', 'a further host name that it accepts; may be repeated', collected, [])
      .option('-o, --output <directory>', 'where to keep the keys and all state')
      .option('--merchant <directory>', "directory of the merchant's apiclient_key.pem and apiclient_cert.pem")
      .option('--tls', "listen with TLS, and as an HTTPS proxy for WeChat Pay's hosts")
      .option('--strict', 'refuse operations that no product processes, instead of making up a response'),

  async run({ io, options, settings: given, json }) {
    const port = readPort(options.port);
    const kept = text(options.output) === undefined ? undefined : resolve(String(options.output));
    const merchant = readMerchant(text(options.merchant), given);
    const host = text(options.host);
    if (kept !== undefined) makeDirectory(kept);
    await using sandbox = await Sandbox.start({
      ...{ port, allowHosts: options.allowHost as string[], strict: options.strict === true },
      tls: options.tls === true,
      ...(host !== undefined && { host }),
      ...(merchant && { merchant }),
      ...(kept !== undefined && { journal: join(kept, 'sandbox_journal.jsonl') }),
    });
    const directory = kept ?? mkdtempSync(join(tmpdir(), 'wxpay-sandbox-'));
    try {
      const tls = writeCertificates(directory, sandbox, text(options.merchant));
      const settings = { ...writeKeys(directory, sandbox.config, merchant, given), ...tls?.settings };
      const { url } = sandbox;
      const printed = json
        ? JSON.stringify({ url, directory, env: { ...environment(settings), ...tls?.trust, ...tls?.proxy } })
        : describe(url, directory, settings, kept === undefined, tls);
      await write(io.stdout, `${printed}\n`);
      await io.interrupted();
    } finally {
      if (kept === undefined) rmSync(directory, { recursive: true, force: true });
    }
    return 0;
  },
};

/** The API keys are missing where the environment itself holds them. */
type Written = Readonly<
  Record<Exclude<SettingName, 'brandId' | 'certificate' | 'passphrase' | ApiKeyName>, string> &
    Partial<Record<ApiKeyName | 'certificate', string>>
>;
type ApiKeyName = 'apiv3Key' | 'secret';

function readPort(value: unknown): number {
  if (value === undefined) return 0;
  if (/^\d{1,5}$/.test(String(value)) && Number(value) < 65_536) return Number(value);
  throw new InvalidArgumentError(`"${String(value)}" is not a port; pass a number from 1 to 65535.`);
}

function text(option: unknown): string | undefined {
  return typeof option === 'string' ? option : undefined;
}

function collected(value: string, before: string[]): string[] {
  return [...before, value];
}

/** A merchant's own keys; the library says what is wrong with them. */
function readMerchant(directory: string | undefined, settings: Settings): OwnIdentity | undefined {
  if (directory === undefined) return undefined;
  const path = (name: string) => resolve(directory, name);
  const url = (name: SettingName) => {
    const value = settings[name];
    if (value === undefined || !isPath(value)) return undefined;
    return value.startsWith('file:') ? value : pathToFileURL(resolve(value)).href;
  };
  return {
    privateKey: readPem(path('apiclient_key.pem')),
    certificate: readPem(path('apiclient_cert.pem')),
    ...{ apiKey: keyText(settings, 'apiv3Key'), secret: keyText(settings, 'secret') },
    files: {
      privateKey: pathToFileURL(path('apiclient_key.pem')).href,
      apiKey: url('apiv3Key'),
      secret: url('secret'),
    },
  };
}

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new InvalidArgumentError(`${path} cannot be read (${codeOf(cause)}).`, { cause });
  }
}

/**
 * Writes the keys, under names that no file of WeChat Pay has; gives the settings that name these files. What the merchant
 * brought along is named where it is.
 */
function writeKeys(directory: string, config: SandboxConfig, own: OwnIdentity | undefined, given: Settings): Written {
  const put = (name: string, content: string) => writeFile(directory, `sandbox_${name}`, content, 0o600);
  // The library accepts this form, too.
  const url = (path: string) => pathToFileURL(path).href;
  const { mchid, serial, baseUrl, privateKey, certs, apiv3Key, secret } = config;
  const [publicKeyId = '', publicKey] = Object.entries(certs)[0] ?? [];
  return {
    mchid,
    serial,
    privateKey:
      own?.files?.privateKey ??
      url(put('private_key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())),
    publicKey: url(put('public_key.pem', String(publicKey?.export({ type: 'spki', format: 'pem' })))),
    publicKeyId,
    ...(own?.apiKey === undefined
      ? { apiv3Key: put('apiv3_key.txt', apiv3Key) }
      : isPath(given.apiv3Key ?? '') && { apiv3Key: given.apiv3Key ?? '' }),
    ...(own?.secret === undefined
      ? { secret: put('secret.txt', secret) }
      : isPath(given.secret ?? '') && { secret: given.secret ?? '' }),
    baseUrl,
  };
}

/** What a client needs for TLS. */
interface TlsFiles {
  /** The merchant's certificate, for the operations of v2 that demand it. */
  readonly settings: { readonly certificate: string };
  /** Environment variables that make Node and OpenSSL trust the authority. */
  readonly trust: Readonly<Record<string, string>>;
  /** The environment variable that leads a client here whose base URL is WeChat Pay's. */
  readonly proxy: Readonly<Record<string, string>>;
}

/** @param own the directory of a merchant's own certificate */
function writeCertificates(
  directory: string,
  { ca, certificate, url }: Sandbox,
  own: string | undefined,
): TlsFiles | undefined {
  if (ca === undefined) return undefined;
  const path = writeFile(directory, 'sandbox_ca.pem', ca, 0o600);
  return {
    settings: {
      certificate:
        own === undefined
          ? writeFile(directory, 'sandbox_certificate.pem', certificate, 0o600)
          : resolve(own, 'apiclient_cert.pem'),
    },
    trust: { NODE_EXTRA_CA_CERTS: path, SSL_CERT_FILE: path },
    // Most clients speak to a proxy without TLS.
    proxy: { HTTPS_PROXY: url.replace(/^https/, 'http') },
  };
}

function environment(settings: Written): Record<string, string> {
  return Object.fromEntries(
    // `entries` returns strings; these are names of settings.
    Object.entries(settings).map(([name, value]) => [SETTINGS[name as SettingName].env, value]),
  );
}

function describe(url: string, directory: string, settings: Written, isPassing: boolean, tls?: TlsFiles): string {
  const proxy = tls
    ? `
# Instead of WECHATPAY_BASE_URL, for a program that cannot change its base URL: nothing but WeChat Pay is reached by it.
${exported(tls.proxy)}
`
    : '';
  return `The sandbox listens on ${url} until Ctrl-C.
Its keys are in ${directory}${isPassing ? ' until then' : ''}.

# For wxpay, in a shell.
${exported({ ...environment(settings), ...tls?.trust })}
${proxy}
// In a program.
${snippet(settings)}`;
}

function exported(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}=${shellQuoted(value)}`)
    .join('\n');
}

function snippet({ mchid, serial, privateKey, publicKey, publicKeyId, apiv3Key, secret, baseUrl }: Written): string {
  return `import { readFileSync } from 'node:fs';
import { Builder } from 'wechatpay-undici';

const instance = Builder.factory({
  mchid: '${mchid}',
  serial: '${serial}',
  privateKey: ${quoted(privateKey)},
  certs: { ${publicKeyId}: ${quoted(publicKey)} },
  apiv3Key: ${apiKey(apiv3Key, 'apiv3Key')},
  secret: ${apiKey(secret, 'secret')},
  baseUrl: '${baseUrl}',
});`;
}

function apiKey(path: string | undefined, name: ApiKeyName): string {
  return path === undefined ? `process.env.${SETTINGS[name].env}` : `readFileSync(${quoted(path)}, 'utf8')`;
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

import { Builder } from '../../builder';
import { ConfigurationError, InvalidArgumentError } from '../../errors';
import { protocolOfBody } from '../../notification/handlers';
import type { RawRequest } from '../../notification/request';
import { readApiKey } from '../../signature/api-key';
import { credentialsOf } from '../../signature/credentials';
import { timestamp } from '../../signature/formatter';
import { loadPlatformKeys, type PlatformKeys } from '../../signature/platform-keys';
import { parseHeaders, parseMessage, readBytes } from '../message';
import { checkV2, checkV3 } from '../notification-checks';
import { allPassed, printChecks } from '../report';
import { clientConfig, keyText, nameOf, platformKeys, requireSettings, type Settings } from '../settings';
import type { CommandCall, CommandSpec } from './command';

const HELP = `Runs the library's checks on a notification and reports for each one whether it passed and, if not, why. The message
consists of the headers, an empty line and the raw body, byte for byte as received; or pass the headers (lines or JSON)
and the body separately.

Missing platform certificates are downloaded if the settings for "wxpay certificates" are present. The content is
decrypted but not printed.

Examples:
  $ wxpay verify notification.http --at 2026-11-24T10:00:00+08:00
  $ wxpay verify --headers headers.json --body body.json --any-time
  $ wxpay verify - --json < notification.http`;

/** `wxpay verify`: finds which check of a saved notification fails, and why. */
export const verifyCommand: CommandSpec = {
  usage: 'verify',
  what: 'check a saved notification and report which check fails and why',
  settings: [
    'publicKey',
    'publicKeyId',
    'apiv3Key',
    'secret',
    'mchid',
    'serial',
    'privateKey',
    'certificate',
    'baseUrl',
  ],
  help: HELP,
  configure: (command) =>
    command
      .argument('[message]', 'file with headers and body; - for stdin')
      .option('--headers <file>', 'file with the headers only')
      .option('--body <file>', 'file with the raw body only')
      .option('--at <time>', 'when it was received, ISO 8601 or seconds since 1970; now by default')
      .option('--any-time', 'do not check how old it is'),

  async run(call) {
    const { io, options, settings, json } = call;
    const received = options.anyTime === true ? undefined : readTime(options.at);
    const raw = await readNotification(call);
    const apiv3Key = readApiKey('apiv3Key', 'APIv3', keyText(settings, 'apiv3Key'));
    const protocol = protocolOfBody(raw);
    const checks =
      protocol === 'v2'
        ? await checkV2(raw, secretOf(settings), apiv3Key, received)
        : await checkV3(raw, { keys: keysOf(settings), apiv3Key, received });
    await printChecks(io, checks, json, { protocol });
    return allPassed(checks) ? 0 : 4;
  },
};

async function readNotification({ io, args: [message], options }: CommandCall): Promise<RawRequest> {
  const { headers, body } = options;
  if (message !== undefined && headers === undefined && body === undefined) {
    return parseMessage(await readBytes(io, message));
  }
  if (message === undefined && typeof headers === 'string' && typeof body === 'string') {
    return { headers: parseHeaders((await readBytes(io, headers)).toString()), body: await readBytes(io, body) };
  }
  throw new InvalidArgumentError('Pass one file with headers and body, or both --headers and --body.');
}

function readTime(value: unknown): number {
  if (value === undefined) return timestamp();
  const text = String(value);
  const time = /^\d{9,11}$/.test(text) ? Number(text) : Math.floor(Date.parse(text) / 1000);
  if (!Number.isNaN(time)) return time;
  throw new InvalidArgumentError(`"${text}" is not a time; use 2026-11-24T10:00:00+08:00, or seconds since 1970.`);
}

function secretOf(settings: Settings): string {
  requireSettings(settings, ['secret']);
  return String(readApiKey('secret', 'APIv2', keyText(settings, 'secret')));
}

function keysOf(settings: Settings): PlatformKeys {
  const { mchid, serial, certificate, privateKey, apiv3Key } = settings;
  if (mchid && (serial ?? certificate) && privateKey && apiv3Key) {
    const { certificates } = credentialsOf(Builder.factory(clientConfig(settings)));
    if (certificates) return certificates;
  }
  const certs = platformKeys(settings);
  if (certs) return loadPlatformKeys(certs, { dates: 'ignored' });
  throw new ConfigurationError(
    `Missing: ${nameOf('publicKey')}, which is required to verify signatures; or set what "wxpay certificates" requires.`,
  );
}

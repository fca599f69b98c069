import { checkConnection } from '../connection-checks';
import { allPassed, printChecks, skipped } from '../report';
import { checkSettings } from '../setting-checks';
import type { CommandSpec } from './command';

const HELP = `Checks each setting; if all are in order, sends one request that changes nothing (the list of platform
certificates) to test the connection, the clock, your signature and WeChat Pay's.

Examples:
  $ wxpay doctor
  $ wxpay doctor --certificate ./apiclient_cert.pem
  $ wxpay doctor --json | jq '.checks[] | select(.outcome == "failed")'`;

/** `wxpay doctor`: finds what is wrong with a configuration, and how to fix it. */
export const doctorCommand: CommandSpec = {
  usage: 'doctor',
  what: 'check a configuration offline and online, and say what to fix',
  settings: [
    ...(['mchid', 'serial', 'privateKey', 'certificate', 'publicKey', 'publicKeyId'] as const),
    ...(['apiv3Key', 'secret', 'baseUrl'] as const),
  ],
  help: HELP,

  async run({ io, settings, json }) {
    const local = checkSettings(settings);
    const isV2Alone = !local.some(({ name }) => name === 'privateKey');
    const reason = isV2Alone ? 'v2 has no read-only request to try' : 'fix the failures above first';
    const remote =
      allPassed(local) && !isV2Alone
        ? await checkConnection(settings)
        : [skipped('connection', `not tried: ${reason}`)];
    const checks = [...local, ...remote];
    await printChecks(io, checks, json);
    return allPassed(checks) ? 0 : 1;
  },
};

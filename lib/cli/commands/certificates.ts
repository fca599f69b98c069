import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Builder } from '../../builder';
import * as Certificates from '../../certificates';
import { serialOf } from '../../crypto/keys';
import { makeDirectory, write, writeFile } from '../io';
import { printJson } from '../report';
import { clientConfig } from '../settings';
import type { CommandSpec } from './command';

const HELP = `Each certificate is decrypted with the APIv3 key and checked, the response is verified with one of them, and the valid ones are
saved as wechatpay_<serial number>.pem. The short options are those of wechatpay-php's CertificateDownloader. -k takes a
file name or, as there, the key itself, which other users of the machine can then see.

Merchants with a WeChat Pay public key have no platform certificates.

Examples:
  $ wxpay certificates -o ./certificates
  $ wxpay certificates -k ./apiv3_key.txt -m 1900000109 -f ./apiclient_key.pem -s 3775B6A45ACD588826D15E583A95F5DD3775B6A4
  $ wxpay certificates -u https://apihk.mch.weixin.qq.com/`;

/** `wxpay certificates`: downloads the platform certificates and saves them. */
export const certificatesCommand: CommandSpec = {
  usage: 'certificates',
  what: 'download the platform certificates (平台证书) and save them',
  settings: ['apiv3Key', 'mchid', 'privateKey', 'serial', 'certificate', 'baseUrl'],
  help: HELP,
  configure: (command) =>
    command.option('-o, --output <directory>', 'where to save them; a new temporary directory by default'),

  async run({ io, options, settings, json }) {
    const instance = Builder.factory(clientConfig(settings, ['mchid', 'serial', 'privateKey', 'apiv3Key']));
    const output = typeof options.output === 'string' ? resolve(options.output) : undefined;
    if (output !== undefined) makeDirectory(output);
    const certificates = await Certificates.of(instance).refresh();
    const directory = output ?? mkdtempSync(join(tmpdir(), 'wxpay-certificates-'));
    const saved = certificates.map((certificate) => {
      const serial = serialOf(certificate);
      const file = writeFile(directory, `wechatpay_${serial}.pem`, certificate.toString(), 0o644);
      return { serial, from: iso(certificate.validFrom), until: iso(certificate.validTo), file };
    });
    const lines = saved.map(
      ({ serial, from, until, file }) =>
        `${serial}  valid from ${from.slice(0, 10)} to ${until.slice(0, 10)}\n  ${file}\n`,
    );
    await (json ? printJson(io, { certificates: saved }) : write(io.stdout, lines.join('')));
    return 0;
  },
};

function iso(date: string): string {
  return new Date(date).toISOString();
}

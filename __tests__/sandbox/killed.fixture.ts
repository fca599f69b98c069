import { Sandbox } from '../../lib/sandbox';

/** A sandbox that is killed while it works; says how it is reached. */
async function main(): Promise<void> {
  const sandbox = await Sandbox.start({ journal: process.argv[2] ?? '' });
  const { mchid, serial, privateKey, certs, secret, apiv3Key, baseUrl } = sandbox.config;
  const [[id = '', key] = []] = Object.entries(certs);
  const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const shown = { [id]: String(key?.export({ type: 'spki', format: 'pem' })) };
  process.send?.({ mchid, serial, privateKey: pem, certs: shown, secret, apiv3Key, baseUrl });
}

void main();

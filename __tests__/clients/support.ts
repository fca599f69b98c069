import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Sandbox } from 'wechatpay-undici/sandbox';
import { selfSigned } from '../../lib/sandbox/protocol/x509';

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

export interface Shop extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** The merchant's key and certificate, PEM, as files of a merchant hold them. */
  readonly privateKey: string;
  readonly certificate: string;
  readonly notify_url: string;
  /** What was posted to `notify_url`, in order. */
  readonly notified: readonly Posted[];
}

export interface Posted {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A sandbox for a merchant with a certificate of its own, and a server that takes its notifications. */
export async function openShop(): Promise<Shop> {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const day = 86_400_000;
  const certificate = selfSigned({
    ...{ serial: '5ABCDEF0123456789ABCDEF0123456789ABCDEF0', subject: '1900000109', pair },
    ...{ notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) },
  });
  const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const sandbox = await Sandbox.start({ merchant: { privateKey, certificate } });
  const notified: Posted[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    notified.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.end('<xml><return_code><![CDATA[SUCCESS]]></return_code></xml>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const notify_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`;
  return {
    ...{ sandbox, privateKey, certificate, notify_url, notified },
    async [Symbol.asyncDispose]() {
      await sandbox.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The day in Beijing, `yyyy-MM-dd`. */
export function dayOf(sandbox: Sandbox): string {
  return new Date(sandbox.clock.now() + 8 * 3_600_000).toISOString().slice(0, 10);
}

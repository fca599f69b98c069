import { request } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Sandbox } from 'wechatpay-undici/sandbox';
import { rsaKeyPair, selfSigned } from './keys';

/** A request as it came to a {@link TlsFront}. */
export interface Arrival {
  target: string;
  /** Common name of the client's certificate; `undefined` where it presented none. */
  certificate: string | undefined;
  /** Number of its connection. */
  connection: number;
}

/** A sandbox behind TLS. */
export interface TlsFront extends AsyncDisposable {
  readonly url: string;
  /** The certificate to trust, as PEM. */
  readonly ca: string;
  readonly arrivals: Arrival[];
}

/** Puts a server that speaks TLS and asks for certificates in front of a sandbox. */
export async function tlsFront(sandbox: Sandbox, options: ServerOptions = {}): Promise<TlsFront> {
  const { privateKey } = rsaKeyPair();
  const cert = selfSigned({ subject: 'Server', addresses: ['127.0.0.1'] });
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const arrivals: Arrival[] = [];
  const connections = new Map<unknown, number>();
  const defaults = { key, cert, requestCert: true, rejectUnauthorized: false };
  const server = createServer({ ...defaults, ...options }, (incoming, response) => {
    const socket = incoming.socket as TLSSocket;
    connections.set(socket, connections.get(socket) ?? connections.size + 1);
    const { method = '', url: path = '', headers } = incoming;
    arrivals.push({
      target: path,
      certificate: socket.getPeerCertificate().subject?.CN?.toString(),
      connection: connections.get(socket) ?? 0,
    });
    const { hostname, port } = new URL(sandbox.url);
    const forward = request({ hostname, port, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
      answer.pipe(response);
    });
    incoming.pipe(forward.on('error', () => response.destroy()));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    ca: cert,
    arrivals,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

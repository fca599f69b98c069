import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { ConfigurationError } from '../../errors';

/** Where requests arrive. */
export interface Listener {
  readonly port: number;
  /** Hands requests over from now on. */
  serve(handler: RequestListener): void;
  /** Stops listening and ends all connections; calls back when the last one has ended. */
  close(done?: () => void): void;
}

/** Where to listen. */
export interface Place {
  readonly port: number;
  readonly host: string;
}

/** Options of HTTP servers: idle connections stay until close, since a client must not meet one that is just being closed. */
export const PATIENT = { keepAliveTimeout: 0 };

/** Listens for HTTP. @throws ConfigurationError where it cannot listen there */
export async function listen(place: Place): Promise<Listener> {
  const server = createServer(PATIENT);
  const port = await bind(server, place);
  return {
    port,
    serve: (handler) => void server.on('request', handler),
    close(done) {
      server.close(done);
      server.closeAllConnections();
    },
  };
}

/** @throws ConfigurationError where it cannot listen there */
export function bind(server: Server, { port, host }: Place): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void =>
      reject(new ConfigurationError(`The sandbox cannot listen on port ${port} of ${host}.`, { cause }));
    const listening = (): void => {
      server.off('error', fail);
      // A server that listens on a port has an address with a port.
      resolve((server.address() as AddressInfo).port);
    };
    try {
      server.once('error', fail).listen(port, host, listening);
    } catch (cause) {
      fail(cause);
    }
  });
}

/** Where clients on this machine find it. */
export function urlOf(scheme: 'http' | 'https', host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::') return `${scheme}://127.0.0.1:${port}/`;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/`;
}

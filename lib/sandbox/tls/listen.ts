import { createServer as createProxy, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { bind, type Listener, PATIENT, type Place } from '../wire/listen';
import type { Authority } from './authority';
import { WECHATPAY_HOSTS } from './hosts';

/** The first byte of a connection with TLS: a record of the handshake. */
const HANDSHAKE = 0x16;

/** What this machine calls itself. */
const LOCAL = ['localhost', '127.0.0.1', '::1'];

/**
 * Listens with TLS, and on the same port as an HTTPS proxy for WeChat Pay's hosts: `CONNECT api.mch.weixin.qq.com:443` is
 * connected to the sandbox itself. A proxy is asked without TLS by most clients, with TLS by some.
 * @param allowHosts what the sandbox goes by, besides WeChat Pay's hosts, the names of this machine and where it listens
 * @throws ConfigurationError where it cannot listen there
 */
export async function listenWithTls(
  place: Place,
  authority: Authority,
  allowHosts: readonly string[] = [],
): Promise<Listener> {
  const names = [...LOCAL, place.host, ...allowHosts.map(withoutPort)];
  const keys = await authority.issue([...new Set([...WECHATPAY_HOSTS, ...names])]);
  // Whoever presents a certificate is let in: which one it must be is for the operation to say.
  const secure = createSecure({ ...PATIENT, ...keys, requestCert: true, rejectUnauthorized: false });
  const proxy = createProxy(PATIENT, refusePlain);
  const gate = createServer({ noDelay: true }, admit);
  const connections = new Map<string, Socket>();
  const port = await bind(gate, place);
  const own = new Set([
    ...WECHATPAY_HOSTS.map((host) => `${host}:443`),
    ...names.map((name) => `${name.includes(':') ? `[${name}]` : name}:${port}`.toLowerCase()),
  ]);

  function admit(socket: Socket): void {
    const peer = peerOf(socket);
    connections.set(peer, socket);
    socket.once('close', () => connections.delete(peer));
    sniff(socket);
  }

  /** TLS, or a proxy's plain HTTP. */
  function sniff(socket: Socket): void {
    // Who breaks a connection off learns nothing of it.
    socket.on('error', () => {});
    socket.once('data', (first) => {
      socket.pause();
      socket.unshift(first);
      if (first[0] === HANDSHAKE) {
        secure.emit('connection', socket);
      } else {
        proxy.emit('connection', socket);
        socket.resume();
      }
    });
  }

  function connect({ url: target = '' }: IncomingMessage, stream: Duplex, head: Buffer): void {
    // Both servers have sockets only.
    const socket = stream as Socket;
    if (!own.has(target.toLowerCase())) {
      socket.on('error', () => {});
      socket.end(plainText('403 Forbidden', foreign(target)));
      return;
    }
    if (head.length > 0) socket.unshift(head);
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    sniff(socket);
  }

  proxy.on('connect', connect);
  secure.on('connect', connect);
  secure.on('secureConnection', (socket) => {
    const raw = connections.get(peerOf(socket));
    if (!raw) return;
    // By itself Node resets bare connections only.
    socket.resetAndDestroy = () => {
      raw.resetAndDestroy();
      return socket;
    };
  });
  return {
    port,
    serve: (handler) => void secure.on('request', handler),
    close(done) {
      gate.close(done);
      for (const socket of connections.values()) socket.destroy();
    },
  };
}

/** The name of `shop.test:8787`, the address of `[::1]:8787`. What is no name, the guard of the control API refuses. */
function withoutPort(host: unknown): string {
  const [, address, name = ''] = /^(?:\[(.*)\]|(.*?))(?::\d*)?$/.exec(String(host)) ?? [];
  return address ?? name;
}

/** Which connection it is; a tunnel within it has the same peer. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function refusePlain({ headers: { host = '127.0.0.1' } }: IncomingMessage, response: ServerResponse): void {
  const text = `The sandbox was started with TLS: ask it by https://${host}/.\n`;
  response.writeHead(400, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' }).end(text);
}

function foreign(target: string): string {
  return `The sandbox stands in for WeChat Pay's hosts only and connects to nothing else; "${target}" is not one of them: ${WECHATPAY_HOSTS.join(', ')}, each with port 443. Name other hosts in NO_PROXY.\n`;
}

function plainText(status: string, text: string): string {
  const headers = `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close`;
  return `HTTP/1.1 ${status}\r\n${headers}\r\n\r\n${text}`;
}

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';

/** A request as it came off the socket. */
export interface WireRequest {
  readonly method: string;
  /** Path and query, byte for byte as in the request line: this is what is signed. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What `simulator.requests` keeps of a request. */
export interface ReceivedRequest {
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** The body as text. */
  readonly body: string;
  /** HTTP status of the answer; `undefined` until it is sent, and where no status line was sent. */
  readonly status: number | undefined;
}

/** What a handler is given. */
export interface SimulatedRequest<Json = unknown> {
  /** HTTP method, in upper case. */
  readonly method: string;
  /** The path as in the request line, with its leading slash, without the query. */
  readonly path: string;
  /** The variables of the handler's path, decoded. */
  readonly variables: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The body, parsed; `undefined` where there is none or where it is not JSON by its `Content-Type`. */
  readonly json: Json;
  /** The body, byte for byte. */
  readonly body: Buffer;
}

/**
 * Answers a request to a path of the simulator, at once or by a promise. What it returns is signed and sent:
 * `undefined` as 204 without a body, a standard `Response` as it is, any other value as JSON with status 200.
 * A `Response` may be thrown as well.
 */
export type Handler<Json = unknown> = (request: SimulatedRequest<Json>) => unknown;

/** Reads a request to its end; rejects where the client goes away before. */
export async function receive(message: IncomingMessage): Promise<WireRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  const { method = '', url = '', headers } = message;
  return { method, target: url, headers, body: Buffer.concat(chunks) };
}

/** The path of a request target, without its query. */
export function pathOf(target: string): string {
  return target.split('?', 1)[0] ?? '';
}

/** The query of a request target. */
export function queryOf(target: string): URLSearchParams {
  return new URLSearchParams(target.slice(pathOf(target).length));
}

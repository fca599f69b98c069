import type { ProtocolRules } from '../protocol/protocol';
import type { Misbehaviour } from './misbehaviour';
import { BODYLESS, discard, frame, type Header, hold, type SandboxResponse, withBody } from './response';

/** What needs the whole body in memory. */
const BREAKING = ['tamper', 'close', 'reset', 'truncate', 'garbage'] as const;

/** Replaces what is to be signed: `status` and `body`. */
export async function replace(
  response: SandboxResponse,
  { status, body }: Misbehaviour,
  protocol: ProtocolRules,
): Promise<SandboxResponse> {
  const replaced = status === undefined ? response : await withStatus(response, status, protocol);
  if (BODYLESS.has(replaced.status)) return withBody(replaced, '');
  return body === undefined ? replaced : withBody(replaced, body);
}

async function withStatus(
  response: SandboxResponse,
  status: number,
  protocol: ProtocolRules,
): Promise<SandboxResponse> {
  if (status < 400) return { ...response, status };
  discard(response);
  return protocol.failing(status);
}

/** Frames a response and changes what has been signed: `omit`, `double`, `headers` and `tamper`. */
export async function distort(response: SandboxResponse, date: Date, how: Misbehaviour): Promise<SandboxResponse> {
  const { omit = [], double = [], headers = {} } = how;
  const framed = frame(await spoiled(response, how), date);
  const without = new Set([...omit, ...Object.keys(headers)].map((name) => name.toLowerCase()));
  const twice = new Set(double.map((name) => name.toLowerCase()));
  const kept = framed.headers
    .filter(([name]) => !without.has(name.toLowerCase()))
    .flatMap((header) => (twice.has(header[0].toLowerCase()) ? [header, header] : [header]));
  const set = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one): Header => [name, one]));
  return { ...framed, headers: [...kept, ...set] };
}

async function spoiled(response: SandboxResponse, how: Misbehaviour): Promise<SandboxResponse> {
  if (!BREAKING.some((name) => how[name] !== undefined)) return response;
  const held = await hold(response);
  return { ...held, body: tampered(held.body, how.tamper) };
}

function tampered(body: Buffer, tamper: true | string | undefined): Buffer {
  if (tamper === undefined) return body;
  if (tamper !== true) return Buffer.from(tamper);
  const middle = body.length >> 1;
  return Buffer.concat([body.subarray(0, middle), Buffer.of((body[middle] ?? 0) ^ 1), body.subarray(middle + 1)]);
}

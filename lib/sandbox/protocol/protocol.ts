import type { Identity } from '../identity';
import type { Misbehaviour } from '../wire/misbehaviour';
import { type IncomingRequest, queryOf, type SandboxRequest } from '../wire/request';
import type { SandboxResponse } from '../wire/response';
import type { Check } from './check';

/** The two protocols of WeChat Pay's API: XML, and JSON. */
export type Protocol = 'v2' | 'v3';

/** Who sent a request, or the response that refuses it, and the checks made. */
export type Identified = (
  | { readonly identity: Identity; readonly refusal?: undefined }
  | { readonly refusal: SandboxResponse; readonly identity?: Identity | undefined }
) & {
  readonly checks: readonly Check[];
  /** What the signature should be over; of v2 without the APIv2 key. */
  readonly toSign?: string;
};

/** How the platform speaks one of them. */
export interface ProtocolRules {
  /** Checks who sent a request. A refusal goes out unsigned. */
  identify(request: IncomingRequest): Promise<Identified>;
  /** The body for a handler. @throws what {@link respond} accepts, if the body is invalid */
  read(request: IncomingRequest): Pick<SandboxRequest, 'json' | 'xml'>;
  /** Whether something that a handler threw is a response. */
  isResponse(thrown: unknown): boolean;
  /**
   * Turns what a handler returned into a response.
   * @param signed whether it will be signed
   * @throws if it cannot be one
   */
  respond(result: unknown, request: IncomingRequest, signed: boolean): Promise<SandboxResponse>;
  /** There is no such operation. */
  unknown(message: string): Promise<SandboxResponse>;
  /** The handler failed. */
  broken(message: string, request: IncomingRequest): Promise<SandboxResponse>;
  /** An error of that status. */
  failing(status: number): Promise<SandboxResponse>;
  /**
   * Signs a response, wrongly if a misbehaviour says so.
   * @param time seconds since 1970
   */
  seal(
    response: SandboxResponse,
    how: Misbehaviour,
    request: IncomingRequest,
    identity: Identity,
    time: number,
  ): Promise<SandboxResponse>;
}

/** The protocol that a request speaks: v2 has no `Authorization`, but XML, or a `sign` in the query or the form. */
export function protocolOfRequest({ method, target, headers, body, form }: IncomingRequest): Protocol {
  if (headers.authorization !== undefined) return 'v3';
  if (form) return Object.hasOwn(form.fields, 'sign') ? 'v2' : 'v3';
  const isV2 = method === 'GET' ? queryOf(target).has('sign') : /^\s*</.test(body.toString('latin1', 0, 100));
  return isV2 ? 'v2' : 'v3';
}

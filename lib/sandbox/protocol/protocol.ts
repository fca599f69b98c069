import type { Misbehaviour } from '../wire/misbehaviour';
import { queryOf, type SandboxRequest, type WireRequest } from '../wire/request';
import type { Answer } from '../wire/response';

/** The two protocols of WeChat Pay's API: XML, and JSON. */
export type ProtocolName = 'v2' | 'v3';

/** How the platform speaks one of them. */
export interface Protocol {
  /** Checks who sent a request: `undefined` if it is the merchant, otherwise the answer that refuses it, unsigned. */
  refuse(request: WireRequest): Promise<Answer | undefined>;
  /** Checks what else must be right before the request is carried out: `undefined`, or the answer. */
  object(request: WireRequest): Promise<Answer | undefined>;
  /** What a handler is given of the body. @throws what {@link toAnswer} takes, where the body is not as it should be */
  read(request: WireRequest): Pick<SandboxRequest, 'json' | 'xml'>;
  /** Whether something that a handler threw is an answer. */
  isAnswer(thrown: unknown): boolean;
  /**
   * Turns what a handler returned into an answer.
   * @param signed whether it will be signed
   * @throws where it cannot be one
   */
  toAnswer(result: unknown, request: WireRequest, signed: boolean): Promise<Answer>;
  /** There is no such operation. */
  unknown(message: string): Promise<Answer>;
  /** The handler failed. */
  broken(message: string, request: WireRequest): Promise<Answer>;
  /** An error of that status. */
  failing(status: number): Promise<Answer>;
  /**
   * Signs an answer, in a way that may be told to be wrong.
   * @param time seconds since 1970
   */
  seal(answer: Answer, how: Misbehaviour, request: WireRequest, time: number): Promise<Answer>;
}

/** The protocol that a request speaks: v2 has no `Authorization`, but XML, or a `sign` in the query or the form. */
export function protocolOf({ method, target, headers, body, form }: WireRequest): ProtocolName {
  if (headers.authorization !== undefined) return 'v3';
  if (form) return Object.hasOwn(form.fields, 'sign') ? 'v2' : 'v3';
  const isV2 = method === 'GET' ? queryOf(target).has('sign') : /^\s*</.test(body.toString('latin1', 0, 100));
  return isV2 ? 'v2' : 'v3';
}

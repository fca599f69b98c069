import { type Dispatcher, request } from 'undici';
import { toObject } from '../../format/transformer';
import { distort } from '../wire/distort';
import type { Misbehaviour } from '../wire/misbehaviour';
import type { Message } from './message';

/** One attempt to send a notification. */
export interface DeliveryAttempt {
  /** Status of the reply; `undefined` if there was none. */
  readonly status: number | undefined;
  /** The body of the reply, its first 1,000 characters; or why there was none. */
  readonly reply: string;
  /** Whether it was accepted: 200 or 204 with APIv3, 200 and `return_code` SUCCESS with v2. */
  readonly accepted: boolean;
  /** Whether it was signed with `WECHATPAY/SIGNTEST/…`: a server that accepts it does not check signatures. */
  readonly probe: boolean;
  /** When it was sent, by the sandbox's clock: milliseconds since 1970. */
  readonly time: number;
  /** How long the reply took, in real milliseconds. */
  readonly milliseconds: number;
}

/** What is recorded of a reply. */
type Outcome = Pick<DeliveryAttempt, 'status' | 'reply' | 'accepted'>;

/** How long WeChat Pay waits for a reply, in milliseconds. */
const PATIENCE = 5000;

/** Headers of a reply, or the HTTP client's own. */
const NOT_SENT = new Set(['date', 'content-length']);

/**
 * Posts a notification once.
 * @param signal aborts it
 */
export async function send(
  url: string,
  message: Message,
  how: Misbehaviour,
  { dispatcher, signal, isV2 }: { dispatcher: Dispatcher; signal: AbortSignal; isV2: boolean },
): Promise<Outcome> {
  const late = AbortSignal.timeout(PATIENCE);
  try {
    const { headers, body } = await wireOf(message, how);
    const signals = AbortSignal.any([signal, late]);
    const { statusCode, ...reply } = await request(url, {
      ...{ method: 'POST', headers, body, dispatcher, signal: signals },
    });
    const text = await reply.body.text();
    const accepted = isV2 ? statusCode === 200 && isSuccess(text) : statusCode === 200 || statusCode === 204;
    return { status: statusCode, reply: text.slice(0, 1000), accepted };
  } catch (error) {
    const reason = late.aborted ? `No reply came within ${PATIENCE} ms.` : String(error);
    const reply = signal.aborted ? 'The sandbox was closed or reset.' : reason;
    return { status: undefined, reply, accepted: false };
  }
}

async function wireOf(message: Message, how: Misbehaviour): Promise<{ headers: string[]; body: Buffer }> {
  const whole = { ...message, headers: [['User-Agent', 'Mozilla/4.0'] as const, ...message.headers], status: 200 };
  const { headers, body } = await distort(whole, new Date(), how);
  return {
    headers: headers.filter(([name]) => !NOT_SENT.has(name.toLowerCase())).flat(),
    // Nothing here streams.
    body: body as Buffer,
  };
}

function isSuccess(xml: string): boolean {
  try {
    return toObject(xml).return_code === 'SUCCESS';
  } catch {
    return false;
  }
}

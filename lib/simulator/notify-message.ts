import type { Header } from './answer';
import type { Credentials } from './credentials';
import type { Misbehaviour } from './misbehaviour';

/** A notification to be made. */
export interface Draft {
  /** The event type, or `v2/` and a name. */
  readonly name: string;
  readonly content: object;
  readonly id: string;
  /** When it was made, in milliseconds since 1970. */
  readonly created: number;
}

/** A notification as it goes out. */
export interface Message {
  readonly headers: Header[];
  readonly body: Buffer;
}

/**
 * Makes and signs a notification, each time that it is sent.
 * @param time seconds since 1970
 */
export type MessageMaker = (
  draft: Draft,
  credentials: Credentials,
  how: Misbehaviour,
  time: number,
) => Promise<Message>;

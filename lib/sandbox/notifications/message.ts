import type { NotificationsByType } from '../../openapi/notification';
import type { Identity } from '../identity';
import type { PlatformKey } from '../protocol/keyring';
import type { Misbehaviour } from '../wire/misbehaviour';
import type { Header } from '../wire/response';

/** The name of a notification: its event type, or `v2/` and a name for those in XML. */
export type NotificationName = keyof NotificationsByType | (string & {});

/**
 * What a notification holds, by its name. Of one that is encrypted it is what is inside, of the others all fields but
 * those that the platform writes; it may have more than the catalogue knows.
 */
export type NotificationContent<Name extends string> = Name extends keyof NotificationsByType
  ? NotificationsByType[Name] extends { readonly resource: infer Resource }
    ? Resource
    : Omit<NotificationsByType[Name], 'mch_id' | 'combine_mch_id' | 'nonce_str' | 'sign'>
  : object;

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
  keys: { readonly identity: Identity; readonly key: PlatformKey },
  how: Misbehaviour,
  time: number,
) => Promise<Message>;

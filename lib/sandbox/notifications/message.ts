import type { NotificationsByType } from '../../openapi/notification';
import type { Identity } from '../identity';
import type { PlatformKey } from '../protocol/keyring';
import type { Misbehaviour } from '../wire/misbehaviour';
import type { Header } from '../wire/response';

/** The name of a notification: its event type, or `v2/` and a name for those in XML. */
export type NotificationName = keyof NotificationsByType | (string & {});

/**
 * The content of a notification, by its name: what is encrypted or, if nothing is, all fields except
 * those that the platform adds. It may have members that the catalogue does not know.
 */
export type NotificationContent<Name extends string> = Name extends keyof NotificationsByType
  ? NotificationsByType[Name] extends { readonly resource: infer Resource }
    ? Resource
    : Omit<NotificationsByType[Name], 'mch_id' | 'combine_mch_id' | 'nonce_str' | 'sign'>
  : object;

/** What a notification is made from. */
export interface Draft {
  /** The event type, or `v2/` and a name. */
  readonly name: string;
  readonly content: object;
  readonly id: string;
  /** When it was made, in milliseconds since 1970. */
  readonly created: number;
}

/** A notification as sent. */
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

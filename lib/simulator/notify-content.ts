import type { Notifications } from '../openapi/notification';

/** What the platform itself writes into a notification in XML. */
type Written = 'mch_id' | 'combine_mch_id' | 'nonce_str' | 'sign';

/** The name of a notification: its event type, or `v2/` and a name for those in XML. */
export type NotificationName = keyof Notifications | (string & {});

/**
 * What a notification holds, by its name. Of one that is encrypted it is what is inside, of the others all fields but
 * those that the platform writes; it may have more than the catalogue knows.
 */
export type NotificationContent<Name extends string> = Name extends keyof Notifications
  ? Notifications[Name] extends { readonly resource: infer Resource }
    ? Resource
    : Omit<Notifications[Name], Written>
  : object;

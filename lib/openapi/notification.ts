import type { JsonNotifications, XmlNotifications } from './notifications';

/** A notification of APIv3 as it is handed out: the envelope, and the resource decrypted. */
export interface Notified<EventType extends string, Resource> {
  /** Id of the notification; a repeated one has the same. */
  readonly id: string;
  /** When it was made, as `2015-05-20T13:29:35+08:00`. */
  readonly create_time: string;
  readonly event_type: EventType;
  readonly resource_type: string;
  readonly summary: string;
  /** The resource, decrypted. */
  readonly resource: Resource;
}

/** Every notification, by its name: the event type, or `v2/` and a name for those in XML. */
export interface Notifications extends JsonNotifications, XmlNotifications {}

/** A notification by name: `NotificationOf<'TRANSACTION.SUCCESS'>['resource']` is what has been paid. */
export type NotificationOf<Name extends keyof Notifications> = Notifications[Name];

/** Any notification of APIv3 that the catalogue knows; `event_type` tells which. */
export type Notification = JsonNotifications[keyof JsonNotifications];

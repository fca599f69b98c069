import type { JsonNotifications, XmlNotifications } from './generated/notifications';

export type { Notified } from './notified';

/** All notifications by name: the event type, or `v2/` and a name for those in XML. */
export interface Notifications extends JsonNotifications, XmlNotifications {}

/** A notification by name: `NotificationOf<'TRANSACTION.SUCCESS'>['resource']` is the paid order. */
export type NotificationOf<Name extends keyof Notifications> = Notifications[Name];

/** All APIv3 notifications that the catalogue knows; `event_type` distinguishes them. */
export type Notification = JsonNotifications[keyof JsonNotifications];

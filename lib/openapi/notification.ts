import type { JsonNotifications, XmlNotifications } from './generated/notifications';

export type { Notified } from './notified';

/** All notifications by name: the event type, or `v2/` and a name for those in XML. */
export interface NotificationsByType extends JsonNotifications, XmlNotifications {}

/** A notification by name: `NotificationOf<'TRANSACTION.SUCCESS'>['resource']` is the paid order. */
export type NotificationOf<Name extends keyof NotificationsByType> = NotificationsByType[Name];

import { factory } from './factory';
import { failure, success } from './reply';
import type { KnownNotification } from './types';

/** Receives notifications: `Notification.factory(config)`. `success` and `failure` are for those who answer themselves. */
export const Notification = { factory, failure, success };

/** A notification of APIv3 that the catalogue knows; `event_type` tells which. */
export type Notification = KnownNotification;

export type { Protocol, Reply } from './reply';
export type { NotificationStore, Reservation } from './store';
export type {
  AnyNotification,
  HandlerOptions,
  NodeHandler,
  NotificationConfig,
  NotificationFunction,
  NotificationRequest,
  Notifications,
  ReceivedRequest,
  V2Notification,
  V3Notification,
  WebHandler,
} from './types';

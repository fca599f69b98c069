/** Receives notifications. `success` and `failure` are for code that sends its own replies. */
export { of } from './receiver';
export { failure, type Protocol, type Reply, success } from './reply';
export type { NotificationStore, Reservation } from './store';
export type {
  AnyNotification,
  HandlerOptions,
  KnownNotification,
  NodeHandler,
  NotificationFunction,
  NotificationOptions,
  NotificationReceiver,
  NotificationRequest,
  RequestParts,
  V2Notification,
  V3Notification,
  WebHandler,
} from './types';

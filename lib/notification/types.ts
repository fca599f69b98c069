import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KeyInput } from '../crypto/keys';
import type { JsonNotifications } from '../openapi/generated/notifications';
import type { VerifyFunction } from '../signature/functions';
import type { NotificationStore } from './store';

/** A verified and decrypted APIv3 notification. */
export interface V3Notification<EventType extends string = string, Resource = Record<string, unknown>> {
  protocol: 'v3';
  /** Id of the notification, the same for each delivery. */
  id: string;
  /** Creation time, such as `2015-05-20T13:29:35+08:00`. */
  create_time: string;
  event_type: EventType;
  resource_type: string;
  summary: string;
  /** The decrypted content. */
  resource: Resource;
  /** The body as received, with `resource` still encrypted. */
  envelope: Readonly<Record<string, unknown>>;
}

/** A v2 notification, decrypted and, except for refunds, verified. */
export interface V2Notification<Resource = Record<string, unknown>> {
  protocol: 'v2';
  /** `event_id`, or else a hash of the content: the same for each delivery of the notification. */
  id: string;
  /** Only a few notifications have one. */
  event_type: string | undefined;
  /**
   * The decrypted content, for notifications with an encrypted one (`req_info`, `event_ciphertext`); otherwise all
   * fields, verified by `sign`. See `verified`.
   */
  resource: Resource;
  /** All fields as received; those of refunds are not signed. */
  envelope: Readonly<Record<string, unknown>>;
  /**
   * Whether a `sign` covers the content. It is `false` for refunds, which are only encrypted (AES-ECB): anyone who has
   * seen some can forge another one from their blocks without the key. Treat such a notification as a hint, and query
   * the refund (`v2/pay/refundquery`) before you act on it.
   */
  verified: boolean;
}

/**
 * What {@link NotificationReceiver.parse} returns by default: an APIv3 notification that the catalogue knows. It returns
 * others as well; use `V3Notification` to type them.
 */
export type KnownNotification = JsonNotifications[keyof JsonNotifications] &
  Pick<V3Notification, 'protocol' | 'envelope'>;

/** Any notification. */
export type AnyNotification = V3Notification<string, unknown> | V2Notification<unknown>;

/** A body as received, with its headers. */
export interface RequestParts {
  readonly headers:
    | Iterable<readonly [string, string]>
    | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** A string or bytes, never a parsed object. */
  readonly body: string | Uint8Array;
}

/** All forms of a request. */
export type NotificationRequest = Request | IncomingMessage | RequestParts;

/**
 * Options of `Notifications.of`. Without an instance, APIv3 needs `certs` and `apiv3Key`, v2 needs
 * `secret`, a brand needs `certs` and `brandApiKey`.
 */
export interface NotificationOptions {
  /** WeChat Pay's keys by id, as in the client configuration; takes precedence over the instance's. */
  certs?: Readonly<Record<string, KeyInput | VerifyFunction>>;
  /** The APIv3 key, 32 bytes; takes precedence over the instance's. */
  apiv3Key?: string | Uint8Array;
  /** The APIv2 key, 32 characters; takes precedence over the instance's. */
  secret?: string;
  /** The API key of a brand (品牌API密钥): 32 characters, in the place of the others; goes before that of the instance. */
  brandApiKey?: string | Uint8Array;
  /**
   * Remembers processed notifications across machines and restarts. By default, the process remembers its latest 10,000
   * notifications.
   */
  store?: NotificationStore;
  /**
   * Maximum age of a v2 notification in seconds; 48 hours by default. An older one is refused as a replay, with a
   * {@link SignatureError} `ERR_SIGNATURE_CLOCK`: its signature does not include the time of sending, and WeChat Pay
   * repeats it for 24 hours and 4 minutes. The age is that of `time_end` (of a combined payment, the latest; of encrypted
   * notifications, `event_create_time`), in Beijing time. Future times are accepted, and so are notifications without a
   * time: contracts, licence plates, refunds. `false` accepts any age. APIv3 signs the time of sending: ± 300 s.
   */
  maxAge?: number | false;
  /** Maximum size of a body, in bytes; 1 MiB by default. */
  maxBodySize?: number;
  /**
   * Receives each error to which a handler replied with a failure, including those of the processing function. By
   * default, errors are printed with `console.error`, except for WeChat Pay's probes.
   */
  onError?: (error: unknown) => unknown;
}

/** Processes a notification. If it throws, the reply is a failure, and WeChat Pay sends the notification again. */
export type NotificationFunction<Notification> = (notification: Notification) => unknown;

/** Options of a handler. */
export interface HandlerOptions {
  /**
   * Name under which the handler remembers processed notifications, so that one which another handler has processed is
   * still processed here: 1 to 64 letters, digits, `.`, `_` or `-`. One function per {@link NotificationReceiver} may be
   * unnamed; every other one needs its own name. Machines and program versions that share a store must use the same name;
   * services that share a store must use different names.
   */
  name?: string;
}

/** Handles Node.js's `(req, res)`. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse, next?: unknown) => Promise<void>;

/** Handles a standard `Request`. */
export type WebHandler = (request: Request) => Promise<Response>;

/** Receives notifications. */
export interface NotificationReceiver {
  /**
   * Verifies and decrypts a notification; which protocol it is, its content tells. It neither asks nor fills the store.
   * @param request a standard `Request` or a request of Node, neither read yet, or headers and raw body
   * @throws {@link SignatureError} that says which check failed; `probe: true` where WeChat Pay only tests
   * @throws {@link BodyError} where the body is too large, or neither JSON nor XML as it should be
   * @throws {@link ConfigurationError} where it cannot be decrypted, or a key for it is missing
   * @throws {@link ApiError} where v2's `return_code` says that the notification is of a failure
   * @throws {@link InvalidArgumentError} where the raw body is gone; its text says how to keep it
   * @throws {@link TransportError} if the body ends prematurely
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4012071382
   */
  parse<Notification extends AnyNotification = KnownNotification>(request: NotificationRequest): Promise<Notification>;
  /**
   * A handler for `(req, res)`: of `node:http` and Express, of Koa with `ctx.req` and `ctx.res`, of Fastify and Nest with
   * their raw requests and responses. It reads, verifies, calls `process` and replies; it never rejects. Create it once,
   * at startup.
   *
   * `process` has 5 s, counted from the request, because WeChat Pay waits no longer. The success reply is sent once it
   * has finished. If it throws or is late, the reply has status 500, and WeChat Pay repeats the notification, 15 times
   * within 24 hours.
   *
   * **Deduplication.** For each handler name, `process` never runs twice concurrently in one process, and never again
   * once it has succeeded and that is recorded. Across machines that share a `store`, both hold if it finishes within
   * 45 s. It may run twice in three cases: a process dies, or the store fails, after `process` has succeeded and before
   * that is recorded; it takes longer than 45 s, and a repeat reaches another machine; the store loses a record, as
   * Redis may in a failover. Until it has succeeded, it runs for each repeat. While a notification is being processed,
   * here or elsewhere, the reply to a repeat has status 503, so that WeChat Pay repeats it; a process that dies keeps
   * other machines off for 50 s, which is over at the third repeat. Ids are kept for 49 hours, or for one hour longer
   * than `maxAge` if that is more: WeChat Pay repeats a notification for 24 hours and 4 minutes, and a copy of a v2
   * notification is accepted until it is older than `maxAge`. Without a `store`, the latest 10,000 ids are kept until the
   * process ends. Therefore `process` should check its own data for whether there is anything left to do.
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4012075249
   */
  nodeHandler<Notification extends AnyNotification = KnownNotification>(
    process: NotificationFunction<Notification>,
    options?: HandlerOptions,
  ): NodeHandler;
  /** The same as {@link nodeHandler} for a standard `Request`: Hono (`c.req.raw`), Next, Deno, Bun. */
  webHandler<Notification extends AnyNotification = KnownNotification>(
    process: NotificationFunction<Notification>,
    options?: HandlerOptions,
  ): WebHandler;
}

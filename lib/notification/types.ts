import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KeyInput } from '../crypto/keys';
import type { JsonNotifications } from '../openapi/generated/notifications';
import type { VerifyFunction } from '../signature/functions';
import type { NotificationStore } from './store';

/** A notification of APIv3, verified and decrypted. */
export interface V3Notification<EventType extends string = string, Resource = Record<string, unknown>> {
  protocol: 'v3';
  /** Id of the notification; the same each time that WeChat Pay sends it. */
  id: string;
  /** When it was made, as in `2015-05-20T13:29:35+08:00`. */
  create_time: string;
  event_type: EventType;
  resource_type: string;
  summary: string;
  /** The content, decrypted. */
  resource: Resource;
  /** The body as received, `resource` encrypted. */
  envelope: Readonly<Record<string, unknown>>;
}

/** A notification of v2, decrypted and, but for those of refunds, verified. */
export interface V2Notification<Resource = Record<string, unknown>> {
  protocol: 'v2';
  /** `event_id`, or else a hash of the content: the same each time that WeChat Pay sends the notification. */
  id: string;
  /** Of the few that have one. */
  event_type: string | undefined;
  /**
   * The content, decrypted, of those that have an encrypted one (`req_info`, `event_ciphertext`); of others all fields,
   * the `sign` being right. See `verified`.
   */
  resource: Resource;
  /** All fields as received; of a refund WeChat Pay signs none. */
  envelope: Readonly<Record<string, unknown>>;
  /**
   * Whether a `sign` vouches for the content. It is `false` of refunds: these are only encrypted (AES-ECB), and who has
   * seen some can make another of their pieces without the key. Take such a notification for a hint, and query the refund
   * (`v2/pay/refundquery`) before you act on it.
   */
  verified: boolean;
}

/**
 * What {@link NotificationReceiver.parse} gives unless it is told otherwise: a notification of APIv3 that the catalogue knows.
 * Others come through as well; say `V3Notification` to have them typed.
 */
export type KnownNotification = JsonNotifications[keyof JsonNotifications] &
  Pick<V3Notification, 'protocol' | 'envelope'>;

/** Any notification. */
export type AnyNotification = V3Notification<string, unknown> | V2Notification<unknown>;

/** A body as it was received, with its headers. */
export interface RequestParts {
  readonly headers:
    | Iterable<readonly [string, string]>
    | Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Text or bytes, never a parsed object. */
  readonly body: string | Uint8Array;
}

/** Any form a request may come in. */
export type NotificationRequest = Request | IncomingMessage | RequestParts;

/**
 * Options of `Notifications.of`. Without an instance, APIv3 needs `certs` and `apiv3Key`, v2 needs
 * `secret`, a brand needs `certs` and `brandApiKey`.
 */
export interface NotificationOptions {
  /** WeChat Pay's keys by id, as in the configuration of a client; goes before those of the instance. */
  certs?: Readonly<Record<string, KeyInput | VerifyFunction>>;
  /** The APIv3 key: 32 bytes; goes before that of the instance. */
  apiv3Key?: string | Uint8Array;
  /** The APIv2 key: 32 characters; goes before that of the instance. */
  secret?: string;
  /** The API key of a brand (品牌API密钥): 32 characters, in the place of the others; goes before that of the instance. */
  brandApiKey?: string | Uint8Array;
  /**
   * Remembers what has been processed, for several machines and across restarts; by default this process remembers its
   * latest 10,000 notifications.
   */
  store?: NotificationStore;
  /**
   * Greatest age of a notification of v2, in seconds; 48 hours by default. An older one is refused as a replay, with a
   * {@link SignatureError} `ERR_SIGNATURE_CLOCK`: its signature does not say when it was sent, and WeChat Pay repeats it for
   * 24 hours and 4 minutes. The age is that of `time_end` (of a combined payment, the latest; of encrypted kinds,
   * `event_create_time`), which is Beijing time; a time in the future passes, and so does a notification without such a
   * time: contracts, licence plates, refunds. `false` accepts any age. APIv3 signs the time of sending: ± 300 s.
   */
  maxAge?: number | false;
  /** Greatest size of a body, in bytes; 1 MiB by default. */
  maxBodySize?: number;
  /**
   * Told of each error that a handler answered as a failure, those of the function given to it among them. By default
   * they are printed with `console.error`, but for WeChat Pay's probes.
   */
  onError?: (error: unknown) => unknown;
}

/** Processes a notification; what it throws is answered as a failure, and WeChat Pay sends the notification again. */
export type NotificationFunction<Notification> = (notification: Notification) => unknown;

/** Options of a handler. */
export interface HandlerOptions {
  /**
   * Under what name the handler remembers what it has processed, so that a notification which was sent to another handler
   * before is still processed here: 1 to 64 letters, digits, `.`, `_` or `-`. One function of {@link NotificationReceiver} may go
   * without; each other one needs a name of its own. It must be the same on all machines and in all versions of a program
   * that share a store, and another one for each service that shares it.
   */
  name?: string;
}

/** Handles `(req, res)` of Node. */
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
   * @throws {@link TransportError} where the body breaks off
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4012071382
   */
  parse<Notification extends AnyNotification = KnownNotification>(request: NotificationRequest): Promise<Notification>;
  /**
   * A handler for `(req, res)`: of `node:http` and Express, of Koa with `ctx.req` and `ctx.res`, of Fastify and Nest with
   * their raw requests and responses. It reads, verifies, calls `process` and answers; it never rejects. Create it once,
   * when the program starts.
   *
   * `process` has 5 s, counted from the request: WeChat Pay waits no longer. Success is answered once it has ended. What
   * it throws, or being late, is answered with 500: WeChat Pay then repeats the notification, 15 times within 24 hours.
   *
   * **Deduplication.** For each name of a handler, `process` never runs twice at once in one process, and never again
   * once it has succeeded and that is recorded; on machines that share a `store`, both hold for all of them if it ends
   * within 45 s. It may run twice in three cases: a process dies, or the store fails, after `process` has succeeded and
   * before that is recorded; it takes longer than 45 s, and a repeat reaches another machine; the store loses a record, as
   * Redis may in a fail-over. Until it has succeeded, it runs for each repeat. A notification that is being processed,
   * here or elsewhere, is answered with 503, so that WeChat Pay repeats it; a process that dies keeps other machines off
   * for 50 s, which is over at the third repeat. Ids are kept for 49 hours, or for one hour longer than `maxAge` if that is
   * more: WeChat Pay repeats a notification for 24 hours and 4 minutes, and a copy of one of v2 is accepted until it is
   * older than `maxAge`. Without a `store` the latest 10,000 ids are kept, until the process ends. Therefore let `process`
   * look into its own data whether there is something left to do.
   * @see https://pay.weixin.qq.com/doc/v3/merchant/4012075249
   */
  nodeHandler<Notification extends AnyNotification = KnownNotification>(
    process: NotificationFunction<Notification>,
    options?: HandlerOptions,
  ): NodeHandler;
  /** The same as {@link nodeHandler} for a standard `Request`: of Hono (`c.req.raw`), Next, Deno, Bun. */
  webHandler<Notification extends AnyNotification = KnownNotification>(
    process: NotificationFunction<Notification>,
    options?: HandlerOptions,
  ): WebHandler;
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encrypt } from '../crypto/rsa';
import { ConfigurationError } from '../errors';
import { operation } from './catalogue/operation';
import {
  brandConfig,
  clientConfig,
  createIdentity,
  type Identity,
  type SandboxBrandConfig,
  type SandboxConfig,
} from './identity';
import type { NotificationContent, NotificationName } from './notifications/message';
import { createNotifier, type Delivery, type Notifier, type NotifyOptions } from './notifications/notify';
import { createPlatform, type Platform } from './platform';
import { type Coupon, type Coupons, createCoupons, SEND, USE } from './products/coupons';
import { createPayments, type Payments } from './products/payments';
import type { PlatformKeyKind } from './protocol/keyring';
import { createRoutes, type Verb } from './routes';
import { createMisbehaviours, type Misbehaving } from './wire/misbehaviour';
import { type Handler, type HandlerOptions, type IncomingRequest, type ReceivedRequest, receive } from './wire/request';
import { fault, frame, fromResponse } from './wire/response';
import { transmit } from './wire/transmit';

/** Options of {@link Sandbox.start}. */
export interface SandboxOptions {
  /** Port to listen on; by default any free one. */
  port?: number;
  /** The platform's clock: milliseconds since 1970. By default the real one. */
  clock?: () => number;
  /**
   * Factor of the times after which notifications are sent again, from 0 to 1: with `1 / 1000` the 24 hours and 4 minutes
   * of WeChat Pay's schedule take 87 s. By default 1.
   */
  notifyPace?: number;
}

/** How long a platform certificate of WeChat Pay is valid, in milliseconds. */
const FIVE_YEARS = 5 * 365 * 86_400_000;

/** How many requests `sandbox.requests` keeps. */
const KEPT = 1000;

/**
 * A WeChat Pay platform on 127.0.0.1, for examples and tests.
 *
 * It checks the signature of every request and signs its responses, with APIv3 and with v2. It knows the business coupon,
 * and native payments with their refunds; every other path is answered by a handler of yours. It sends notifications.
 * @example
 * await using sandbox = await Sandbox.start();
 * sandbox.on('post', 'v3/pay/transactions/native', () => ({ code_url: 'weixin://wxpay/bizpayurl?pr=p4lpSuKzz' }));
 * const instance = Builder.factory(sandbox.config);
 */
export class Sandbox implements AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:45678/`. */
  readonly url: string;
  /** A configuration for `Builder.factory`: a merchant with fresh keys, the platform's public key, the APIv2 key. */
  readonly config: SandboxConfig;

  readonly #server: Server;
  readonly #credentials: Identity;
  readonly #platform: Platform;
  readonly #coupons: Coupons;
  readonly #notifier: Notifier;
  readonly #payments: Payments;
  readonly #handlers = createRoutes();
  readonly #misbehaviours = createMisbehaviours();
  readonly #clock: () => number;
  #requests: ReceivedRequest[] = [];
  #closed: Promise<void> | undefined;

  private constructor(server: Server, credentials: Identity, clock: () => number, notifier: Notifier) {
    const { port } = server.address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}/`;
    this.config = clientConfig(credentials, this.url);
    this.#server = server;
    this.#credentials = credentials;
    this.#clock = clock;
    this.#coupons = createCoupons(clock);
    this.#notifier = notifier;
    this.#payments = createPayments(credentials.merchant.mchid, clock, notifier);
    const known = createRoutes();
    known.set(...operation('post', SEND, this.#coupons.send));
    known.set(...operation('post', USE, this.#coupons.use));
    const certificates = () => credentials.platform.list(credentials.apiv3Key, clock());
    known.set(...operation('get', 'v3/certificates', certificates));
    known.set(...operation('get', 'v3/global/certificates', certificates));
    for (const [verb, path, handler] of this.#payments.handlers) known.set(verb, path, handler);
    this.#platform = createPlatform(credentials, clock, [this.#handlers, known]);
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  /**
   * Starts a sandbox with fresh keys.
   * @throws ConfigurationError where the port cannot be listened on, or `notifyPace` is none
   */
  static async start(options: SandboxOptions = {}): Promise<Sandbox> {
    const { port = 0, clock = Date.now, notifyPace = 1 } = options;
    const credentials = await createIdentity();
    const notifier = createNotifier(credentials, clock, notifyPace);
    return new Sandbox(await listen(port), credentials, clock, notifier);
  }

  /** A configuration for the client of a brand, with fresh keys of its own and the public key that the platform has for it. */
  get brandConfig(): SandboxBrandConfig {
    return brandConfig(this.#credentials, this.url);
  }

  /** The last 1,000 requests that arrived, in order, whether they were answered well or not. */
  get requests(): readonly ReceivedRequest[] {
    return this.#requests;
  }

  /** The business coupons by their code, as they stand now: who has which, and what used it. */
  get coupons(): ReadonlyMap<string, Coupon> {
    return this.#coupons.byCode;
  }

  /** The last 1,000 notifications that were sent, in order, with what was answered to them. */
  get notifications(): readonly Delivery[] {
    return this.#notifier.deliveries;
  }

  /**
   * Answers requests to a path from now on, in the place of the handler before, or of what the sandbox does by itself.
   * @param verb `get`, `post`, `put`, `patch` or `delete`
   * @param path such as `v3/pay/transactions/id/{transaction_id}`; a path without variables goes before one with. Of v2
   * with the leading `v2/`, which is not part of the address: `v2/pay/unifiedorder` answers `/pay/unifiedorder`
   * @param handler gives the response: see {@link Handler}
   * @param options `{ signed: false }` for files, and for operations of v2 that answer unsigned
   * @returns what removes the handler again
   * @example
   * sandbox.on('post', 'v2/pay/unifiedorder', ({ xml }) => ({ prepay_id: `wx${xml.out_trade_no}` }));
   * @example
   * sandbox.on('get', 'v3/billdownload/file', () => new Response(createReadStream(path)), { signed: false });
   */
  on<Json = unknown>(verb: Verb, path: string, handler: Handler<Json>, options?: HandlerOptions): () => void {
    // What the JSON of a request holds is for the caller to know.
    return this.#handlers.set(verb, path, handler as Handler, options);
  }

  /**
   * Answers the next requests wrongly. Called again, it goes on where the times before are used up.
   * @param how what is to go wrong, or a function that says so for each request (`undefined` for nothing)
   * @param times how many requests it is to happen to; `Infinity` for all
   * @returns what ends it before
   */
  misbehave(how: Misbehaving, times = 1): () => void {
    return this.#misbehaviours.add(how, times);
  }

  /**
   * Sends a notification: signed, encrypted, posted, and again on WeChat Pay's schedule (see `notifyPace`) until it is
   * answered as a success within 5 s.
   * @param name the event type, or of v2 `v2/` and the name in the catalogue, such as `v2/refund-processed`
   * @param content what it holds; of what v2 does not encrypt, its fields
   * @param url where to, of http or https
   * @param options what is to go wrong with it, and whether a probe goes before: see {@link NotifyOptions}
   * @returns what became of it, once it is delivered or given up
   * @throws InvalidArgumentError where it cannot be sent
   * @example
   * const { delivered } = await sandbox.notify('TRANSACTION.SUCCESS', { out_trade_no: 'ORDER-1' }, url);
   * @example
   * await sandbox.notify('v2/transaction-success', { out_trade_no: 'ORDER-1', total_fee: '1' }, url);
   */
  notify<Name extends NotificationName, Content extends object & NotificationContent<Name>>(
    name: Name,
    content: Content,
    url: string,
    options?: NotifyOptions,
  ): Promise<Delivery> {
    return this.#notifier.notify(name, content, url, options);
  }

  /**
   * Pays a native order, as the user does who scans its `code_url`, and sends `TRANSACTION.SUCCESS` to its `notify_url`.
   * @param openid the user
   * @returns what became of the notification
   * @throws InvalidArgumentError where there is no such order, or it is paid or closed
   */
  pay(out_trade_no: string, openid = 'oUpF8uMuAJO_M2pxb1Q9zNjWeS6o'): Promise<Delivery> {
    return this.#payments.pay(out_trade_no, openid);
  }

  /** Decrypts a sensitive field that a client has encrypted for the platform. */
  decrypt(ciphertext: string): Promise<string> {
    return this.#credentials.platform.decrypt(ciphertext);
  }

  /** Encrypts a sensitive field for the merchant, as the platform does in its responses. */
  encrypt(plaintext: string): Promise<string> {
    return encrypt(plaintext, this.#credentials.merchant.publicKey);
  }

  /**
   * Changes the key that the platform signs with: at once, and whichever key a request announces. It begins with the
   * public key of `config`. A new certificate is listed by `v3/certificates`, beside those before; they and the public key
   * stay good for sensitive fields.
   * @param to a new certificate, or back to the public key
   * @param options `validFor`: how long the certificate is valid, in milliseconds; five years by default
   * @returns the id of the key
   * @example
   * await sandbox.rotate();
   * const { certs, ...config } = sandbox.config; // without the public key: certificates are downloaded
   */
  rotate(to: PlatformKeyKind = 'certificate', { validFor = FIVE_YEARS }: { validFor?: number } = {}): Promise<string> {
    return this.#credentials.platform.rotate(to, this.#clock(), validFor);
  }

  /**
   * Back to the beginning, with the same keys and port: no certificates, handlers, misbehaviours, requests, used coupons,
   * payments and notifications; none is sent again.
   */
  reset(): void {
    this.#handlers.clear();
    this.#credentials.platform.clear();
    this.#misbehaviours.clear();
    this.#coupons.clear();
    this.#payments.clear();
    this.#notifier.clear();
    this.#requests = [];
  }

  /** Stops listening, ends all connections at once, also those with a request under way, and sends nothing again. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
      this.#notifier.close();
    });
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await receive(message).catch(() => undefined);
    // The client went away in the middle of its request.
    if (!request) return;
    const { method, target, headers, body, form } = request;
    const files = form?.files ?? [];
    const record: Mutable<ReceivedRequest> = {
      ...{ method, target, headers, body: body.toString(), files },
      status: undefined,
    };
    this.#requests.push(record);
    if (this.#requests.length > KEPT) this.#requests.shift();
    record.status = await this.#respond(request, record, response).catch((error) => explain(response, error));
    // Once a refund has been answered, its money arrives.
    this.#payments.settle();
  }

  async #respond(
    request: IncomingRequest,
    record: ReceivedRequest,
    response: ServerResponse,
  ): Promise<number | undefined> {
    const how = this.#misbehaviours.next(record);
    return transmit(response, await this.#platform(request, how), how);
  }
}

/** Tells by a response that a misbehaviour cannot be done. */
async function explain(response: ServerResponse, error: unknown): Promise<number | undefined> {
  if (response.headersSent) return undefined;
  const failure = await fromResponse(fault(500, 'SYSTEM_ERROR', `The sandbox failed: ${String(error)}`));
  return transmit(response, frame(failure, new Date()), {});
}

type Mutable<T> = { -readonly [Member in keyof T]: T[Member] };

/** Listens on the loopback interface only. */
function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    // Idle connections stay until close(): a client must not meet one that is just being closed.
    const server = createServer({ keepAliveTimeout: 0 });
    const fail = (cause: unknown): void =>
      reject(new ConfigurationError(`The sandbox cannot listen on port ${port} of 127.0.0.1.`, { cause }));
    try {
      server.once('error', fail).listen(port, '127.0.0.1', () => resolve(server.off('error', fail)));
    } catch (cause) {
      fail(cause);
    }
  });
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encrypt } from '../crypto/rsa';
import { ConfigurationError, InvalidArgumentError } from '../errors';
import { type Clock, createClock, type Schedule } from './clock';
import {
  brandConfig,
  createIdentities,
  type Identities,
  type Identity,
  merchantConfig,
  type OwnIdentity,
  type SandboxBrandConfig,
  type SandboxConfig,
} from './identity';
import { openJournal } from './journal';
import type { NotificationContent, NotificationName } from './notifications/message';
import { createNotifier, type Delivery, type Notifier, type NotifyOptions } from './notifications/notify';
import { createPlatform, type Platform } from './platform';
import { createProducts, type Products } from './products';
import type { Coupon } from './products/busifavor';
import type { ComplaintOptions } from './products/complaints';
import type { PayOptions, ShownOrder } from './products/payer';
import type { ServiceOrderOutcome } from './products/payscore';
import { createKeyring, type PlatformKeyKind } from './protocol/keyring';
import { createRoutes, type Verb } from './routes';
import { createStore, type Store } from './store';
import { createMisbehaviours, type Misbehaving } from './wire/misbehaviour';
import { type Handler, type HandlerOptions, type IncomingRequest, type ReceivedRequest, receive } from './wire/request';
import { fault, frame, fromResponse, isResponse, messageOf } from './wire/response';
import { transmit } from './wire/transmit';

/** Options of {@link Sandbox.start}. */
export interface SandboxOptions {
  /** Port to listen on; by default any free one. */
  port?: number;
  /** The merchant's own keys; by default the sandbox generates them. */
  merchant?: OwnIdentity;
  /**
   * File that keeps keys and state: a second start goes on where the first one ended, however that was. By default
   * everything is gone at the end.
   */
  journal?: string;
  /** Refuses operations that neither a product nor a handler processes; by default their response is made up. */
  strict?: boolean;
}

/** How long a platform certificate of WeChat Pay is valid, in milliseconds. */
const FIVE_YEARS = 5 * 365 * 86_400_000;

/** How many requests `sandbox.requests` keeps. */
const KEPT = 1000;

/** The notifications that go to brands. */
const OF_BRANDS = /^(?:BRAND_MEMBER_CARD|PRODUCT_COUPON)\./;

/** What a sandbox is made of. */
interface Parts {
  readonly server: Server;
  readonly store: Store;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly identities: Identities;
  readonly notifier: Notifier;
  readonly products: Products;
  readonly merchant: Identity;
  /** Ends the journal. */
  readonly release: () => void;
}

/**
 * A WeChat Pay platform on 127.0.0.1, for examples and tests.
 *
 * It checks the signature of every request and signs its responses, with APIv3 and with v2. It keeps the state of
 * payments, refunds and coupons, and sends their notifications; handlers of yours process other paths.
 * @example
 * await using sandbox = await Sandbox.start();
 * sandbox.on('post', 'v3/pay/transactions/native', () => ({ code_url: 'weixin://wxpay/bizpayurl?pr=p4lpSuKzz' }));
 * const instance = Builder.factory(sandbox.config);
 */
export class Sandbox implements AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:45678/`. */
  readonly url: string;
  /** A configuration for `Builder.factory`: a merchant with its keys, the platform's public key, the APIv2 key. */
  readonly config: SandboxConfig;
  /** The time of business: when orders expire, refunds succeed and notifications are sent again. */
  readonly clock: Clock;

  readonly #parts: Parts;
  readonly #platform: Platform;
  readonly #handlers = createRoutes();
  readonly #misbehaviours = createMisbehaviours();
  #requests: ReceivedRequest[] = [];
  #closed: Promise<void> | undefined;

  private constructor(parts: Parts, strict: boolean) {
    const { server, identities, merchant, products, schedule } = parts;
    const { port } = server.address() as AddressInfo;
    this.url = `http://127.0.0.1:${port}/`;
    this.config = merchantConfig(merchant, identities.platform, this.url);
    this.clock = parts.clock;
    this.#parts = parts;
    this.#platform = createPlatform({
      ...{ identities, baseUrl: this.url, strict, products: products.all, handlers: this.#handlers },
    });
    this.#seed();
    schedule.start();
    server.on('request', (request, response) => void this.#serve(request, response));
  }

  /**
   * Starts a sandbox.
   * @throws ConfigurationError where it cannot listen on the port, or where keys or journal cannot be used
   */
  static async start({ port = 0, merchant: own, journal, strict = false }: SandboxOptions = {}): Promise<Sandbox> {
    const { store, close: release } =
      journal === undefined ? { store: createStore(), close: () => {} } : openJournal(journal);
    const { clock, schedule } = createClock(store);
    const platform = await createKeyring(store);
    const identities = createIdentities(store, platform);
    const merchant =
      identities.all().find(({ kind }) => kind === 'merchant') ?? (await identities.add('merchant', own));
    const notifier = createNotifier({ store, clock, schedule, identities });
    const products = createProducts({ store, clock, schedule, identities, notifier });
    const server = await listen(port);
    return new Sandbox({ server, store, clock, schedule, identities, notifier, products, merchant, release }, strict);
  }

  /**
   * Adds a merchant, so that tests can run side by side: each sees its own orders only.
   * @param own what it brings along; the sandbox generates what is missing
   * @returns a configuration for `Builder.factory`
   * @throws ConfigurationError where there is such a merchant, or where its keys cannot be used
   */
  async addMerchant(own?: OwnIdentity): Promise<SandboxConfig> {
    const { identities } = this.#parts;
    const merchant = await identities.add('merchant', own);
    this.#seed();
    return merchantConfig(merchant, identities.platform, this.url);
  }

  /**
   * Adds a brand (品牌).
   * @param own what it brings along; the sandbox generates what is missing
   * @returns a configuration for `Builder.factory`
   * @throws ConfigurationError where there is such a brand, or where its keys cannot be used
   */
  async addBrand(own?: OwnIdentity): Promise<SandboxBrandConfig> {
    const { identities } = this.#parts;
    return brandConfig(await identities.add('brand', own), identities.platform, this.url);
  }

  /** The last 1,000 requests that arrived, in order, whether they were answered well or not. */
  get requests(): readonly ReceivedRequest[] {
    return this.#requests;
  }

  /** The business coupons of the merchant by their code, as they stand now: who has which, and what used it. */
  get coupons(): ReadonlyMap<string, Coupon> {
    const all = [...this.#parts.products.coupons.coupons()];
    const own = all.filter(({ mchid }) => mchid === this.config.mchid);
    return new Map(own.map((coupon) => [coupon.coupon_code, coupon]));
  }

  /** The last notifications, in order, with each attempt and the reply to it. */
  get notifications(): readonly Delivery[] {
    return this.#parts.notifier.deliveries();
  }

  /**
   * Handles requests to a path from now on, instead of an earlier handler or of what the sandbox does by itself.
   * @param verb `get`, `post`, `put`, `patch` or `delete`
   * @param path such as `v3/pay/transactions/id/{transaction_id}`; a path without variables takes precedence. For v2
   * with a leading `v2/`, which is not part of the address: `v2/pay/unifiedorder` handles `/pay/unifiedorder`
   * @param handler returns the response: see {@link Handler}
   * @param options `{ signed: false }` for files, and for operations of v2 whose response is not signed
   * @returns a function that removes the handler
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
   * Makes the responses to the next requests go wrong. A second call takes effect when the first one is used up.
   * @param how what is to go wrong, or a function that returns it for each request (`undefined` for nothing)
   * @param times for how many requests; `Infinity` for all
   * @returns a function that ends it early
   */
  misbehave(how: Misbehaving, times = 1): () => void {
    return this.#misbehaviours.add(how, times);
  }

  /**
   * Sends a notification: signed, encrypted, posted, and again on WeChat Pay's schedule until it is accepted within 5 s.
   * The repeats follow `clock`.
   * @param name the event type, or for v2 `v2/` and the name in the catalogue, such as `v2/refund-processed`
   * @param content what is encrypted; for a notification of v2 that is not encrypted, its fields
   * @param url an http or https URL
   * @param options what is to go wrong with it, and whether a probe goes first: see {@link NotifyOptions}
   * @returns the delivery after the first attempt; `notifications` shows later ones
   * @throws InvalidArgumentError where it cannot be sent
   * @example
   * const { delivered } = await sandbox.notify('TRANSACTION.SUCCESS', { out_trade_no: 'ORDER-1' }, url);
   * @example
   * await sandbox.notify('v2/transaction-success', { out_trade_no: 'ORDER-1', total_fee: '1' }, url);
   */
  async notify<Name extends NotificationName, Content extends object & NotificationContent<Name>>(
    name: Name,
    content: Content,
    url: string,
    options: NotifyOptions = {},
  ): Promise<Delivery> {
    const { notifier, identities, merchant } = this.#parts;
    const { mchid, ...how } = options;
    const isOurs = ({ kind, id }: Identity) =>
      mchid === undefined ? kind === (OF_BRANDS.test(name) ? 'brand' : 'merchant') : id === mchid;
    const recipient = mchid === undefined && !OF_BRANDS.test(name) ? merchant : identities.all().find(isOurs);
    if (!recipient) throw new InvalidArgumentError(`The sandbox has no ${mchid ?? 'brand'} to notify; add it first.`);
    return notifier.firstAttempt(notifier.notify(recipient, name, content, url, how));
  }

  /** The orders of all merchants as queries show them, in the order in which they were placed. */
  get orders(): readonly ShownOrder[] {
    return this.#parts.products.payer.list();
  }

  /**
   * Plays the user who pays an order, and sends `TRANSACTION.SUCCESS` to its `notify_url`.
   * @param out_trade_no the number of the order; of a combined order `combine_out_trade_no`
   * @param options who pays by what, or `outcome` where the user does not: see {@link PayOptions}
   * @returns the notification after its first attempt; `undefined` where nobody is notified
   * @throws InvalidArgumentError where there is no such order, or several, or it cannot be paid
   */
  async pay(out_trade_no: string, options: PayOptions = {}): Promise<Delivery | undefined> {
    try {
      return await this.#parts.products.payer.pay(out_trade_no, options).notification;
    } catch (thrown) {
      throw isResponse(thrown) ? new InvalidArgumentError(await messageOf(thrown)) : thrown;
    }
  }

  /**
   * Plays the user of a WeChat Pay Score service order, and notifies its `notify_url`.
   * @param outcome `confirm` a new order, or `pay` a completed one; a completed one is collected by itself after a second
   * @param openid who confirms it
   * @returns the notification after its first attempt
   * @throws InvalidArgumentError where there is no such order, or its state does not allow it
   */
  async playServiceOrder(out_order_no: string, outcome: ServiceOrderOutcome, openid?: string): Promise<Delivery> {
    const { products, merchant, store, notifier } = this.#parts;
    try {
      const { notified } = products.services.play(merchant.id, out_order_no, outcome, openid);
      store.commit();
      return await notifier.firstAttempt(notified);
    } catch (thrown) {
      throw isResponse(thrown) ? new InvalidArgumentError(await messageOf(thrown)) : thrown;
    }
  }

  /**
   * Plays the user who grants a permission of WeChat Pay Score that the merchant has asked for, or withdraws it.
   * @param openid who grants it
   * @returns the notification after its first attempt; `undefined` where it has no `notify_url`
   * @throws InvalidArgumentError where there is no such permission, or its state does not allow it
   */
  async playPermission(code: string, outcome: 'open' | 'close', openid?: string): Promise<Delivery | undefined> {
    const { products, merchant, store, notifier } = this.#parts;
    try {
      const notified = products.permissions.play(merchant.id, code, outcome, openid);
      store.commit();
      return notified === undefined ? undefined : await notifier.firstAttempt(notified);
    } catch (thrown) {
      throw isResponse(thrown) ? new InvalidArgumentError(await messageOf(thrown)) : thrown;
    }
  }

  /**
   * Plays a user who complains, and tells the merchant's callback of complaints.
   * @param options what of: see {@link ComplaintOptions}
   * @returns the id of the complaint, and the notification after its first attempt where there is a callback
   * @throws InvalidArgumentError where the complaint cannot be made
   */
  async complain(options: ComplaintOptions = {}): Promise<{ complaint_id: string; notification?: Delivery }> {
    const { products, merchant, store, notifier } = this.#parts;
    try {
      const { complaint_id, notified } = products.complaints.complain(merchant.id, options);
      store.commit();
      return { complaint_id, ...(notified !== undefined && { notification: await notifier.firstAttempt(notified) }) };
    } catch (thrown) {
      throw isResponse(thrown) ? new InvalidArgumentError(await messageOf(thrown)) : thrown;
    }
  }

  /** Decrypts a sensitive field that a client has encrypted for the platform. */
  decrypt(ciphertext: string): Promise<string> {
    return this.#parts.identities.platform.decrypt(ciphertext);
  }

  /** Encrypts a sensitive field for the merchant, as the platform does in its responses. */
  encrypt(plaintext: string): Promise<string> {
    return encrypt(plaintext, this.#parts.merchant.publicKey);
  }

  /**
   * Changes the key that the platform signs with: immediately, and whichever key a request announces. It begins with the
   * public key of `config`. `v3/certificates` lists a new certificate beside the earlier ones; all of them and the public
   * key remain valid for sensitive fields.
   * @param to a new certificate, or back to the public key
   * @param options `validFor`: how long the certificate is valid, in milliseconds; five years by default
   * @returns the id of the key
   * @example
   * await sandbox.rotate();
   * const { certs, ...config } = sandbox.config; // without the public key: certificates are downloaded
   */
  rotate(to: PlatformKeyKind = 'certificate', { validFor = FIVE_YEARS }: { validFor?: number } = {}): Promise<string> {
    // Certificates keep the real time, as signatures do.
    return this.#parts.identities.platform.rotate(to, Date.now(), validFor);
  }

  /**
   * Back to the beginning, with the same identities, keys and port: no certificates, handlers, faults, requests, used
   * coupons, payments and notifications; nothing is sent again.
   * @param mchid only what belongs to that merchant
   */
  reset(mchid?: string): void {
    const { store, schedule, identities } = this.#parts;
    if (mchid === undefined) {
      this.#handlers.clear();
      this.#misbehaviours.clear();
      identities.platform.clear();
      this.#requests = [];
    }
    schedule.clear(mchid);
    store.clear(mchid);
    this.#seed();
    store.commit();
  }

  /** Stops listening, ends all connections, those with a request under way included, and sends nothing again. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      const { server, schedule, notifier, release } = this.#parts;
      schedule.close();
      notifier.close();
      server.close(() => {
        release();
        resolve();
      });
      server.closeAllConnections();
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
  }

  async #respond(
    request: IncomingRequest,
    record: ReceivedRequest,
    response: ServerResponse,
  ): Promise<number | undefined> {
    const how = this.#misbehaviours.next(record);
    const sent = await this.#platform(request, how);
    // Before anyone is told of it.
    this.#parts.store.commit();
    return transmit(response, sent, how);
  }

  #seed(): void {
    for (const { seed } of this.#parts.products.all) seed?.();
  }
}

/** Responds that a fault cannot be played. */
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

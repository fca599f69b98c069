import type { IncomingMessage, ServerResponse } from 'node:http';
import { encrypt } from '../crypto/rsa';
import { ConfigurationError, InvalidArgumentError } from '../errors';
import { type Clock, createClock, type Schedule } from './clock';
import { type Control, createControl, isControl } from './control/control';
import { type Announcer, createAnnouncer } from './control/events';
import { createGuard } from './control/guard';
import { controlRows } from './control/rows';
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
import type { ProfitSharing, ProfitSharingOutcome } from './products/profit-sharing';
import type { RefundOptions, ShownRefund } from './products/refund-control';
import type { TransferBatch, TransferBatchOutcome } from './products/transfer-batches';
import type { Transfer, TransferOutcome } from './products/transfers';
import { createKeyring, type PlatformKeyKind } from './protocol/keyring';
import { createRoutes, type Verb } from './routes';
import { createStore, type Store } from './store';
import { type Authority, createAuthority } from './tls/authority';
import { listenWithTls } from './tls/listen';
import { type Listener, listen, urlOf } from './wire/listen';
import { createMisbehaviours, type Misbehaving } from './wire/misbehaviour';
import { type Handler, type HandlerOptions, type IncomingRequest, type ReceivedRequest, receive } from './wire/request';
import { fault, frame, fromResponse, isResponse, messageOf } from './wire/response';
import { transmit } from './wire/transmit';

/** Options of {@link Sandbox.start}. */
export interface SandboxOptions {
  /** Port to listen on; by default any free one. */
  port?: number;
  /** Address or name to listen on; `127.0.0.1` by default, which other machines cannot reach. */
  host?: string;
  /** Further host names for its console and control API: `shop.test:8787`, or `shop.test` for any port. */
  allowHosts?: readonly string[];
  /** The merchant's own keys; by default the sandbox generates them. */
  merchant?: OwnIdentity;
  /**
   * File that keeps keys and state: a second start continues where the first one ended, even if it crashed. By default
   * nothing is kept.
   */
  journal?: string;
  /** Refuses operations that neither a product nor a handler processes, instead of making up a response. */
  strict?: boolean;
  /**
   * Listens with TLS, with certificates of an authority of its own ({@link Sandbox.ca}), and on the same port as an HTTPS
   * proxy: who sets `HTTPS_PROXY` and trusts that authority reaches it as `https://api.mch.weixin.qq.com`. The operations of
   * v2 that need the merchant's TLS certificate demand it then.
   */
  tls?: boolean;
}

/** How long a platform certificate of WeChat Pay is valid, in milliseconds. */
const FIVE_YEARS = 5 * 365 * 86_400_000;

/** How many requests `sandbox.requests` keeps. */
const KEPT = 1000;

/** The notifications that go to brands. */
const OF_BRANDS = /^(?:BRAND_MEMBER_CARD|PRODUCT_COUPON)\./;

/** The parts of a sandbox. */
interface Parts {
  /** Where it listens, with a slash at its end. */
  readonly url: string;
  readonly listener: Listener;
  readonly authority: Authority | undefined;
  readonly store: Store;
  readonly clock: Clock;
  readonly schedule: Schedule;
  readonly identities: Identities;
  readonly notifier: Notifier;
  readonly products: Products;
  readonly merchant: Identity;
  readonly announcer: Announcer;
  /** Closes the journal. */
  readonly release: () => void;
}

/**
 * A WeChat Pay platform on this machine, for development and tests.
 *
 * It checks every request and signs its responses, for APIv3 and v2. It keeps the state of orders, refunds, transfers,
 * coupons and more, and sends their notifications. Every other documented operation gets a made-up response.
 * @example
 * await using sandbox = await Sandbox.start();
 * sandbox.on('post', 'v3/pay/transactions/native', () => ({ code_url: 'weixin://wxpay/bizpayurl?pr=p4lpSuKzz' }));
 * const instance = Builder.factory(sandbox.config);
 */
export class Sandbox implements AsyncDisposable {
  /** Where it listens, such as `http://127.0.0.1:45678/`; with TLS `https:`. */
  readonly url: string;
  /** A configuration for `Builder.factory`: a merchant with its keys, the platform's public key, the APIv2 key. */
  readonly config: SandboxConfig;
  /** The time of business: when orders expire, refunds succeed and notifications are sent again. */
  readonly clock: Clock;

  readonly #parts: Parts;
  readonly #platform: Platform;
  readonly #control: Control;
  readonly #handlers = createRoutes();
  readonly #misbehaviours = createMisbehaviours();
  #requests: ReceivedRequest[] = [];
  #closed: Promise<void> | undefined;

  private constructor(parts: Parts, { host = LOOPBACK, allowHosts, strict = false }: SandboxOptions) {
    const { url, listener, identities, merchant, products, schedule, store, notifier, announcer } = parts;
    this.url = url;
    this.config = merchantConfig(merchant, identities.platform, this.url);
    this.clock = parts.clock;
    this.#parts = parts;
    this.#platform = createPlatform({
      ...{ identities, baseUrl: this.url, strict, products: products.all, handlers: this.#handlers },
    });
    const rows = controlRows({
      ...{ store, clock: this.clock, identities, notifier, announcer, merchant: merchant.id, url: this.url },
      requests: () => this.requests,
      misbehave: (how, times) => void this.misbehave(how, times),
      behave: () => this.#misbehaviours.clear(),
      addMerchant: (own) => this.addMerchant(own),
      rotate: (to) => this.rotate(to),
      reset: (mchid) => this.reset(mchid),
    });
    const guard = createGuard({ port: listener.port, host, allowHosts });
    const controls = products.all.flatMap(({ control = [] }) => control);
    this.#control = createControl(
      { guard, identities, store, merchant: merchant.id },
      [...rows, ...products.media.rows],
      controls,
    );
    this.#seed();
    schedule.start();
    listener.serve((request, response) => void this.#serve(request, response));
  }

  /**
   * Starts a sandbox.
   * @throws ConfigurationError if it cannot listen on the port, or cannot use the keys or the journal
   * @throws InvalidArgumentError if `allowHosts` has an invalid host name
   */
  static async start(options: SandboxOptions = {}): Promise<Sandbox> {
    const { port = 0, host = LOOPBACK, allowHosts, merchant: own, journal, tls = false } = options;
    const { store, close: release } =
      journal === undefined ? { store: createStore(), close: () => {} } : openJournal(journal);
    let listener: Listener | undefined;
    try {
      const { clock, schedule } = createClock(store);
      const platform = await createKeyring(store);
      const identities = createIdentities(store, platform);
      const merchant = await firstMerchant(identities, own);
      const notifier = createNotifier({ store, clock, schedule, identities });
      const authority = tls ? await createAuthority(store) : undefined;
      listener = await (authority ? listenWithTls({ port, host }, authority, allowHosts) : listen({ port, host }));
      const url = urlOf(authority ? 'https' : 'http', host, listener.port);
      const products = createProducts({ store, clock, schedule, identities, notifier, baseUrl: url });
      const announcer = createAnnouncer();
      const business = { store, clock, schedule, identities, notifier, products, merchant, announcer };
      return new Sandbox({ url, listener, authority, release, ...business }, options);
    } catch (error) {
      listener?.close();
      release();
      throw error;
    }
  }

  /**
   * Adds a merchant, so that tests can run side by side: each sees its own orders only.
   * @param own its own id and keys; the sandbox generates what is missing
   * @returns a configuration for `Builder.factory`
   * @throws ConfigurationError if the merchant exists already, or its keys cannot be used
   */
  async addMerchant(own?: OwnIdentity): Promise<SandboxConfig> {
    const { identities } = this.#parts;
    const merchant = await identities.add('merchant', own);
    this.#seed();
    return merchantConfig(merchant, identities.platform, this.url);
  }

  /**
   * Adds a brand (品牌).
   * @param own its own id and keys; the sandbox generates what is missing
   * @returns a configuration for `Builder.factory`
   * @throws ConfigurationError if the brand exists already, or its keys cannot be used
   */
  async addBrand(own?: OwnIdentity): Promise<SandboxBrandConfig> {
    const { identities } = this.#parts;
    return brandConfig(await identities.add('brand', own), identities.platform, this.url);
  }

  /** With TLS: the certificate of its authority, PEM, for clients to trust. With a journal it stays the same. */
  get ca(): string | undefined {
    return this.#parts.authority?.certificate;
  }

  /** The merchant's API certificate, PEM: with TLS what clients present to operations of v2 that demand it. */
  get certificate(): string {
    return this.#parts.merchant.certificate;
  }

  /** The last 1,000 requests that arrived, in order, whatever the response was. */
  get requests(): readonly ReceivedRequest[] {
    return this.#requests;
  }

  /** The business coupons of the merchant by code, in their current state. */
  get coupons(): ReadonlyMap<string, Coupon> {
    const all = [...this.#parts.products.coupons.coupons()];
    const own = all.filter(({ mchid }) => mchid === this.config.mchid);
    return new Map(own.map((coupon) => [coupon.coupon_code, coupon]));
  }

  /** The refunds of all merchants as queries show them, in the order in which they were accepted. */
  get refunds(): readonly ShownRefund[] {
    return this.#parts.products.refunder.list();
  }

  /** The last notifications, in order, with each attempt and the reply to it. */
  get notifications(): readonly Delivery[] {
    return this.#parts.notifier.deliveries();
  }

  /**
   * Handles requests to a path from now on, instead of an earlier handler or the sandbox itself.
   * @param verb `get`, `post`, `put`, `patch` or `delete`
   * @param path such as `v3/pay/transactions/id/{transaction_id}`; a path without variables takes precedence. For v2
   * with a leading `v2/`, which is not part of the address: `v2/pay/unifiedorder` handles `/pay/unifiedorder`
   * @param handler returns the response: see {@link Handler}
   * @param options `{ signed: false }` for files, and for v2 operations whose response is not signed
   * @returns a function that removes the handler
   * @example
   * sandbox.on('post', 'v2/pay/unifiedorder', ({ xml }) => ({ prepay_id: `wx${xml.out_trade_no}` }));
   * @example
   * sandbox.on('get', 'v3/billdownload/file', () => new Response(createReadStream(path)), { signed: false });
   */
  on<Json = unknown>(verb: Verb, path: string, handler: Handler<Json>, options?: HandlerOptions): () => void {
    // The caller knows the type of the JSON.
    return this.#handlers.set(verb, path, handler as Handler, options);
  }

  /**
   * Makes the next responses go wrong. A second call takes effect when the first one is used up.
   * @param how what goes wrong, or a function that returns it for each request (`undefined` for nothing)
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
   * @param content what is encrypted; for a v2 notification that is not encrypted, its fields
   * @param url an http or https URL
   * @param options what goes wrong with it, and whether a probe goes first: see {@link NotifyOptions}
   * @returns the delivery after the first attempt; `notifications` shows later ones
   * @throws InvalidArgumentError if it cannot be sent
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
   * @param options who pays and how, or `outcome` if the user does not pay: see {@link PayOptions}
   * @returns the notification after its first attempt; `undefined` if there is none
   * @throws InvalidArgumentError if there is no such order, if there are several, or if it cannot be paid
   */
  async pay(out_trade_no: string, options: PayOptions = {}): Promise<Delivery | undefined> {
    return this.#play(({ payer }) => payer.pay(out_trade_no, options).notification);
  }

  /** The merchant's transfers (商家转账) in their current state, in order. */
  get transfers(): readonly Transfer[] {
    return this.#parts.products.transfers.list(this.config.mchid);
  }

  /**
   * Plays the receiver of a transfer, or another outcome. When it ends, `MCHTRANSFER.BILL.FINISHED` is sent.
   * @returns the transfer in its new state; a confirmed one succeeds a second later
   * @throws InvalidArgumentError if there is no such transfer, or its state does not allow it
   * @example sandbox.transfer('BILL1', { outcome: 'fail', fail_reason: 'NAME_NOT_CORRECT' });
   */
  transfer(out_bill_no: string, outcome: TransferOutcome): Transfer {
    return this.#committed(this.#parts.products.transfers.play(this.config.mchid, out_bill_no, outcome));
  }

  /** The merchant's batches of transfers in their current state, in order. */
  get transferBatches(): readonly TransferBatch[] {
    return this.#parts.products.transferBatches.list(this.config.mchid);
  }

  /**
   * Makes transfers of an unfinished batch fail, or closes it. By default all of them succeed within 2 s.
   * @throws InvalidArgumentError if there is no such batch or transfer, or it has ended
   * @example sandbox.transferBatch('BATCH1', { outcome: 'fail', out_detail_no: 'DETAIL1' });
   */
  transferBatch(out_batch_no: string, outcome: TransferBatchOutcome): TransferBatch {
    return this.#committed(this.#parts.products.transferBatches.play(this.config.mchid, out_batch_no, outcome));
  }

  /** The merchant's profit sharing orders in their current state, in order. */
  get profitSharings(): readonly ProfitSharing[] {
    return this.#parts.products.profitSharing.list(this.config.mchid);
  }

  /**
   * Makes a profit sharing order fail: its receivers get nothing, or their returns fail.
   * @throws InvalidArgumentError if there is no such order or receiver, or its state does not allow it
   * @example sandbox.profitSharing('P20150806125346', { outcome: 'close', account: '1900000110' });
   */
  profitSharing(out_order_no: string, outcome: ProfitSharingOutcome): ProfitSharing {
    return this.#committed(this.#parts.products.profitSharing.play(this.config.mchid, out_order_no, outcome));
  }

  /**
   * Sets how much of an order the merchant may share: by default 30 %, as with WeChat Pay.
   * @param max_ratio in ten thousandths: 10,000 is the whole order
   * @throws InvalidArgumentError unless it is an integer from 1 to 10,000
   */
  limitProfitSharing(max_ratio: number): void {
    this.#committed(this.#parts.products.profitSharing.limit(this.config.mchid, max_ratio));
  }

  /**
   * Ends a refund as `CLOSED`, `ABNORMAL` or `SUCCESS`, and sends its notification. By default it
   * succeeds a second after it was accepted; `clock.freeze()` keeps it `PROCESSING`.
   * @param options `status`, and which refund if several have the same number: see {@link RefundOptions}
   * @returns the refund as queries show it, after the first attempt of its notification
   * @throws InvalidArgumentError if there is no such refund, or several, or it has ended
   */
  async refund(out_refund_no: string, options: RefundOptions): Promise<ShownRefund> {
    return this.#play(async ({ refunder }) => {
      const { refund, notification } = refunder.end(out_refund_no, options);
      await notification;
      return refund;
    });
  }

  /**
   * Plays the user of a WeChat Pay Score service order, and notifies its `notify_url`.
   * @param outcome `confirm` a new order, or `pay` a completed one, which is otherwise collected after a second
   * @param openid who confirms it
   * @returns the notification after its first attempt
   * @throws InvalidArgumentError if there is no such order, or its state does not allow it
   */
  async playServiceOrder(out_order_no: string, outcome: ServiceOrderOutcome, openid?: string): Promise<Delivery> {
    const { merchant, notifier } = this.#parts;
    return this.#play(({ services }) =>
      notifier.firstAttempt(services.play(merchant.id, out_order_no, outcome, openid).notified),
    );
  }

  /**
   * Plays the user who grants or withdraws a WeChat Pay Score permission that the merchant has requested.
   * @param openid who grants it
   * @returns the notification after its first attempt; `undefined` without a `notify_url`
   * @throws InvalidArgumentError if there is no such permission, or its state does not allow it
   */
  async playPermission(code: string, outcome: 'open' | 'close', openid?: string): Promise<Delivery | undefined> {
    const { merchant, notifier } = this.#parts;
    return this.#play(({ permissions }) => {
      const notified = permissions.play(merchant.id, code, outcome, openid);
      return notified === undefined ? undefined : notifier.firstAttempt(notified);
    });
  }

  /**
   * Plays a user who complains, and notifies the merchant's callback for complaints.
   * @param options the complaint: see {@link ComplaintOptions}
   * @returns the id of the complaint, and the notification after its first attempt if there is a callback
   * @throws InvalidArgumentError if the complaint is not possible
   */
  async complain(options: ComplaintOptions = {}): Promise<{ complaint_id: string; notification?: Delivery }> {
    const { merchant, notifier } = this.#parts;
    return this.#play(async ({ complaints }) => {
      const { complaint_id, notified } = complaints.complain(merchant.id, options);
      return { complaint_id, ...(notified !== undefined && { notification: await notifier.firstAttempt(notified) }) };
    });
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
   * Changes the key that the platform signs with, immediately, whichever key a request announces. It starts with the
   * public key of `config`. `v3/certificates` lists a new certificate beside the earlier ones; these and the public
   * key remain valid for sensitive fields.
   * @param to a new certificate, or back to the public key
   * @param options `validFor`: how long the certificate is valid, in milliseconds; five years by default
   * @returns the id of the key
   * @example
   * await sandbox.rotate();
   * const { certs, ...config } = sandbox.config; // without the public key: certificates are downloaded
   */
  rotate(to: PlatformKeyKind = 'certificate', { validFor = FIVE_YEARS }: { validFor?: number } = {}): Promise<string> {
    // Certificates use the real time, as signatures do.
    return this.#parts.identities.platform.rotate(to, Date.now(), validFor);
  }

  /**
   * Forgets all state, handlers, faults, requests, platform certificates and the time set. Identities, keys and port
   * remain; no notification is repeated.
   * @param mchid forgets only what belongs to that merchant
   */
  reset(mchid?: string): void {
    const { store, schedule, identities, notifier } = this.#parts;
    notifier.release(mchid);
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

  /** Stops listening, closes all connections, even with pending requests, and repeats no notification. */
  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      const { listener, schedule, notifier, release } = this.#parts;
      schedule.close();
      notifier.close();
      listener.close(() => {
        release();
        resolve();
      });
    });
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await receive(message).catch(() => undefined);
    // The client disconnected before its request was complete.
    if (!request) return;
    const { method, target, headers, body, form } = request;
    if (isControl(target)) {
      await this.#control(request).then(
        (sent) => transmit(response, sent, {}),
        (error) => explain(response, error),
      );
      return;
    }
    const started = performance.now();
    const record: Mutable<ReceivedRequest> = {
      ...{ method, target, headers, body: body.toString() },
      // Copies: what is kept must not keep the bytes.
      files: (form?.files ?? []).map((file) => ({ ...file })),
      ...{ time: Date.now(), status: undefined, milliseconds: undefined, checks: [] },
    };
    this.#requests.push(record);
    if (this.#requests.length > KEPT) this.#requests.shift();
    record.status = await this.#respond(request, record, response).catch((error) => explain(response, error));
    record.milliseconds = Math.round(performance.now() - started);
    const { mchid, status } = record;
    this.#parts.announcer.announce('request', { method, target, mchid, status });
  }

  async #respond(
    request: IncomingRequest,
    record: Mutable<ReceivedRequest>,
    response: ServerResponse,
  ): Promise<number | undefined> {
    const how = this.#misbehaviours.next(record);
    const { response: sent, verdict } = await this.#platform(request, how);
    Object.assign(record, verdict);
    // Before the response leaves.
    this.#parts.store.commit();
    return transmit(response, sent, how);
  }

  /** Changes what a product keeps. Here, what the product refuses is an invalid argument. */
  async #play<Result>(change: (products: Products) => Result): Promise<Awaited<Result>> {
    try {
      return await this.#committed(change(this.#parts.products));
    } catch (thrown) {
      throw isResponse(thrown) ? new InvalidArgumentError(await messageOf(thrown)) : thrown;
    }
  }

  /** Commits what led to a result. */
  #committed<Result>(result: Result): Result {
    this.#parts.store.commit();
    return result;
  }

  #seed(): void {
    for (const { seed } of this.#parts.products.all) seed?.();
  }
}

/** Responds with the error that a request ran into. */
async function explain(response: ServerResponse, error: unknown): Promise<number | undefined> {
  if (response.headersSent) return undefined;
  const failure = await fromResponse(fault(500, 'SYSTEM_ERROR', `The sandbox failed: ${String(error)}`));
  return transmit(response, frame(failure, new Date()), {});
}

type Mutable<T> = { -readonly [Member in keyof T]: T[Member] };

const LOOPBACK = '127.0.0.1';

/** The first merchant of the journal, or the one that is given, or a new one. */
async function firstMerchant(identities: Identities, own: OwnIdentity | undefined): Promise<Identity> {
  const known = identities.all().find(({ kind }) => kind === 'merchant');
  const absent = identities.absent('merchant');
  const { id = own?.certificate === undefined ? (absent[0] ?? known?.id) : undefined, ...keys } = own ?? {};
  const hasKeys = Object.values(keys).some((key) => key !== undefined);
  if (hasKeys || (id !== undefined && id !== known?.id && !absent.includes(id))) {
    return identities.add('merchant', { id, ...keys });
  }
  if (known || absent.length === 0) return known ?? identities.add('merchant', { id });
  throw new ConfigurationError(
    `The journal belongs to ${absent.join(', ')}. Their own keys are not kept in it: pass these keys again.`,
  );
}

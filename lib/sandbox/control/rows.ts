import { InvalidArgumentError } from '../../errors';
import type { Clock, Duration } from '../clock';
import type { Identities, Identity, OwnFiles, OwnIdentity } from '../identity';
import type { Notifier, NotifyOptions } from '../notifications/notify';
import type { ProductRoute } from '../products/product';
import type { PlatformKeyKind } from '../protocol/keyring';
import type { Verb } from '../routes';
import type { Store } from '../store';
import { checkMisbehaviour, type Misbehaving, type Misbehaviour } from '../wire/misbehaviour';
import { pathOf, type ReceivedRequest, type SandboxRequest } from '../wire/request';
import { fault } from '../wire/response';
import { type Announcer, eventStream } from './events';

/** What the rows use; the class `Sandbox` uses the same functions. */
export interface RowContext {
  readonly store: Store;
  readonly clock: Clock;
  readonly identities: Identities;
  readonly notifier: Notifier;
  readonly announcer: Announcer;
  /** The default merchant. */
  readonly merchant: string;
  readonly url: string;
  requests(): readonly ReceivedRequest[];
  misbehave(how: Misbehaving, times: number): void;
  /** Ends all misbehaviour. */
  behave(): void;
  addMerchant(own: OwnIdentity): Promise<{ readonly mchid: string }>;
  rotate(to: PlatformKeyKind | undefined): Promise<string>;
  reset(mchid?: string): void;
}

type Json = Readonly<Record<string, unknown>>;

/** The rows of the control API that do not belong to a product. */
export function controlRows(context: RowContext): readonly ProductRoute[] {
  const { store, clock, identities, notifier, announcer } = context;
  const merchant = (mchid: string): Identity => {
    const found = identities.find('merchant', mchid || context.merchant);
    if (!found) throw fault(404, 'RESOURCE_NOT_EXISTS', 'The sandbox has no merchant.');
    return found;
  };
  const config = (mchid: string) => configOf(merchant(mchid), context);
  const clockNow = () => ({ now: new Date(clock.now()).toISOString(), frozen: clock.isFrozen });

  return [
    row('get', 'health', () => ({ status: 'UP' })),
    row('get', 'config', ({ mchid }) => config(mchid)),

    row('get', 'merchants', () =>
      identities.all().flatMap(({ kind, id, serial }) => (kind === 'merchant' ? { mchid: id, serial } : [])),
    ),
    row('post', 'merchants', async ({ json }) => {
      const {
        mchid: id,
        apiv3Key: apiKey,
        ...keys
      } = texts(json, [...['mchid', 'privateKey', 'certificate', 'apiv3Key', 'secret']]);
      if (id !== undefined && identities.find('merchant', id)) {
        throw fault(409, 'ALREADY_EXISTS', `The sandbox already has the merchant ${id}.`);
      }
      return config((await context.addMerchant({ ...keys, id, apiKey })).mchid);
    }),

    row('get', 'notifications', ({ mchid }) =>
      notifier.deliveries().filter((delivery) => !mchid || delivery.mchid === mchid),
    ),
    row('post', 'notifications', async ({ mchid, json }) => {
      const { name, content, url, wait, ...options } = json;
      const recipient = { kind: 'merchant', id: merchant(mchid).id } as const;
      // The notifier checks them.
      const key = notifier.notify(
        recipient,
        name as string,
        content as object,
        url as string,
        options as NotifyOptions,
      );
      return sent(notifier.firstAttempt(key), wait);
    }),
    row('post', 'notifications/{id}/resend', ({ mchid, variables: { id = '' }, json }) => {
      const key = notifier.find(id, mchid || undefined);
      if (key === undefined) throw fault(404, 'RESOURCE_NOT_EXISTS', `There is no notification with the id ${id}.`);
      known(json, ['wait']);
      return sent(notifier.resend(key), json.wait);
    }),

    row('get', 'requests', ({ mchid }) => context.requests().filter((one) => !mchid || one.mchid === mchid)),

    row('post', 'faults', ({ json }) => {
      const { times = 1, method, path, ...how } = json;
      // Checked on the next line.
      const misbehaviour = how as Misbehaviour;
      checkMisbehaviour(misbehaviour);
      const { method: only, path: where } = texts({ method, path }, ['method', 'path']);
      const isAll = only === undefined && where === undefined;
      const choose = (request: ReceivedRequest) => {
        const isMeant = (only ?? request.method) === request.method && isBelow(request, where);
        return isMeant ? misbehaviour : undefined;
      };
      context.misbehave(
        isAll ? misbehaviour : choose,
        times === 'always' ? Number.POSITIVE_INFINITY : (times as number),
      );
    }),
    row('delete', 'faults', () => context.behave()),

    row('post', 'keys/rotate', async ({ json }) => {
      const { to } = texts(json, ['to']);
      if (to !== undefined && to !== 'certificate' && to !== 'public-key') {
        throw new InvalidArgumentError(`"to" must be certificate or public-key; found "${to}".`);
      }
      return { serial: await context.rotate(to) };
    }),

    row('get', 'clock', clockNow),
    row('post', 'clock', async ({ json }) => {
      const { advance, freeze, resume, set, wait } = known(json, ['advance', 'freeze', 'resume', 'set', 'wait']);
      if (freeze && resume) throw new InvalidArgumentError('Use only one of "freeze" and "resume".');
      if (freeze) clock.freeze();
      // An invalid target is refused at once; what falls due on the way is awaited.
      const moves = [
        ...(set === undefined ? [] : [clock.set(timeOf(set))]),
        ...(advance === undefined ? [] : [clock.advance(durationOf(advance))]),
      ];
      if (resume) clock.resume();
      if (wait === false) {
        for (const move of moves) move.catch((error) => process.emitWarning(String(error)));
        return clockNow();
      }
      await Promise.all(moves);
      return clockNow();
    }),

    row('post', 'reset', ({ mchid }) => context.reset(mchid || undefined)),
    row('get', 'events', ({ mchid }) => eventStream(store, announcer, mchid || undefined)),
  ];
}

function row(verb: Verb, path: string, handle: (request: SandboxRequest<Json>) => unknown): ProductRoute {
  // The dispatch accepts only objects.
  return [verb, `sandbox/${path}`, (request) => handle({ ...request, json: Object(request.json) as Json })];
}

/** What a client of a merchant needs, as strings. For the merchant's own keys, only the path of the file. */
function configOf(
  { id, serial, privateKey, certificate, apiKey, secret, own }: Identity,
  { identities, url }: RowContext,
) {
  const { original } = identities.platform;
  const shown = (name: keyof OwnFiles, text: string) => (Object.hasOwn(own, name) ? own[name] : text);
  return {
    ...{ mchid: id, serial },
    privateKey: shown('privateKey', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
    certificate,
    publicKeyId: original.serial,
    publicKey: original.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    apiv3Key: shown('apiKey', apiKey),
    secret: shown('secret', secret),
    baseUrl: url,
  };
}

async function sent<T>(attempt: Promise<T>, wait: unknown): Promise<T | undefined> {
  return wait === false ? undefined : attempt;
}

function isBelow({ target }: ReceivedRequest, path: string | undefined): boolean {
  const asked = pathOf(target);
  return path === undefined || asked === path || asked === `/${path}`;
}

/** @throws InvalidArgumentError if there is a member that nobody reads */
function known(json: Json, names: readonly string[]): Json {
  const unknown = Object.keys(json).find((name) => !names.includes(name));
  if (unknown === undefined) return json;
  throw new InvalidArgumentError(`Unknown member "${unknown}"; valid members: ${names.join(', ')}.`);
}

/** @throws InvalidArgumentError if a member is no text */
function texts<Name extends string>(json: Json, names: readonly Name[]): Partial<Record<Name, string>> {
  for (const [name, value] of Object.entries(known(json, names))) {
    if (value !== undefined && typeof value !== 'string') throw new InvalidArgumentError(`"${name}" must be a string.`);
  }
  // Every member has been checked.
  return json as Partial<Record<Name, string>>;
}

function timeOf(value: unknown): Date {
  const time = new Date(typeof value === 'string' ? value : Number.NaN);
  if (!Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('"set" must be a time such as 2030-01-31T08:00:00+08:00.');
}

function durationOf(value: unknown): Duration {
  // The clock checks its members.
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new InvalidArgumentError('"advance" must be a duration such as { "minutes": 30 }.');
}

import { ConfigurationError } from '../errors';
import type { BrandChain, Chain } from '../openapi/chain';
import { readApiKey } from '../signature/api-key';
import { type Credentials, credentialsOf } from '../signature/credentials';
import { loadPlatformKeys, refuseOwnKeys, requirePublicKeys } from '../signature/platform-keys';
import { createHandlers, protocolOfBody } from './handlers';
import { MAX_AGE, refuseReplay } from './replay';
import { type RawRequest, readRequest } from './request';
import { requireStore } from './store';
import type { AnyNotification, NotificationOptions, NotificationReceiver } from './types';
import { parseV2 } from './v2';
import { parseV3 } from './v3';

/** The members of {@link NotificationOptions}; the type keeps the list complete. */
const KNOWN: Record<keyof NotificationOptions, true> = {
  certs: true,
  apiv3Key: true,
  secret: true,
  brandApiKey: true,
  store: true,
  maxBodySize: true,
  maxAge: true,
  onError: true,
};

const MAX_BODY_SIZE = 1024 * 1024;

/** How many seconds longer to keep ids than a notification may be repeated or replayed, because clocks differ. */
const MARGIN = 3600;

/**
 * Receives the notifications of one merchant or one brand, with the keys that an instance was built with: its APIv3 key,
 * its APIv2 key and its `certs`, or the API key of the brand and its `certs`. If the instance downloads platform certificates, it does so for notifications as well.
 *
 * Keys are loaded and checked here, once. No timer is started.
 * @param instance what `Builder.factory` returned
 * @param options keys given here take precedence over those of the instance
 * @throws {@link ConfigurationError} that names the option, what was found and what was expected
 * @throws {@link InvalidArgumentError} if the instance was not created by `Builder.factory`
 * @example
 * const notifications = Notifications.of(instance);
 * app.post('/notify', notifications.nodeHandler(async ({ event_type, resource }) => {
 *   if (event_type === 'TRANSACTION.SUCCESS') await markAsPaid(resource);
 * }));
 */
export function of(instance: Chain | BrandChain, options?: NotificationOptions): NotificationReceiver;
/**
 * Receives the notifications of one merchant or one brand without a client.
 * @param options APIv3 needs `certs` and `apiv3Key`, v2 needs `secret`, a brand needs `certs` and `brandApiKey`
 * @throws {@link ConfigurationError} that names the option, what was found and what was expected
 * @example
 * const notifications = Notifications.of({ certs, apiv3Key });
 */
export function of(options: NotificationOptions): NotificationReceiver;
export function of(
  first: Chain | BrandChain | NotificationOptions,
  second?: NotificationOptions,
): NotificationReceiver {
  // Instances are functions, and so are their paths, which get an error message of their own.
  const isInstance = typeof first === 'function' || second !== undefined;
  const built = isInstance ? credentialsOf(first) : undefined;
  return receiver(readOptions(isInstance && second === undefined ? {} : (second ?? first)), built);
}

function readOptions(options: unknown): NotificationOptions {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigurationError('The options must be an object: Notifications.of(instance, options) or of(options).');
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(KNOWN, name));
  if (unknown === undefined) return options;
  const hint = unknown === 'instance' ? ' The instance comes first: Notifications.of(instance, options).' : '';
  throw new ConfigurationError(`Unknown option "${unknown}"; valid options: ${Object.keys(KNOWN).join(', ')}.${hint}`);
}

function receiver(config: NotificationOptions, built: Credentials | undefined): NotificationReceiver {
  const { store, onError } = config;
  const maxBodySize = readSize(config.maxBodySize ?? MAX_BODY_SIZE);
  const maxAge = readAge(config.maxAge ?? MAX_AGE);
  if (store !== undefined) requireStore(store);
  if (onError !== undefined && typeof onError !== 'function')
    throw new ConfigurationError('"onError" must be a function.');
  const isForBrand = config.brandApiKey !== undefined || built?.brandId !== undefined;
  const parse = isForBrand ? brandParser(config, built) : merchantParser(config, built, maxAge);
  return {
    ...createHandlers({ parse, maxBodySize, store, keep: Math.max(maxAge || 0, MAX_AGE) + MARGIN, onError }),
    // The caller states the type.
    parse: async <Notification extends AnyNotification>(request: Parameters<NotificationReceiver['parse']>[0]) =>
      (await parse(await readRequest(request, maxBodySize))) as Notification,
  };
}

/** Verifies and decrypts one notification. */
type Parse = (raw: RawRequest) => Promise<AnyNotification>;

function merchantParser(config: NotificationOptions, built: Credentials | undefined, maxAge: number | false): Parse {
  const { keys, apiv3Key, secret } = readKeys(config, built);
  return async (raw) => {
    if (protocolOfBody(raw) === 'v2') {
      if (secret === undefined)
        throw new ConfigurationError('Received a v2 (XML) notification; configure "secret", the APIv2 key.');
      const notification = await parseV2(raw, secret, apiv3Key);
      if (maxAge !== false) refuseReplay(notification.envelope, maxAge);
      return notification;
    }
    if (keys && apiv3Key) return parseV3(raw, keys, apiv3Key);
    throw new ConfigurationError(
      'Received an APIv3 notification; configure "apiv3Key" and "certs", or pass an instance.',
    );
  };
}

/** A brand has notifications in JSON alone, and keys of its own. */
function brandParser(config: NotificationOptions, built: Credentials | undefined): Parse {
  const { keys, brandApiKey } = readBrandKeys(config, built);
  return async (raw) => {
    if (protocolOfBody(raw) === 'v3') return parseV3(raw, keys, brandApiKey, 'brandApiKey');
    throw new ConfigurationError(
      'Received a v2 (XML) notification: WeChat Pay sends those to merchants, and these are the keys of a brand.',
    );
  };
}

function readBrandKeys(config: NotificationOptions, built: Credentials | undefined) {
  const other = (['apiv3Key', 'secret'] as const).find((name) => config[name] !== undefined);
  if (other !== undefined || built?.mchid !== undefined) {
    const ofMerchant = other === undefined ? 'The instance' : `"${other}"`;
    const ofBrand = built?.brandId === undefined ? '"brandApiKey"' : 'the instance';
    throw new ConfigurationError(
      `${ofMerchant} is for a merchant, and ${ofBrand} for a brand; receive their notifications separately, each with ` +
        'its own keys.',
    );
  }
  const certs = config.certs ?? built?.certs;
  const brandApiKey = readApiKey('brandApiKey', 'brand API', config.brandApiKey ?? built?.brandApiKey);
  if (!brandApiKey) {
    throw new ConfigurationError('"brandApiKey" is missing; notifications of a brand cannot be decrypted without it.');
  }
  requireKeys(certs);
  requirePublicKeys(certs);
  if (config.certs !== undefined && built) refuseOwnKeys(config.certs, built);
  return { keys: loadPlatformKeys(certs, { thread: 'main' }), brandApiKey };
}

function requireKeys(certs: NotificationOptions['certs']): asserts certs is NonNullable<typeof certs> {
  if (typeof certs === 'object' && certs !== null && Object.keys(certs).length > 0) return;
  throw new ConfigurationError(
    "\"certs\" must contain WeChat Pay's public key under its ID, as in { PUB_KEY_ID_…: 'file:///path/to/pub_key.pem' }.",
  );
}

function readKeys(config: NotificationOptions, built: Credentials | undefined) {
  const certs = config.certs ?? built?.certs;
  const secret = readApiKey('secret', 'APIv2', config.secret ?? built?.secret)?.toString();
  const apiv3Key = readApiKey('apiv3Key', 'APIv3', config.apiv3Key ?? built?.apiv3Key);
  if (config.certs !== undefined && !apiv3Key)
    throw new ConfigurationError('"apiv3Key" is missing; APIv3 notifications cannot be decrypted without it.');
  if (secret === undefined && (!certs || !apiv3Key)) {
    throw new ConfigurationError(
      'Keys are missing: APIv3 requires "apiv3Key" and "certs", or an instance that has them; v2 requires "secret".',
    );
  }
  const certificates = config.certs === undefined ? built?.certificates : undefined;
  if (certs && !certificates) requireKeys(certs);
  if (config.certs !== undefined && built) refuseOwnKeys(config.certs, built);
  return { keys: certificates ?? (certs && loadPlatformKeys(certs, { thread: 'main' })), secret, apiv3Key };
}

function readSize(size: unknown): number {
  if (typeof size === 'number' && Number.isSafeInteger(size) && size > 0) return size;
  throw new ConfigurationError('"maxBodySize" must be an integer number of bytes, 1 or more.');
}

function readAge(age: unknown): number | false {
  if (age === false) return false;
  if (typeof age === 'number' && Number.isSafeInteger(age) && age > 0) return age;
  throw new ConfigurationError('"maxAge" must be an integer number of seconds, 1 or more, or false.');
}

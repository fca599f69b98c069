import { ConfigurationError } from '../errors';
import { readApiKey } from '../signature/api-key';
import { credentialsOf } from '../signature/credentials';
import { loadPlatformKeys, refuseOwnKeys } from '../signature/platform-keys';
import { createHandlers, protocolOf } from './handlers';
import { MAX_AGE, refuseReplay } from './replay';
import { type RawRequest, readRequest } from './request';
import { requireStore } from './store';
import type { AnyNotification, NotificationConfig, Notifications } from './types';
import { parseV2 } from './v2';
import { parseV3 } from './v3';

/** The members of {@link NotificationConfig}; the type keeps the list whole. */
const KNOWN: Record<keyof NotificationConfig, true> = {
  instance: true,
  certs: true,
  apiv3Key: true,
  secret: true,
  store: true,
  maxBodySize: true,
  maxAge: true,
  onError: true,
};

const MAX_BODY_SIZE = 1024 * 1024;

/** Seconds by which ids are kept longer than a notification may be repeated, or replayed: clocks differ. */
const MARGIN = 3600;

/**
 * Receives the notifications of one merchant.
 *
 * Keys are loaded and checked here, once. No timer is started.
 * @throws {@link ConfigurationError} that names the option, what was found and what was expected
 * @throws {@link InvalidArgumentError} where `Builder.factory` did not build the instance
 * @example
 * const notifications = Notification.factory({ instance, apiv3Key });
 * app.post('/notify', notifications.handler(async ({ event_type, resource }) => {
 *   if (event_type === 'TRANSACTION.SUCCESS') await markAsPaid(resource);
 * }));
 */
export function factory(config: NotificationConfig): Notifications {
  if (typeof config !== 'object' || config === null)
    throw new ConfigurationError('The configuration must be an object.');
  const unknown = Object.keys(config).find((name) => !Object.hasOwn(KNOWN, name));
  if (unknown !== undefined) {
    throw new ConfigurationError(`Unknown option "${unknown}". Valid options: ${Object.keys(KNOWN).join(', ')}.`);
  }
  const { store, onError } = config;
  const maxBodySize = readSize(config.maxBodySize ?? MAX_BODY_SIZE);
  const maxAge = readAge(config.maxAge ?? MAX_AGE);
  if (store !== undefined) requireStore(store);
  if (onError !== undefined && typeof onError !== 'function')
    throw new ConfigurationError('"onError" must be a function.');
  const { keys, apiv3Key, secret } = readKeys(config);

  const parse = async (raw: RawRequest): Promise<AnyNotification> => {
    if (protocolOf(raw) === 'v2') {
      if (secret === undefined)
        throw new ConfigurationError('Received a v2 (XML) notification; configure "secret", the APIv2 key.');
      const notification = await parseV2(raw, secret, apiv3Key);
      if (maxAge !== false) refuseReplay(notification.envelope, maxAge);
      return notification;
    }
    if (keys && apiv3Key) return parseV3(raw, keys, apiv3Key);
    throw new ConfigurationError(
      'Received an APIv3 notification; configure "apiv3Key" and "certs", or pass "instance".',
    );
  };
  return {
    ...createHandlers({ parse, maxBodySize, store, keep: Math.max(maxAge || 0, MAX_AGE) + MARGIN, onError }),
    // Which type it is, the caller knows and says.
    parse: async <Notification extends AnyNotification>(request: Parameters<Notifications['parse']>[0]) =>
      (await parse(await readRequest(request, maxBodySize))) as Notification,
  };
}

function readKeys(config: NotificationConfig) {
  const built = config.instance === undefined ? undefined : credentialsOf(config.instance);
  const certs = config.certs ?? built?.certs;
  const secret = readApiKey('secret', 'APIv2', config.secret ?? built?.secret)?.toString();
  const apiv3Key = readApiKey('apiv3Key', 'APIv3', config.apiv3Key ?? built?.apiv3Key);
  if (config.certs !== undefined && !apiv3Key)
    throw new ConfigurationError('"apiv3Key" is missing; APIv3 notifications cannot be decrypted without it.');
  if (secret === undefined && (!certs || !apiv3Key)) {
    throw new ConfigurationError(
      'Keys are missing: APIv3 requires "apiv3Key" and "certs", or an "instance" that has them; v2 requires "secret".',
    );
  }
  const certificates = config.certs === undefined ? built?.certificates : undefined;
  if (certs && !certificates && (typeof certs !== 'object' || Object.keys(certs).length === 0)) {
    throw new ConfigurationError(
      "\"certs\" must contain WeChat Pay's public key under its ID, as in { PUB_KEY_ID_…: 'file:///path/to/pub_key.pem' }.",
    );
  }
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

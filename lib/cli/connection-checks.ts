import { Agent, type Dispatcher } from 'undici';
import { Builder } from '../builder';
import * as Certificates from '../certificates';
import { certificatesPath } from '../certificates/response';
import type { ClientConfig } from '../client';
import { codeOf } from '../crypto/bytes';
import { ApiError, ConfigurationError, SignatureError, TimeoutError, TransportError, WechatPayError } from '../errors';
import { readBaseUrl } from '../format/url';
import { loadPlatformKeys } from '../signature/platform-keys';
import { MAX_CLOCK_SKEW, verifyPlatformSignature } from '../signature/platform-signature';
import { type Check, failed, messageOf, passed, skipped, warning } from './report';
import { clientConfig, nameOf, platformKeys, type Settings } from './settings';

/** A clock difference worth a warning, in seconds. */
const NOTABLE_SKEW = 60;

/** The codes with which WeChat Pay rejects a signature. */
const UNSIGNED = new Set(['SIGN_ERROR', 'HTTP_401']);

/**
 * Sends one request that changes nothing, for the list of platform certificates, and checks the result: the connection,
 * the clock, the merchant's signature, WeChat Pay's signature.
 */
export async function checkConnection(settings: Settings): Promise<Check[]> {
  let date: string | undefined;
  const dispatcher = new Agent().compose(
    (dispatch) => (options, handler) =>
      dispatch(
        options,
        watching(handler, (received) => {
          date = received;
        }),
      ),
  );
  const config = { ...clientConfig(settings, ['mchid', 'serial', 'privateKey']), dispatcher };
  const start = Date.now();
  const error: unknown = await ask(config).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const clock = checkClock(date, (start + Date.now()) / 2);
  const host = new URL(settings.baseUrl ?? 'https://api.mch.weixin.qq.com/').host;
  if (error instanceof TransportError || error instanceof TimeoutError) {
    return [failed('connection', `${host} ${unreachable(error)}`), ...unknown('clock', 'request', 'response')];
  }
  return [passed('connection', `${host} responds`), clock, ...(await checkOutcome(error, settings))];
}

/** With a configured WeChat Pay key, sends an ordinary request; otherwise downloads certificates. */
async function ask(config: ClientConfig): Promise<void> {
  const { apiv3Key, ...rest } = config;
  if (!rest.certs) await Certificates.of(Builder.factory(config)).refresh();
  // Without the APIv3 key the configuration is still valid, because it has `certs`.
  else
    await Builder.factory(rest as ClientConfig)
      .chain(certificatesPath(readBaseUrl(config.baseUrl)))
      .get();
}

async function checkOutcome(error: unknown, settings: Settings): Promise<Check[]> {
  if (error === undefined) return [ACCEPTED, passed('response', "is signed by WeChat Pay's key")];
  const refusal = error instanceof ConfigurationError ? error.cause : error;
  if (refusal instanceof ApiError) {
    const { code, message, status } = refusal;
    const said = `is refused: ${code}, ${message}`;
    if (status === 401 || UNSIGNED.has(code)) {
      const advice = `. Mchid, serial number and private key do not belong together, or the clock is off`;
      return [failed('request', said + advice), ...unknown('response')];
    }
    if (status === 429 || status >= 500)
      return [warning('request', `${said}; try again later`), ...unknown('response')];
    // A merchant with a public key has no certificates, but the request itself was valid.
    if (code !== 'RESOURCE_NOT_EXISTS') {
      return [
        failed('request', `${said}. Check ${nameOf('baseUrl')} and the merchant's permissions`),
        ...unknown('response'),
      ];
    }
    const isDownload = settings.publicKey === undefined;
    return [ACCEPTED, isDownload ? failed('response', messageOf(error)) : await checkRefusal(refusal, settings)];
  }
  if (error instanceof SignatureError || error instanceof ConfigurationError) {
    return [ACCEPTED, failed('response', messageOf(error))];
  }
  if (error instanceof WechatPayError) return [failed('request', messageOf(error)), ...unknown('response')];
  throw error;
}

const ACCEPTED = passed('request', 'is accepted: mchid, serial number and private key belong together');

/** WeChat Pay signs most error responses as well. */
async function checkRefusal({ headers, body }: ApiError, settings: Settings): Promise<Check> {
  if (!headers.has('wechatpay-signature')) return skipped('response', 'is not signed; the first real one will be');
  try {
    await verifyPlatformSignature(Object.fromEntries(headers), body, loadPlatformKeys(platformKeys(settings) ?? {}));
    return passed('response', "is signed by WeChat Pay's key");
  } catch (error) {
    return failed('response', messageOf(error));
  }
}

function checkClock(date: string | undefined, now: number): Check {
  const time = Date.parse(date ?? '');
  if (Number.isNaN(time)) return skipped('clock', 'the response has no Date header');
  const skew = Math.round((now - time) / 1000);
  const difference = `this machine is ${Math.abs(skew)} s ${skew < 0 ? 'behind' : 'ahead of'} WeChat Pay`;
  if (Math.abs(skew) > MAX_CLOCK_SKEW) {
    return failed(
      'clock',
      `${difference}; at most ${MAX_CLOCK_SKEW} s is allowed; set the clock and keep it in sync with NTP`,
    );
  }
  return Math.abs(skew) > NOTABLE_SKEW
    ? warning('clock', `${difference}; keep the clock in sync with NTP`)
    : passed('clock', difference);
}

function unreachable(error: Error): string {
  const reason = codeOf(error.cause);
  return `cannot be reached (${reason}); check the network, the firewall, the proxy, and ${nameOf('baseUrl')}`;
}

function unknown(...names: string[]): Check[] {
  return names.map((name) => skipped(name, 'unknown'));
}

/** Observes the date of a response. */
function watching(
  handler: Dispatcher.DispatchHandler,
  onDate: (date: string | undefined) => void,
): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (...start) => handler.onRequestStart?.(...start),
    onRequestUpgrade: (...upgrade) => handler.onRequestUpgrade?.(...upgrade),
    onResponseStart(...start) {
      const { date } = start[2];
      onDate(Array.isArray(date) ? date[0] : date);
      handler.onResponseStart?.(...start);
    },
    onResponseData: (...data) => handler.onResponseData?.(...data),
    onResponseEnd: (...end) => handler.onResponseEnd?.(...end),
    onResponseError: (...error) => handler.onResponseError?.(...error),
  };
}

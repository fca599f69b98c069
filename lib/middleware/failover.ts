import { ConfigurationError } from '../errors';
import { BASE_URL_RULE, DEFAULT_BASE_URL, readBaseUrl } from '../format/url';
import { connectionFailed } from './connection-failure';
import type { Interceptor } from './dispatch-options';
import { type Decide, RepeatingHandler } from './repeating-handler';
import { isIdempotent } from './retry';
import { originOf } from './signing';

/** Where to go if the host is unreachable. */
export interface FailoverOptions {
  /** The primary host; `https://api.mch.weixin.qq.com` by default. Requests to other hosts are not affected. */
  from?: string | URL;
  /** The host to use instead; `https://api2.mch.weixin.qq.com` by default. Requests to it are signed. */
  to?: string | URL;
}

/** WeChat Pay's second host. @see https://pay.weixin.qq.com/doc/v3/merchant/4012075113 */
const SECOND_HOST = 'https://api2.mch.weixin.qq.com';

/** How long to use the second host before the first is tried again, in milliseconds. */
const AWAY = 60_000;

/**
 * An undici interceptor that falls back to a second host if a connection to the first cannot be made, or if one breaks
 * and the request is idempotent. Further requests then go directly to the second host for a minute.
 *
 * Compose it outside the signer, so that each attempt is signed afresh, and inside {@link retry}.
 * @throws {@link ConfigurationError} if a host is not valid
 * @example new Agent().compose(verifier({ certs }), signer(config), failover());
 */
export function failover(options: FailoverOptions = {}): Interceptor {
  const first = readOrigin('from', options.from ?? DEFAULT_BASE_URL);
  const second = readOrigin('to', options.to ?? SECOND_HOST);
  let awayUntil = 0;

  const decide: Decide = ({ error, unsent }, request, attempt) => {
    if (attempt > 1 || !error || !connectionFailed(error)) return undefined;
    if (!unsent && !(request.retry ?? isIdempotent(request))) return undefined;
    const isBack = request.origin === second;
    awayUntil = isBack ? 0 : performance.now() + AWAY;
    return { options: { ...request, ...to(isBack ? first : second) }, delay: 0 };
  };

  const to = (origin: string) => ({ origin, trustedOrigin: origin });
  return (dispatch) => (request, handler) => {
    if (originOf(request.origin) !== first) return dispatch(request, handler);
    const start = performance.now() < awayUntil ? { ...request, ...to(second) } : request;
    return new RepeatingHandler(dispatch, start, handler, decide).send();
  };
}

function readOrigin(name: string, input: string | URL): string {
  const url = readBaseUrl(input);
  if (url) return url.origin;
  throw new ConfigurationError(`"failover.${name}" ${BASE_URL_RULE}.`);
}

import { Agent } from 'undici';
import type { BrandConfig, ClientConfig } from '../client';
import { IDLE } from '../middleware/dispatch-options';
import { isMedia } from '../upload/media';

/** A signed request that was not sent. */
export interface DryRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** Placeholder for the serial number, which is known only after a download. */
const NEWEST = '(serial number of the newest platform certificate)';

/** Query parameters that are credentials of other systems. */
const SECRET_MEMBER = /\b((?:(?:access_|refresh_)?token|(?:js_|auth_)?code|secret|ticket)=)[^&]+/g;

/**
 * A configuration whose requests are signed but not sent.
 * @returns also a function that returns the last request, once its call has failed
 */
export function dryRun<Config extends ClientConfig | BrandConfig>(
  config: Config,
): { config: Config; taken(): DryRequest | undefined } {
  let request: DryRequest | undefined;
  const dispatcher = new Agent().compose(() => ({ method, origin, path, headers, body }, handler) => {
    request = {
      method,
      url: maskedUrl(`${String(origin)}${path}`),
      headers: maskedHeaders(headers),
      body: maskedBody(isMedia(body) ? body.meta : body),
    };
    handler.onRequestStart?.(IDLE, {});
    handler.onResponseError?.(IDLE, new Error('A dry run sends nothing.'));
    return true;
  });
  if ('brandId' in config) return { config: { ...config, dispatcher }, taken: () => request };
  // With the APIv3 key but no WeChat Pay key, the client would download certificates first.
  const { apiv3Key, ...rest } = config as ClientConfig;
  const certs = rest.certs ?? (apiv3Key === undefined ? undefined : { [NEWEST]: () => false });
  // It remains a valid configuration with these members added or removed.
  const dry = { ...rest, ...(certs && { certs }), dispatcher, merchant: { dispatcher } } as unknown as Config;
  return { config: dry, taken: () => request };
}

/** The client passes headers as an object of strings. */
function maskedHeaders(headers: unknown): Record<string, string> {
  const entries = Object.entries(Object(headers)).map(([name, value]) => [name, String(value)] as const);
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      value.replace(/(signature=")[^"]*/, '$1…').replace(/^Bearer .*/, 'Bearer …'),
    ]),
  );
}

function maskedBody(body: unknown): string {
  const text = body instanceof Uint8Array ? Buffer.from(body).toString() : typeof body === 'string' ? body : '';
  return text.replace(/(<sign>)(?:<!\[CDATA\[)?[^<\]]*(?:\]\]>)?(<\/sign>)/, '$1…$2');
}

/** The URL of a request, with secrets in its query masked. */
export function maskedUrl(url: string): string {
  return url.replace(SECRET_MEMBER, '$1…').replace(/([?&]sign=)[^&]+/, '$1…');
}

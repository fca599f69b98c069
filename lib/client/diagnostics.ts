import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { printableLine } from '../errors';
import type { OutgoingRequest } from './request';

/**
 * Published on the diagnostics channel `wechatpay` for each request, and again for its response or failure.
 * `NODE_DEBUG=wechatpay` prints the same, one line each. Neither includes headers, bodies or query values, which may be
 * secrets.
 */
export interface Diagnostic {
  phase: 'request' | 'response' | 'failure';
  method: string;
  origin: string;
  /** Path with the names of its query parameters: `/cgi-bin/token?appid=…&secret=…`. */
  target: string;
  /** Milliseconds since the request. */
  milliseconds?: number;
  status?: number;
  requestId?: string | undefined;
  /** Name and code of the error. */
  error?: string;
}

type Outcome = Pick<Diagnostic, 'status' | 'requestId'> | { error: unknown };

const published = channel('wechatpay');
const debug = debuglog('wechatpay');

/** Reports a request; returns a function that reports its outcome, or `undefined` if nobody listens. */
export function report({ method, origin, path: target }: OutgoingRequest): ((outcome: Outcome) => void) | undefined {
  if (!debug.enabled && !published.hasSubscribers) return undefined;
  const start = performance.now();
  const request = { method, origin, target: withoutValues(target) };
  publish({ phase: 'request', ...request });
  return (outcome) => {
    const milliseconds = Math.round(performance.now() - start);
    if (!('error' in outcome)) return publish({ phase: 'response', ...request, milliseconds, ...outcome });
    const { name = 'Error', code = '' } = Object(outcome.error);
    const error = printableLine(`${name} ${code}`.trim());
    return publish({ phase: 'failure', ...request, milliseconds, error });
  };
}

function publish(diagnostic: Diagnostic): void {
  published.publish(diagnostic);
  if (!debug.enabled) return;
  const { phase, method, origin, target, milliseconds, status, requestId, error } = diagnostic;
  const outcome = phase === 'request' ? [] : [status ?? error, requestId, `${milliseconds} ms`].filter(Boolean);
  debug('%s', printableLine([phase, method, origin + target, ...outcome].join(' ')));
}

/** All values are masked, because no list of secret names is complete: `secret`, `code`, `access_token`, file `token`s. */
function withoutValues(target: string): string {
  const [path = '', ...query] = target.split('?');
  if (query.length === 0) return path;
  return `${path}?${query.join('?').replace(/[^&]+/g, (pair) => (pair.includes('=') ? pair.replace(/=.*/, '=…') : '…'))}`;
}
